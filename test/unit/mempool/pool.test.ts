import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Transaction } from '#primitives';
import { toHex } from '#util';
import { type HeapItem, IndexedHeap } from '../../../src/mempool/indexed-heap.ts';
import { PoolObservers } from '../../../src/mempool/observer.ts';
import { Pool, packageTotals, withAncestors, withDescendants } from '../../../src/mempool/pool.ts';
import { feeRate, memoryUsage, type PoolEntry, TIE_BYTES } from '../../../src/mempool/pool-entry.ts';

type Item = HeapItem & { rank: number };

describe('indexed heap', () => {
  it('always gives the first of what is in it, whatever moved or left', () => {
    const action = fc.record({
      kind: fc.constantFrom('push', 'pop', 'remove', 'move'),
      pick: fc.nat(),
      rank: fc.nat(50),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new IndexedHeap<Item>((a, b) => a.rank < b.rank);
        const items: Item[] = [];
        for (const { kind, pick, rank } of actions) {
          const item = items[pick % Math.max(1, items.length)];
          if (kind === 'push' || item === undefined) {
            const made = { rank, heapIndex: -1 };
            items.push(made);
            heap.push(made);
          } else if (kind === 'move') {
            item.rank = rank;
            heap.update(item);
          } else {
            const gone = kind === 'pop' ? heap.pop() : item;
            if (kind === 'remove') heap.remove(item);
            assert.equal(gone?.heapIndex, -1);
            items.splice(items.indexOf(gone ?? item), 1);
          }
          assert.equal(heap.size, items.length);
          assert.equal(heap.first()?.rank, items.length === 0 ? undefined : Math.min(...items.map((one) => one.rank)));
        }
      }),
    );
  });
});

/** Number `at` of a graph: spends an output of each parent, and one of its own from the chain. Every other has a witness. */
function graphTx(at: number, parents: readonly Transaction[]): Transaction {
  const own = new Uint8Array(32).fill(0xee);
  new DataView(own.buffer).setUint32(0, at, true);
  const input = (prevTxid: Uint8Array, prevIndex: number): Transaction['inputs'][number] => {
    return {
      prevTxid,
      prevIndex,
      scriptSig: new Uint8Array(0),
      sequence: 0,
      witness: at % 2 === 0 ? [] : [Uint8Array.of(at)],
    };
  };
  const inputs = [input(own, 0), ...parents.map((parent) => input(parent.txidBytes, at))];
  return Transaction.fromFields({
    version: 1,
    inputs,
    outputs: [{ value: 1n, scriptPubKey: new Uint8Array(1) }],
    lockTime: 0,
  });
}

/** Gives every transaction enough outputs that child `at` can spend output `at` of it. */
function buildGraph(edges: readonly (readonly number[])[]): Transaction[] {
  const txs: Transaction[] = [];
  for (const [at, picks] of edges.entries()) {
    const parents = new Set(at === 0 ? [] : picks.map((pick) => pick % at));
    const tx = graphTx(
      at,
      [...parents].map((parent) => txs[parent] ?? assert.fail()),
    );
    const outputs = edges.map(() => ({ value: 1n, scriptPubKey: new Uint8Array(1) }));
    txs.push(Transaction.fromFields({ version: 1, inputs: tx.inputs, outputs, lockTime: 0 }));
  }
  return txs;
}

/** What an entry tells without decoding its transaction, and what it decodes. */
/** As transactions are of which only the family counts. */
function addPlain(pool: Pool, tx: Transaction): PoolEntry {
  const facts = { vsize: tx.size, sigOpCost: 0, time: 0, height: 0, spendsCoinbase: false };
  return pool.add({ tx, fee: 1n, modifiedFee: 1n, ...facts });
}

function keptOf(of: PoolEntry | Transaction) {
  const { txid, wtxid, version, lockTime, weight, hasWitness, raw } = of;
  const ids = [of.txidBytes, of.wtxidBytes].map(toHex);
  const witnesses = of.inputs.map(({ witness }) => witness.map(toHex));
  return { txid, wtxid, version, lockTime, weight, hasWitness, raw: toHex(raw), ids, witnesses };
}

