/**
 * libp2p's DHT with bounds on what strangers make it do. Its server answers every request that it can read, however many
 * come; its client believes an answer whatever number of peers it names, stores each of them and looks it up. Here requests
 * have quotas (`ServiceMeter`), and answers a size, a number of names, and of addresses a name.
 */
import type { Stream } from '@libp2p/interface';
import { type KadDHT, type KadDHTInit, kadDHT, type PeerInfoMapper, type QueryEvent } from '@libp2p/kad-dht';
import { assert } from '#util';
import { override } from './gated.ts';
import type { ServiceMeter } from './service-meter.ts';

/** Kademlia's k: an honest answer names no more peers that are closer. */
export const MAX_NAMED = 20;
/** Of one key: kept, given, and believed of an answer. */
export const MAX_PROVIDERS = 40;
/** Addresses that we give of one peer. */
const MAX_ADDRESSES_GIVEN = 8;
/** As many names with as many addresses have 12 kB. */
const MAX_ANSWER_BYTES = 24 * 1024;
/** Names of one answer that libp2p stores and tries to take into its table, at a millisecond each. */
const MAX_TOLD = 2 * MAX_NAMED;
/** A provider tells of itself, once. libp2p stores each that a request names, even if it is the same again. */
const MAX_PROVIDERS_TOLD = 4;

type Components = Parameters<ReturnType<typeof kadDHT>>[0];
type PeerId = Components['peerId'];
type Request = { readonly type: string; readonly providers: readonly unknown[] };

/** What the DHT has at run time beyond its declared interface. */
type Internals = {
  readonly rpc: { handleMessage: (from: PeerId, message: Request) => Promise<unknown> };
  readonly network: {
    /** Gives what was answered. */
    sendRequest: (...parameters: readonly unknown[]) => AsyncIterable<QueryEvent>;
    /** Tells of every peer that is named, all those of an answer in one go. */
    safeDispatchEvent: (type: string, detail: object) => boolean;
  };
};

export function boundedDht(
  init: KadDHTInit & { readonly peerInfoMapper: PeerInfoMapper },
  meter: ServiceMeter,
): (components: Components) => KadDHT {
  const make = kadDHT({
    ...init,
    peerInfoMapper: (peer) => {
      const mapped = init.peerInfoMapper(peer);
      return { ...mapped, multiaddrs: mapped.multiaddrs.slice(0, MAX_ADDRESSES_GIVEN) };
    },
  });
  return (components) => {
    const { connectionManager } = components;
    const openStream: typeof connectionManager.openStream = async (...parameters) =>
      limited(await connectionManager.openStream(...parameters), MAX_ANSWER_BYTES);
    const bounded = override(components, { connectionManager: override(connectionManager, { openStream }) });
    const dht = meter.metered('dht', make)(bounded);
    boundRequests(dht, meter);
    boundAnswers(dht);
    return dht;
  };
}

/** Resets the stream when more than so many bytes have come. */
function limited(stream: Stream, maxBytes: number): Stream {
  let left = maxBytes;
  stream.addEventListener('message', ({ data }) => {
    left -= data.byteLength;
    // At once: by the next microtask all of it may have been read.
    if (left < 0 && stream.status === 'open') stream.abort(new Error('too large an answer'));
  });
  return stream;
}

/** A request beyond its quota throws, by which libp2p resets its stream. */
function boundRequests(dht: KadDHT, meter: ServiceMeter): void {
  const { rpc } = dht as unknown as Internals;
  assert(typeof rpc?.handleMessage === 'function', 'the DHT hides its request handler');
  const handle = rpc.handleMessage.bind(rpc);
  rpc.handleMessage = async (from, message) => {
    const told = message.providers.length;
    const isStore = message.type === 'PUT_VALUE' || message.type === 'ADD_PROVIDER';
    if (told > MAX_PROVIDERS_TOLD) throw new Error(`a request that names ${told} providers`);
    if (!meter.takeRequest(isStore ? 'dhtStore' : 'dhtLookup', from.toString(), Math.max(1, told))) {
      throw new Error('too many requests');
    }
    return handle(from, message);
  };
}

function boundAnswers(dht: KadDHT): void {
  const { network } = dht as unknown as Internals;
  assert(typeof network?.sendRequest === 'function', 'the DHT hides how it asks');
  assert(typeof network.safeDispatchEvent === 'function', 'the DHT hides how it tells of peers');
  const ask = network.sendRequest.bind(network);
  network.sendRequest = async function* (...parameters) {
    for await (const event of ask(...parameters)) {
      if (event.name === 'PEER_RESPONSE') {
        const [closer, providers] = [event.closer.slice(0, MAX_NAMED), event.providers.slice(0, MAX_PROVIDERS)];
        yield { ...event, closer, providers };
      } else yield event;
    }
  };
  const tell = network.safeDispatchEvent.bind(network);
  // The names of one answer are told of without a pause: behind the next microtask is another.
  let told = 0;
  network.safeDispatchEvent = (type, detail) => {
    if (told === 0) {
      queueMicrotask(() => {
        told = 0;
      });
    }
    told += 1;
    return told <= MAX_TOLD && tell(type, detail);
  };
}
