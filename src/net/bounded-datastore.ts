/**
 * libp2p's datastore, in memory. We keep our own address book and bans on disk, so what libp2p stores is a cache;
 * a disk store would cost a write for every stream that opens. What strangers can put there (DHT records and
 * provider records) is bounded in number and size, oldest out first.
 */

import { MemoryDatastore } from 'datastore-core';
import type { Key } from 'interface-datastore';

const DHT_PREFIX = '/dht/';
const MAX_DHT_ENTRIES = 4096;
const MAX_VALUE_BYTES = 16 * 1024;

export class BoundedDatastore extends MemoryDatastore {
  readonly #dhtKeys = new Map<string, Key>();

  override put(key: Key, value: Uint8Array): Key | Promise<Key> {
    const text = key.toString();
    if (!text.startsWith(DHT_PREFIX)) return super.put(key, value);
    if (value.length > MAX_VALUE_BYTES) return key;
    this.#dhtKeys.delete(text);
    this.#dhtKeys.set(text, key);
    if (this.#dhtKeys.size > MAX_DHT_ENTRIES) {
      const oldest = this.#dhtKeys.values().next();
      if (oldest.done !== true) void this.delete(oldest.value);
    }
    return super.put(key, value);
  }

  override delete(key: Key): void | Promise<void> {
    this.#dhtKeys.delete(key.toString());
    return super.delete(key);
  }
}
