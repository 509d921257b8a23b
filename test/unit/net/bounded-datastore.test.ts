/** What strangers put into libp2p's datastore: bounded in number, by key, and in size. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Key } from 'interface-datastore';
import { BoundedDatastore } from '../../../src/net/bounded-datastore.ts';

const MAX_DHT_ENTRIES = 4_096;
const MAX_OF_KEY = 40;

async function keysOf(store: BoundedDatastore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.query({ prefix })) keys.push(key.toString());
  return keys;
}

const provider = (key: string, peer: number): Key => new Key(`/dht/provider/${key}/${peer}`);
const put = (store: BoundedDatastore, key: Key, bytes = 8): unknown => store.put(key, new Uint8Array(bytes));

describe('bounded datastore', () => {
  it('holds so many DHT records, the oldest goes', async () => {
    const store = new BoundedDatastore();
    for (let at = 0; at < MAX_DHT_ENTRIES + 10; at += 1) put(store, new Key(`/dht/record/${at}`));
    assert.equal((await keysOf(store, '/dht')).length, MAX_DHT_ENTRIES);
    assert.ok(!(await store.has(new Key('/dht/record/9'))) && (await store.has(new Key('/dht/record/10'))));
  });

  it('holds so many providers of a key, the longest unheard goes', async () => {
    const store = new BoundedDatastore();
    put(store, provider('other', 1));
    for (let peer = 0; peer < MAX_OF_KEY; peer += 1) put(store, provider('key', peer));
    put(store, provider('key', 0));
    for (let peer = 100; peer < 103; peer += 1) put(store, provider('key', peer));
    const kept = await keysOf(store, '/dht/provider/key');
    assert.equal(kept.length, MAX_OF_KEY);
    const isKept = (peer: number): boolean => kept.includes(provider('key', peer).toString());
    assert.deepEqual([0, 1, 2, 3, 4, 102].map(isKept), [true, false, false, false, true, true]);
    assert.equal((await keysOf(store, '/dht/provider/other')).length, 1);
    assert.equal((await keysOf(store, '/dht/provider')).length, MAX_OF_KEY + 1);
  });

  it('finds the providers of a key alone, and none that was deleted', async () => {
    const store = new BoundedDatastore();
    for (const key of ['a', 'ab']) for (const peer of [1, 2]) put(store, provider(key, peer));
    await store.delete(provider('a', 1));
    assert.deepEqual(await keysOf(store, '/dht/provider/a'), ['/dht/provider/a/2']);
    await store.delete(provider('a', 2));
    assert.deepEqual(await keysOf(store, '/dht/provider/a'), []);
    const walk = store.query({ prefix: '/dht/provider/ab' });
    await walk.next();
    await store.delete(provider('ab', 2));
    assert.equal((await walk.next()).done, true);
  });

  it('leaves out what is too large: a record, and what a peer says beyond what it said before', async () => {
    const store = new BoundedDatastore();
    put(store, new Key('/dht/record/large'), 16 * 1024 + 1);
    assert.ok(!(await store.has(new Key('/dht/record/large'))));
    const peer = new Key('/peers/somebody');
    put(store, peer, 8 * 1024);
    put(store, peer, 8 * 1024 + 1);
    assert.equal((await store.get(peer)).length, 8 * 1024);
  });
});
