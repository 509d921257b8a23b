/** The names under which a network's protocols are registered: no two chains share one. */
import { type BlockHash, idToBytes } from '#primitives';
import { toHex } from '#util';
import { type StreamName, streams } from './streams.ts';
import { type TopicName, topics } from './topics.ts';

/** The first 4 bytes of the genesis hash in internal order, as 8 hex digits (mainnet `6fe28c0a`). */
export function networkId(genesisHash: BlockHash): string {
  return toHex(idToBytes(genesisHash).subarray(0, 4));
}

/**
 * Protocol id of a stream: `/starling/<net>/<name>/<major>`. `net` is what `networkId` gives. A `kept` stream carries
 * any number of exchanges, one after another.
 */
export function protocolId(net: string, name: StreamName, form: 'single' | 'kept' = 'single'): string {
  return `/starling/${net}/${name}/${streams[name].version}${form === 'kept' ? '/kept' : ''}`;
}

/** Name of a gossip topic: `/starling/<net>/<name>/<major>`. */
export function topicId(net: string, name: TopicName): string {
  return `/starling/${net}/${name}/${topics[name].version}`;
}

/** Protocol id of the network's own DHT. */
export function dhtProtocol(net: string): string {
  return `/starling/${net}/kad/1.0.0`;
}
