/**
 * libp2p's datastore, in memory. We keep our own address book and bans on disk, so what libp2p stores is a cache;
 * a disk store would cost a write for every stream that opens. What strangers can put there is bounded: DHT records and
 * provider records in number, providers of one key too, oldest out first; those and what is known of a peer in size.
 */

import { MemoryDatastore } from 'datastore-core';
import type { Key, Pair, Query } from 'interface-datastore';
import { MAX_PROVIDERS } from './bounded-dht.ts';

const DHT_PREFIX = '/dht/';
const PROVIDER_PREFIX = '/dht/provider/';
const PEER_PREFIX = '/peers/';
const MAX_DHT_ENTRIES = 4096;
const MAX_VALUE_BYTES = 16 * 1024;
/**
 * Ours says 2 kB of itself, those with the longest lists of protocols and addresses some 6. What is larger changes nothing:
 * libp2p reads and writes all of it whenever a stream opens.
 */
const MAX_PEER_BYTES = 8 * 1024;

export class BoundedDatastore extends MemoryDatastore {
  /** Oldest first. */
  readonly #dhtKeys = new Map<string, Key>();
  /** The same of provider records, by the key that is provided. */
  readonly #providers = new Map<string, Map<string, Key>>();

  override put(key: Key, value: Uint8Array): Key | Promise<Key> {
    const text = key.toString();
    if (text.startsWith(PEER_PREFIX) && value.length > MAX_PEER_BYTES) return key;
    if (!text.startsWith(DHT_PREFIX)) return super.put(key, value);
    if (value.length > MAX_VALUE_BYTES) return key;
    this.#forget(text);
    this.#dhtKeys.set(text, key);
    if (text.startsWith(PROVIDER_PREFIX)) this.#addProvider(text, key);
    if (this.#dhtKeys.size > MAX_DHT_ENTRIES) this.#deleteOldest(this.#dhtKeys);
    return super.put(key, value);
  }

  override delete(key: Key): void | Promise<void> {
    this.#forget(key.toString());
    return super.delete(key);
  }

  /** Whoever asks for the providers of a key must not make us look at all that we have. */
  override async *query(query: Query): AsyncGenerator<Pair> {
    const { prefix = '' } = query;
    if (!prefix.startsWith(PROVIDER_PREFIX)) {
      yield* super.query(query);
      return;
    }
    for (const [text, key] of [...(this.#providers.get(prefix) ?? [])]) {
      if (this.#dhtKeys.has(text)) yield { key, value: await this.get(key) };
    }
  }

  #addProvider(text: string, key: Key): void {
    const parent = parentOf(text);
    const ofKey = this.#providers.get(parent) ?? new Map<string, Key>();
    ofKey.set(text, key);
    this.#providers.set(parent, ofKey);
    if (ofKey.size > MAX_PROVIDERS) this.#deleteOldest(ofKey);
  }

  #deleteOldest(keys: ReadonlyMap<string, Key>): void {
    const oldest = keys.values().next();
    if (oldest.done !== true) void this.delete(oldest.value);
  }

  #forget(text: string): void {
    this.#dhtKeys.delete(text);
    const parent = parentOf(text);
    const ofKey = this.#providers.get(parent);
    ofKey?.delete(text);
    if (ofKey?.size === 0) this.#providers.delete(parent);
  }
}

function parentOf(text: string): string {
  return text.slice(0, text.lastIndexOf('/'));
}
