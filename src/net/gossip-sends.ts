/**
 * What gossipsub sends to one peer within a turn of the event loop leaves as one RPC. Gossipsub makes one for each message
 * and peer, and each is encrypted, written and answered by a window update apart: most of what a small message costs.
 * Nothing waits longer than for the turn to end, and RPCs to a peer keep their order.
 * Bounds: a merged RPC has at most MAX_RPC_MESSAGES and MAX_RPC_BYTES; a message that is larger goes alone.
 */
import type { GossipSub } from '@libp2p/gossipsub';
import { assert } from '#util';
import type { Control } from './gossip-control.ts';
import type { PeerIdText } from './port.ts';

/** Far below what other implementations take: 5,000 messages, 1 MiB. */
const MAX_RPC_MESSAGES = 500;
const MAX_RPC_BYTES = 64 * 1024;

type Rpc = {
  readonly subscriptions: readonly unknown[];
  readonly messages: readonly { readonly data?: Uint8Array }[];
  /** Lists of control messages, by kind. */
  readonly control?: Readonly<Record<string, readonly unknown[]>> | undefined;
};

/** What gossipsub has at run time beyond its declared interface. */
type Internals = {
  /** Adds control messages that wait for the peer to `rpc`. False if there is no stream to it. */
  sendRpc: (peer: PeerIdText, rpc: Rpc) => boolean;
  readonly streamsOutbound: ReadonlyMap<PeerIdText, unknown>;
};

type Waiting = { messages: Rpc['messages'][number][]; bytes: number };

/** Whether there is anything beside messages. */
function isMore({ subscriptions, control }: Rpc): boolean {
  return subscriptions.length > 0 || Object.values(control ?? {}).some((list) => list.length > 0);
}

function only(message: Rpc['messages'][number]): Rpc {
  return { subscriptions: [], messages: [message], control: undefined };
}

/** `sent` hears of all control messages, also those that gossipsub adds to what it sends. */
export function mergeSends(pubsub: GossipSub, sent: (control: Partial<Control> | undefined) => void): void {
  const internals = pubsub as unknown as Internals;
  assert(typeof internals.sendRpc === 'function', 'gossipsub hides how it sends');
  assert(internals.streamsOutbound instanceof Map, 'gossipsub hides its streams');
  const sendNow = internals.sendRpc.bind(pubsub);
  const send = (peer: PeerIdText, rpc: Rpc): boolean => {
    const isSent = sendNow(peer, rpc);
    if (isSent) sent(rpc.control as Partial<Control> | undefined);
    return isSent;
  };
  const waiting = new Map<PeerIdText, Waiting>();

  const flush = (peer: PeerIdText): void => {
    const { messages = [] } = waiting.get(peer) ?? {};
    waiting.delete(peer);
    if (messages.length > 0) send(peer, { subscriptions: [], messages, control: undefined });
  };
  const flushAll = (): void => {
    for (const peer of [...waiting.keys()]) flush(peer);
  };

  internals.sendRpc = (peer, rpc) => {
    if (isMore(rpc)) {
      flush(peer);
      // What was asked for by ids comes in one piece, however much that is.
      const isSent = send(peer, { ...rpc, messages: [] });
      return isSent && rpc.messages.every((message) => internals.sendRpc(peer, only(message)));
    }
    if (rpc.control !== undefined) return rpc.messages.every((message) => internals.sendRpc(peer, only(message)));
    if (!internals.streamsOutbound.has(peer)) return false;
    if (waiting.size === 0) setImmediate(flushAll);
    const bytes = rpc.messages.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    let own = waiting.get(peer);
    const isFull = own !== undefined && (own.bytes + bytes > MAX_RPC_BYTES || own.messages.length >= MAX_RPC_MESSAGES);
    if (isFull) flush(peer);
    own = waiting.get(peer) ?? { messages: [], bytes: 0 };
    own.messages.push(...rpc.messages);
    own.bytes += bytes;
    waiting.set(peer, own);
    return true;
  };
}
