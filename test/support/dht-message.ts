/** Messages of libp2p's DHT by hand. */
import { field, numberField } from './protobuf.ts';

const DHT_TYPES = {
  putValue: 0n,
  getValue: 1n,
  addProvider: 2n,
  getProviders: 3n,
  findNode: 4n,
  ping: 5n,
} as const;

/** A peer as these messages name it: the id's multihash, and multiaddrs as bytes. */
export type NamedPeer = { readonly id: Uint8Array; readonly addresses: readonly Uint8Array[] };

export type DhtMessage = {
  readonly type: keyof typeof DHT_TYPES;
  readonly key?: Uint8Array;
  readonly record?: Uint8Array;
  readonly closer?: readonly NamedPeer[];
  readonly providers?: readonly NamedPeer[];
};

export function dhtMessage({ type, key, record, closer = [], providers = [] }: DhtMessage): Uint8Array {
  return Buffer.concat([
    numberField(1, DHT_TYPES[type]),
    ...(key === undefined ? [] : [field(2, key)]),
    ...(record === undefined ? [] : [field(3, record)]),
    ...closer.map((peer) => field(8, named(peer))),
    ...providers.map((peer) => field(9, named(peer))),
  ]);
}

/** What PUT_VALUE stores. */
export function dhtRecord(key: Uint8Array, value: Uint8Array): Uint8Array {
  return Buffer.concat([field(1, key), field(2, value)]);
}

function named({ id, addresses }: NamedPeer): Uint8Array {
  return Buffer.concat([field(1, id), ...addresses.map((address) => field(2, address))]);
}
