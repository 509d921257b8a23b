import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Chain } from '#chain';
import type { ResponseFrame } from '#net';
import { parseBlockHash, type Txid, type Wtxid } from '#primitives';
import { type StreamName, streams } from '#protocol';
import { createServe, type ServeDeps } from '../../../src/node/serve.ts';
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

async function ask(name: StreamName, request: Uint8Array, deps: Partial<ServeDeps> = {}): Promise<ResponseFrame[]> {
  const serve = createServe({
    chain,
    mempool: { get: () => undefined },
    hello: () => undefined,
    undecodable: () => assert.fail('the request decodes'),
    ...deps,
  });
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
    const large = { ...tx, raw: new Uint8Array(400_000) };
    const refs = Array.from({ length: 12 }, () => ({ kind: 'wtxid', id: tx.wtxid }) as const);
    const get = (_id: Txid | Wtxid) => ({ tx: large }) as unknown as ReturnType<ServeDeps['mempool']['get']>;
    const frames = await ask('txs', streams.txs.request.encode(refs), { mempool: { get } });
    assert.equal(frames.length, 10, 'ten of 400,000 bytes fit into 4,000,000');
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
    const serve = createServe({
      chain,
      mempool: { get: () => undefined },
      hello: () => undefined,
      undecodable: () => {},
    });
    const request = streams.blocks.request.encode([builder.at(1).hash, builder.at(2).hash, builder.at(3).hash]);
    let count = 0;
    for await (const _ of serve('blocks', 'peer', request, abort.signal)) {
      count++;
      abort.abort();
    }
    assert.equal(count, 1);
  });
});
