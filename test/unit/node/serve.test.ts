import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Chain } from '#chain';
import type { MempoolEntry } from '#mempool';
import type { NodeStreamName, ResponseFrame } from '#net';
import { type Block, type BlockHash, parseBlockHash, type Txid, type Wtxid } from '#primitives';
import { buildCompactBlock, streams } from '#protocol';
import { seededRandom } from '#util';
import { CompactForms } from '../../../src/node/compact-forms.ts';
import { createServe, type Serve, type ServeDeps } from '../../../src/node/serve.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

let builder: ChainBuilder;
let chain: Chain;
before(async () => {
  const params = await regtest();
  builder = createChainBuilder(params);
  builder.mineMany(30);
  chain = await openTestChain(params);
  for (const block of builder.blocks) await chain.submitBlock(block);
});

const unlimited = { servesHistoricalBlocks: true, serving: () => {} };

function serveWith(deps: Partial<ServeDeps>): Serve {
  return createServe({
    chain,
    mempool: { get: () => undefined, entries: () => [].values() },
    announcer: { isWaiting: () => false },
    hello: () => undefined,
    rebuilt: async () => undefined,
    forms: new CompactForms({ random: seededRandom(1), prefills: true }),
    upload: unlimited,
    isManual: () => false,
    isBlockOnly: () => false,
    undecodable: () => assert.fail('the request decodes'),
    ...deps,
  });
}

async function ask(name: NodeStreamName, request: Uint8Array, deps: Partial<ServeDeps> = {}): Promise<ResponseFrame[]> {
  const serve = serveWith(deps);
  return Array.fromAsync(serve(name, 'peer', request, new AbortController().signal));
}

