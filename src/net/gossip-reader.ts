/**
 * Reads the RPCs of gossip peers in gossipsub's place. Gossipsub decodes and obeys whatever fits a frame and skips what it
 * cannot read without a word. Here each peer's bytes are metered before anything is decoded, then its messages and control
 * items; who floods is charged and what is beyond goes nowhere, and so is who sends what no honest node does.
 * The end of a stream is gossipsub's business as before.
 */
import type { GossipSub } from '@libp2p/gossipsub';
import type { PeerId, Stream } from '@libp2p/interface';
import type { OffenceName } from '#protocol';
import { assert, type Clock, errorText, type Logger } from '#util';
import { controlItems, hasProperIds, type Rpc, withBoundedBackoff } from './gossip-control.ts';
import type { PeerIdText } from './port.ts';
import { TokenBuckets } from './token-bucket.ts';

/** What one peer may send: five times what a node passes on at its most (`GossipGather`); there is what it sends of its own. */
const MESSAGE_RATE = { burst: 10_000, perSecond: 2_000 };
const BYTE_RATE = { burst: 16 << 20, perSecond: 2 << 20 };
/** A heartbeat tells of the messages of three seconds, 1,200 at the most. */
const CONTROL_RATE = { burst: 30_000, perSecond: 3_000 };
/** Bytes beside the content of messages: some 25 a control item, 50 a message. */
const OVERHEAD_RATE = { burst: 2 << 20, perSecond: 192 << 10 };

/** Of the library that takes frames apart: longer than the bound, or a length without an end. */
const OVERSIZED: readonly string[] = ['InvalidDataLengthError', 'InvalidDataLengthLengthError'];

type Frame = { readonly subarray: () => Uint8Array };

/** What gossipsub has at run time beyond its declared interface. */
type Internals = {
  /** Throws for what is no RPC, or has too many elements. */
  readonly decodeRpc: (bytes: Uint8Array) => Rpc;
  pipePeerReadStream: (from: PeerId, frames: AsyncIterable<Frame>) => Promise<void>;
  readonly handlePeerReadStreamError: (error: Error, from: PeerId) => void;
  /** The newest of each peer. */
  readonly streamsInbound: ReadonlyMap<PeerIdText, { readonly rawStream?: Pick<Stream, 'abort'> }>;
};

export type ReaderDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly charge: (peer: PeerIdText, offence: OffenceName, detail: string) => void;
  /** What is left: gossipsub's own work. */
  readonly handle: (from: PeerId, rpc: Rpc) => Promise<void>;
};

export function readRpcs(pubsub: GossipSub, deps: ReaderDeps): void {
  const { log, charge, handle } = deps;
  const internals = internalsOf(pubsub);
  const admit = admission(deps, (bytes) => internals.decodeRpc(bytes));
  internals.pipePeerReadStream = async (from, frames) => {
    const peer = from.toString();
    const stream = internals.streamsInbound.get(peer)?.rawStream;
    try {
      for await (const frame of frames) {
        const rpc = admit(peer, frame.subarray());
        // Not awaited: one RPC does not wait for the checks of another's messages.
        if (rpc !== undefined) {
          handle(from, rpc).catch((error: unknown) => log.error('an RPC failed', { error: errorText(error) }));
        }
      }
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(errorText(error));
      if (OVERSIZED.includes(reason.name)) charge(peer, 'oversized-frame', `gossip RPC: ${reason.message}`);
      // Gossipsub forgets the peer and leaves the stream as it is: what came over it would be kept, and read by nobody.
      stream?.abort(reason);
      internals.handlePeerReadStreamError(reason, from);
    }
  };
}

/** Gives the RPC in a frame of a peer, if it may be worked on. */
function admission({ clock, charge }: ReaderDeps, decode: (bytes: Uint8Array) => Rpc) {
  const rates = new TokenBuckets(clock);
  return (peer: PeerIdText, bytes: Uint8Array): Rpc | undefined => {
    if (!rates.take(`bytes ${peer}`, BYTE_RATE, bytes.length)) {
      charge(peer, 'quota-exceeded', `gossip RPC of ${bytes.length} bytes`);
      return undefined;
    }
    const rpc = decoded(decode, bytes);
    if (rpc === undefined) {
      charge(peer, 'undecodable-message', `gossip RPC of ${bytes.length} bytes`);
      return undefined;
    }
    const items = controlItems(rpc);
    const overhead = rpc.messages.reduce((left, { data }) => left - (data?.length ?? 0), bytes.length);
    const isWithin =
      rates.take(`messages ${peer}`, MESSAGE_RATE, rpc.messages.length + 1) &&
      rates.take(`control ${peer}`, CONTROL_RATE, items) &&
      rates.take(`overhead ${peer}`, OVERHEAD_RATE, overhead);
    if (!isWithin) {
      const what = `${rpc.messages.length} messages, ${items} control items, ${overhead} other bytes`;
      charge(peer, 'quota-exceeded', `gossip RPC of ${what}`);
      return undefined;
    }
    if (!hasProperIds(rpc)) {
      charge(peer, 'protocol-violation', 'gossip RPC with message ids of a wrong length');
      return undefined;
    }
    return withBoundedBackoff(rpc);
  };
}

function decoded(decode: (bytes: Uint8Array) => Rpc, bytes: Uint8Array): Rpc | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

function internalsOf(pubsub: GossipSub): Internals {
  const internals = pubsub as unknown as Partial<Internals>;
  assert(typeof internals.decodeRpc === 'function', 'gossipsub hides how it decodes');
  assert(typeof internals.pipePeerReadStream === 'function', 'gossipsub hides how it reads');
  assert(internals.streamsInbound instanceof Map, 'gossipsub hides its streams');
  assert(typeof internals.handlePeerReadStreamError === 'function', 'gossipsub hides how reading ends');
  return internals as Internals;
}