function checkInvariants(pool: Pool, all: readonly Transaction[]): void {
  const entries = [...pool.entries()];
  assert.equal(pool.size, entries.length);
  const ties = entries.reduce((sum, entry) => sum + entry.parents.size, 0);
  assert.equal(pool.usage, entries.reduce((sum, { tx }) => sum + memoryUsage(tx), 0) + ties * TIE_BYTES);
  assert.equal(
    pool.vsize,
    entries.reduce((sum, entry) => sum + entry.vsize, 0),
  );
  assert.equal(
    pool.totalFee,
    entries.reduce((sum, entry) => sum + entry.fee, 0n),
  );
  for (const entry of entries) {
    const parents = new Set(
      entries.filter((other) =>
        entry.tx.inputs.some((input) => Buffer.compare(input.prevTxid, other.tx.txidBytes) === 0),
      ),
    );
    assert.deepEqual(new Set(entry.parents), parents);
    for (const parent of parents) assert.ok(parent.children.has(entry));
    for (const child of entry.children) assert.ok(child.parents.has(entry));
    const score = Math.max(feeRate(entry), feeRate(packageTotals(withDescendants([entry]))));
    assert.equal(entry.descendantScore, score);
    for (const input of entry.tx.inputs) assert.equal(pool.spender(input.prevTxid, input.prevIndex), entry);
  }
  const earliest = Math.min(...entries.map((entry) => entry.time));
  assert.equal(pool.oldest()?.time ?? Number.POSITIVE_INFINITY, earliest);
  const lowest = Math.min(...entries.map((entry) => entry.descendantScore));
  assert.equal(pool.leastWorthy()?.descendantScore, entries.length === 0 ? undefined : lowest);
  for (const tx of all) {
    const entry = pool.byTxid(tx.txid);
    assert.equal(pool.byWtxid(tx.wtxid), entry);
    if (entry !== undefined) assert.deepEqual(keptOf(entry), keptOf(tx));
  }
}

describe('pool', () => {
  it('keeps its indices, families and scores through any additions and removals', () => {
    const edges = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 1, maxLength: 12 });
    const action = fc.record({
      kind: fc.constantFrom('add', 'add', 'remove', 'evict', 'prioritise'),
      pick: fc.nat(),
      fee: fc.nat(10_000),
    });
    fc.assert(
      fc.property(edges, fc.array(action, { maxLength: 40 }), (graph, actions) => {
        const txs = buildGraph(graph);
        const pool = new Pool();
        for (const [time, { kind, pick, fee }] of actions.entries()) {
          const tx = txs[pick % txs.length] ?? assert.fail();
          const entry = pool.byTxid(tx.txid);
          if (kind === 'add' && entry === undefined) {
            // In any order: after a reorganisation parents come in below their children.
            pool.add({
              tx,
              fee: BigInt(fee),
              modifiedFee: BigInt(fee),
              vsize: tx.size,
              sigOpCost: 0,
              time,
              height: 0,
              spendsCoinbase: false,
            });
          } else if (kind === 'remove' && entry !== undefined) {
            pool.remove(entry, 'block');
          } else if (kind === 'prioritise') {
            pool.setFeeDelta(tx.txid, BigInt(fee - 5_000));
            assert.equal(entry?.modifiedFee, entry && entry.fee + BigInt(fee - 5_000));
          } else if (kind === 'evict' && entry !== undefined) {
            const expected = withDescendants([entry]);
            assert.deepEqual(pool.removeWithDescendants([entry], 'conflict'), expected);
          }
          checkInvariants(pool, txs);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('tells of what left, and why, once all of it is gone', () => {
    const observers = new PoolObservers();
    const pool = new Pool(observers);
    const told: string[] = [];
    observers.add({ left: ({ tx }, reason) => told.push(`${tx.txid} ${reason} ${pool.size}`) });
    const [top, child, other] = buildGraph([[], [0], []]).map((tx) => addPlain(pool, tx));
    assert.ok(top !== undefined && child !== undefined && other !== undefined);
    pool.removeWithDescendants([top], 'sizelimit');
    pool.remove(other, 'block');
    assert.deepEqual(told, [`${top.tx.txid} sizelimit 1`, `${child.tx.txid} sizelimit 1`, `${other.tx.txid} block 0`]);
  });

  it('walks families of any shape once', () => {
    const pool = new Pool();
    const entries = buildGraph([[], [0], [0], [1, 2]]).map((tx) => addPlain(pool, tx));
    const [first, , , last] = entries;
    assert.ok(first !== undefined && last !== undefined);
    assert.equal(withDescendants([first]).size, 4);
    assert.equal(withAncestors([last]).size, 4);
    assert.equal(packageTotals(withAncestors([last])).modifiedFee, 4n);
  });
});