describe('serve', () => {
  it('answers a locator with the headers behind it, and a bare stop hash with that header', async () => {
    const { request, response } = streams.headers;
    const [behind] = await ask(
      'headers',
      request.encode({ locator: [builder.at(10).hash], stopHash: builder.at(12).hash }),
    );
    assert.ok(behind);
    assert.deepEqual(
      response.decode(behind.payload).map((header) => header.hash),
      [11, 12].map((h) => builder.at(h).hash),
    );
    const [single] = await ask('headers', request.encode({ locator: [], stopHash: builder.at(7).hash }));
    assert.ok(single);
    assert.deepEqual(
      response.decode(single.payload).map((header) => header.hash),
      [builder.at(7).hash],
    );
    const [unknown] = await ask('headers', request.encode({ locator: [], stopHash: parseBlockHash('77'.repeat(32)) }));
    assert.ok(unknown);
    assert.deepEqual(response.decode(unknown.payload), []);
  });

  it('gives stored bytes in the order asked and says what it does not have', async () => {
    const hashes = [builder.at(3).hash, parseBlockHash('77'.repeat(32)), builder.at(1).hash];
    const frames = await ask('blocks', streams.blocks.request.encode(hashes));
    assert.deepEqual(
      frames.map((frame) => frame.status),
      [0, 3, 0],
    );
    assert.deepEqual(frames[0]?.payload, builder.at(3).block.raw);
    assert.deepEqual(frames[2]?.payload, builder.at(1).block.raw);
  });

  it('ends a long answer of transactions early rather than above its bound', async () => {
    const tx = buildTx([builder.coin(1)], [pay(1n)]);
    const refs = Array.from({ length: 12 }, () => ({ kind: 'wtxid', id: tx.wtxid }) as const);
    const get = (_id: Txid | Wtxid) => ({ raw: new Uint8Array(400_000) }) as MempoolEntry;
    const frames = await ask('txs', streams.txs.request.encode(refs), { mempool: { get, entries: () => [].values() } });
    assert.equal(frames.length, 10, 'ten of 400,000 bytes fit into 4,000,000');
  });

  it('does not tell of a transaction before it was announced', async () => {
    const tx = buildTx([builder.coin(1)], [pay(1_0000n)]);
    const entry = { raw: tx.raw } as MempoolEntry;
    const request = streams.txs.request.encode([{ kind: 'txid', id: tx.txid }]);
    const mempool = { get: () => entry, entries: () => [entry].values() };
    const [waiting] = await ask('txs', request, { mempool, announcer: { isWaiting: (id) => id === tx.txid } });
    assert.equal(waiting?.status, 3, 'as if we did not have it');
    const [announced] = await ask('txs', request, { mempool });
    assert.equal(announced?.status, 0);
  });

  it('gives a block-only peer nothing of its transactions', async () => {
    const tx = buildTx([builder.coin(1)], [pay(1_0000n)]);
    const { raw, txid, wtxid } = tx;
    const entry = { raw, txid, wtxid, fee: 1_000n, vsize: 100 } as MempoolEntry;
    const mempool = { get: () => entry, entries: () => [entry].values() };
    const txs = streams.txs.request.encode([{ kind: 'txid', id: tx.txid }]);
    const list = streams.mempool.request.encode({ minFeeSatPerKvb: 0n, skip: 0 });
    for (const isBlockOnly of [true, false]) {
      const deps = { mempool, isBlockOnly: () => isBlockOnly };
      const statuses = (await ask('txs', txs, deps)).map(({ status }) => status);
      assert.deepEqual(statuses, [isBlockOnly ? 3 : 0]);
      assert.equal((await ask('mempool', list, deps)).length, isBlockOnly ? 0 : 1);
    }
  });

  it('lists what the mempool has announced, by pages and least fee', async () => {
    const { request, response } = streams.mempool;
    const entries = Array.from({ length: 12_345 }, (_, number) => {
      const wtxid = number.toString(16).padStart(64, '0') as Wtxid;
      return { wtxid, fee: number % 2 === 0 ? 200n : 99n, vsize: 100 } as MempoolEntry;
    });
    const mempool = { get: () => undefined, entries: () => entries.values() };
    const list = async (minFeeSatPerKvb: bigint, skip: number, deps: Partial<ServeDeps> = {}) => {
      const frames = await ask('mempool', request.encode({ minFeeSatPerKvb, skip }), { mempool, ...deps });
      return frames.map(({ payload }) => response.decode(payload).map(({ wtxid }) => wtxid));
    };
    const first = await list(0n, 0);
    assert.deepEqual(
      first.map(({ length }) => length),
      Array.from({ length: 10 }, () => 1000),
    );
    const rest = await list(0n, 10_000);
    assert.deepEqual(
      [...first, ...rest].flat(),
      entries.map(({ wtxid }) => wtxid),
    );
    assert.deepEqual(await list(0n, 12_345), [], 'nothing behind the end');
    const rich = (await list(1_000n, 0)).flat();
    assert.equal(rich.length, 6_173, '99 sat for 100 vbytes are below 1000 sat a kvB');
    const [hidden] = entries;
    const announcer = { isWaiting: (id: Txid | Wtxid) => id === hidden?.wtxid };
    assert.equal((await list(1_000n, 0, { announcer })).flat().length, 6_172);
  });

  it('gives the transactions asked of a block at most ten below the tip, and not found of any other', async () => {
    const { request, response } = streams.blocktxn;
    const askAt = async (height: number) =>
      ask('blocktxn', request.encode({ hash: builder.at(height).hash, indexes: [0] }));
    const [frame, ...others] = await askAt(20);
    assert.ok(frame?.status === 0 && others.length === 0);
    assert.deepEqual(
      response.decode(frame.payload).map((tx) => tx.wtxid),
      builder.at(20).block.transactions.map((tx) => tx.wtxid),
    );
    assert.deepEqual(await askAt(19), [{ status: 3, payload: new Uint8Array(0) }]);
    const unknown = request.encode({ hash: parseBlockHash('77'.repeat(32)), indexes: [0] });
    assert.equal((await ask('blocktxn', unknown))[0]?.status, 3);
  });

  it('refuses places behind the end of a block, and blames nobody', async () => {
    const request = streams.blocktxn.request.encode({ hash: builder.tip.hash, indexes: [0, 1] });
    assert.deepEqual(await ask('blocktxn', request), [{ status: 1, payload: new Uint8Array(0) }]);
  });

  it('reads a block once for several who ask for its transactions', async () => {
    const request = streams.blocktxn.request.encode({ hash: builder.tip.hash, indexes: [0] });
    let reads = 0;
    const counting = {
      ...chain,
      readBlock: (hash: BlockHash) => {
        reads++;
        return chain.readBlock(hash);
      },
    };
    const serve = serveWith({ chain: counting });
    const { signal } = new AbortController();
    const answers = await Promise.all(
      [1, 2, 3].map((n) => Array.fromAsync(serve('blocktxn', `${n}`, request, signal))),
    );
    assert.deepEqual(
      answers.map(([frame]) => frame?.status),
      [0, 0, 0],
    );
    assert.equal(reads, 1);
  });

  it('waits for a block that is being rebuilt', async () => {
    const next = builder.build({ transactions: [buildTx([builder.coin(1)], [pay(1n)])] });
    chain.submitHeaders([next.header]);
    const { promise, resolve } = Promise.withResolvers<Block | undefined>();
    const request = streams.blocktxn.request.encode({ hash: next.hash, indexes: [1] });
    const answer = ask('blocktxn', request, { rebuilt: () => promise });
    resolve(next);
    const [frame] = await answer;
    assert.ok(frame?.status === 0);
    assert.equal(streams.blocktxn.response.decode(frame.payload)[0]?.txid, next.transactions[1]?.txid);
    const [without] = await ask('blocktxn', request, { rebuilt: async () => undefined });
    assert.equal(without?.status, 3);
  });

  it('gives the compact form of a block at most five below the tip, and not found of any other', async () => {
    const { request, response } = streams.compact;
    const askAt = async (height: number) => ask('compact', request.encode(builder.at(height).hash));
    const [frame, ...others] = await askAt(25);
    assert.ok(frame?.status === 0 && others.length === 0);
    const { header, prefilled } = response.decode(frame.payload);
    assert.equal(header.hash, builder.at(25).hash);
    assert.equal(prefilled.length, 1);
    assert.deepEqual(await askAt(24), [{ status: 3, payload: new Uint8Array(0) }]);
    const [unknown] = await ask('compact', request.encode(parseBlockHash('77'.repeat(32))));
    assert.equal(unknown?.status, 3);
  });

  it('waits for a compact form that it is asking for itself, and says when it does not get it', async () => {
    const next = builder.build({ transactions: [buildTx([builder.coin(2)], [pay(1n)])] });
    chain.submitHeaders([next.header]);
    const forms = new CompactForms({ random: seededRandom(1), prefills: true });
    const request = streams.compact.request.encode(next.hash);
    forms.expect(next.hash);
    const answer = ask('compact', request, { forms });
    const compact = buildCompactBlock(next, 5n);
    forms.received(compact);
    assert.deepEqual((await answer)[0]?.payload, streams.compact.response.encode(compact));
    forms.forget(next.hash);
    forms.expect(next.hash);
    const without = ask('compact', request, { forms });
    forms.ended(next.hash);
    assert.equal((await without)[0]?.status, 3);
  });

  it('refuses bytes that do not decode, and tells who sent them', async () => {
    const told: string[] = [];
    const frames = await ask('blocks', Uint8Array.of(0xff), {
      undecodable: (peer, detail) => told.push(`${peer} ${detail}`),
    });
    assert.deepEqual(
      frames.map((frame) => frame.status),
      [1],
    );
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /^peer blocks: /);
  });

  it('stops when nobody waits any more', async () => {
    const abort = new AbortController();
    const serve = serveWith({});
    const request = streams.blocks.request.encode([builder.at(1).hash, builder.at(2).hash, builder.at(3).hash]);
    let count = 0;
    for await (const _ of serve('blocks', 'peer', request, abort.signal)) {
      count++;
      abort.abort();
    }
    assert.equal(count, 1);
  });

  describe('once the upload target is used', () => {
    const WEEK_SECONDS = 7 * 24 * 3600;
    /** The blocks of the chain on both sides of the border, as seen from a best header so much later. */
    const seenFrom = (lateSeconds: number): Pick<ServeDeps, 'chain' | 'upload'> => {
      const best = chain.bestHeader();
      const header = Object.create(best.header, { time: { value: builder.at(10).block.header.time + lateSeconds } });
      const bestHeader = () => Object.create(best, { header: { value: header } });
      return {
        chain: { ...chain, bestHeader },
        upload: { servesHistoricalBlocks: false, serving: () => {} },
      };
    };
    const request = () => streams.blocks.request.encode([builder.at(10).hash, builder.at(9).hash, builder.at(11).hash]);

    it('serves blocks up to a week older than the best header, and is busy for older ones', async () => {
      const frames = await ask('blocks', request(), seenFrom(WEEK_SECONDS));
      assert.deepEqual(
        frames.map((frame) => frame.status),
        [0, 4],
        'nothing follows what was refused',
      );
      assert.deepEqual(frames[0]?.payload, builder.at(10).block.raw);
      const [frame] = await ask('blocks', request(), seenFrom(WEEK_SECONDS + 1));
      assert.equal(frame?.status, 4);
      assert.equal(frame?.payload.length, 0);
    });

    it('serves peers that the operator asked for', async () => {
      const frames = await ask('blocks', request(), {
        ...seenFrom(2 * WEEK_SECONDS),
        isManual: (peer) => peer === 'peer',
      });
      assert.deepEqual(
        frames.map((frame) => frame.status),
        [0, 0, 0],
      );
    });

    it('says of what it does not have that it does not have it', async () => {
      const unknown = streams.blocks.request.encode([parseBlockHash('77'.repeat(32))]);
      const [frame] = await ask('blocks', unknown, seenFrom(2 * WEEK_SECONDS));
      assert.equal(frame?.status, 3);
    });
  });

  it('counts what it serves', async () => {
    const counted: number[] = [];
    const upload = { servesHistoricalBlocks: true, serving: (bytes: number) => void counted.push(bytes) };
    await ask('blocks', streams.blocks.request.encode([builder.at(3).hash, builder.at(4).hash]), { upload });
    assert.deepEqual(counted, [builder.at(3).block.size, builder.at(4).block.size]);
  });
});
