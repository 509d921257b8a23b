import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { Chain } from '#chain';
import type { NetworkParams } from '#consensus';
import { createMempool, type Mempool } from '#mempool';
import type { GossipVerdict } from '#net';
import { Block } from '#primitives';
import { bareHeader, buildCompactBlock, topics, txMessageFor } from '#protocol';
import { nullLogger, seededRandom } from '#util';
import { createInlineVerifier } from '#verify';
import type { FillDeps } from '../../../src/node/block-fill.ts';
import { CompactForms } from '../../../src/node/compact-forms.ts';
import type { PullDeps } from '../../../src/node/compact-pull.ts';
import { HedgePace } from '../../../src/node/hedge-pace.ts';
import { createIngest, type Ingest } from '../../../src/node/ingest.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const NOW_MS = 2_000_000_000_000;
const HOLD_MS = 123;
let params: NetworkParams;
let builder: ChainBuilder;
let chain: Chain;
let mempool: Mempool;
let ingest: Ingest;
let said: string[];
/** Who was the first to tell of a better block. */
let news: string[];
/** Who told of which block, and how bodies came. */
let told: string[];
let origins: string[];
let isSynced: boolean;
/** What peers answer to `blocktxn`; by default they do not have the block. */
let blockTxs: FillDeps['requestBlockTxs'];
/** What peers answer to `compact`; by default they do not have the block. */
let compactForm: PullDeps['requestCompact'];
let forms: CompactForms;
/** Who is connected. */
let others: readonly string[];
let clock: ManualClock;

before(async () => {
  params = await regtest();
});

beforeEach(async () => {
  builder = createChainBuilder(params);
  builder.mineMany(105);
  chain = await openTestChain(params);
  for (const block of builder.blocks) await chain.submitBlock(block);
  clock = createManualClock(NOW_MS);
  mempool = createMempool({ chain, verifier: createInlineVerifier(), clock, log: nullLogger });
  chain.observe({ changed: (change) => mempool.chainChanged(change) });
  said = [];
  news = [];
  told = [];
  origins = [];
  isSynced = true;
  blockTxs = async () => undefined;
  compactForm = async () => undefined;
  others = [];
  forms = new CompactForms({ random: seededRandom(1), prefills: true });
  ingest = createIngest({
    chain,
    mempool,
    sync: {
      headerAnnounced: (peer, what) => said.push(`announced ${peer} ${typeof what === 'string' ? what : what.hash}`),
      blockWanted: (hash, peers) => said.push(`wanted ${hash} ${peers.join()}`),
    },
    charge: (peer, offence) => said.push(`charge ${peer} ${offence}`),
    publish: async () => 0,
    announcer: { hold: () => HOLD_MS },
    requests: {
      transactions: () => assert.fail('nothing is to be asked for'),
    },
    forms,
    fill: {
      requestCompact: (peer, hash, signal) => {
        said.push(`pulled ${peer}`);
        return compactForm(peer, hash, signal);
      },
      requestBlockTxs: (peer, hash, indexes, signal) => {
        said.push(`asked ${peer} ${indexes.join()}`);
        return blockTxs(peer, hash, indexes, signal);
      },
      peers: () => others.map((id) => ({ id, isOutbound: false, hasBlock: false })),
      pace: new HedgePace(),
      clock,
      random: seededRandom(1),
    },
    isSynced: () => isSynced,
    clock,
    random: seededRandom(1),
    log: nullLogger,
    onNews: (peer) => news.push(peer),
    onTold: (peer, hash) => told.push(`${peer} ${hash}`),
    onOrigin: (_hash, origin) => origins.push(origin),
    onTaken: () => {},
    onBlockDelay: () => said.push('delay'),
    onFailure: (error) => assert.fail(String(error)),
    signal: new AbortController().signal,
  });
});

const bareMessage = (block: Block) => topics.block.codec.encode(bareHeader(block.header));
const blockMessage = (block: Block) => topics.block.codec.encode(buildCompactBlock(block, 7n));
/** A transaction that the mempool has not seen. */
const unknownTx = (height: number) => buildTx([builder.coin(height)], [pay(49_0000_0000n)]);
const mineUnknown = (count = 1) =>
  builder.mine({ transactions: Array.from({ length: count }, (_, i) => unknownTx(i + 1)) });
const gossipBlock = (data: Uint8Array) => ingest.message({ topic: 'block', data, from: 'peer' });
const gossipTx = (data: Uint8Array) => ingest.message({ topic: 'tx', data, from: 'peer' });
const settle = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve));
  await chain.idle();
  await new Promise((resolve) => setImmediate(resolve));
};

describe('ingest of blocks', () => {
  it('passes on a block on the tip and connects it with what the mempool holds', async () => {
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    assert.equal((await mempool.submit(tx, 'local')).kind, 'accepted');
    const block = builder.mine({ transactions: [tx] });
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'delay']);
    assert.deepEqual(news, ['peer']);
    assert.ok(ingest.wasAnnounced(block.hash));
    assert.equal(await gossipBlock(blockMessage(block)), 'ignore', 'known by now');
  });

  it('tells of each peer that told of a recent block, also after it is connected, and how the body came', async () => {
    const block = builder.mine();
    const data = blockMessage(block);
    await gossipBlock(data);
    await settle();
    assert.deepEqual(origins, ['rebuilt']);
    ingest.copy({ topic: 'block', data: data.subarray(0, 80), from: 'later' });
    assert.equal(await ingest.message({ topic: 'block', data: bareMessage(block), from: 'other-form' }), 'ignore');
    assert.deepEqual(
      told,
      ['peer', 'later', 'other-form'].map((peer) => `${peer} ${block.hash}`),
    );
  });

  it('tells of nobody who told of an old block, or of one that is not known', async () => {
    ingest.copy({ topic: 'block', data: builder.at(50).block.header.raw, from: 'peer' });
    ingest.copy({ topic: 'block', data: builder.mine().header.raw, from: 'peer' });
    ingest.copy({ topic: 'block', data: new Uint8Array(79), from: 'peer' });
    assert.deepEqual(told, []);
  });

  it('passes on a block whose transactions it lacks, and asks the announcer for them', async () => {
    const block = mineUnknown();
    blockTxs = async (_peer, _hash, indexes) => block.transactions.filter((_, index) => indexes.includes(index));
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'asked peer 1']);
    const rebuilt = await ingest.rebuilt(block.hash);
    assert.equal(rebuilt?.hash, block.hash, 'to be served before it is connected');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.equal(said.at(-1), 'delay');
    assert.deepEqual(ingest.rebuildStats(), { withoutRoundTrip: 0, withRoundTrip: 1, whole: 0 });
  });

  it('has the block fetched whole when nobody can give what is missing', async () => {
    const block = mineUnknown();
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'asked peer 1', `wanted ${block.hash} peer`]);
    assert.equal(await ingest.rebuilt(block.hash), undefined);
    assert.deepEqual(ingest.rebuildStats(), { withoutRoundTrip: 0, withRoundTrip: 0, whole: 1 });
  });

  it('has the block fetched whole at once when more than half is missing', async () => {
    const block = mineUnknown(2);
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    assert.deepEqual(said, [`announced peer ${block.hash}`, `wanted ${block.hash} peer`]);
  });

  it('passes on a bare header, asks the announcer for the compact form and rebuilds the block from it', async () => {
    const block = mineUnknown();
    compactForm = async () => buildCompactBlock(block, 5n);
    blockTxs = async (_peer, _hash, indexes) => block.transactions.filter((_, index) => indexes.includes(index));
    assert.equal(await gossipBlock(bareMessage(block)), 'accept');
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'pulled peer']);
    const form = await forms.of(block.hash);
    assert.deepEqual(
      form,
      topics.block.codec.encode(buildCompactBlock(block, 5n)),
      'as received, before it is rebuilt',
    );
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(said.slice(2), ['asked peer 1', 'delay']);
    const later = topics.block.codec.decode((await forms.of(block.hash)) ?? new Uint8Array(0));
    assert.equal(later.nonce, 5n);
    assert.deepEqual(
      later.prefilled.map(({ index }) => index),
      [0, 1],
      'with what had to be asked for',
    );
    assert.deepEqual(ingest.rebuildStats(), { withoutRoundTrip: 0, withRoundTrip: 1, whole: 0 });
  });

  it('asks once for a block, whoever announces its header again, and not for one that it would not store', async () => {
    const block = mineUnknown();
    compactForm = () => new Promise(() => {});
    for (const [nonce, from] of [
      [0n, 'a'],
      [1n, 'b'],
    ] as const) {
      const data = topics.block.codec.encode(bareHeader(block.header, nonce));
      assert.equal(await ingest.message({ topic: 'block', data, from }), nonce === 0n ? 'accept' : 'ignore');
    }
    await chain.submitBlock(block);
    const stale = builder.fork(103).build();
    assert.equal(await gossipBlock(bareMessage(stale)), 'accept');
    assert.deepEqual(
      said.filter((line) => line.startsWith('pulled')),
      ['pulled a'],
    );
  });

  it('has the block fetched whole when nobody gives the compact form, or not within two seconds', async () => {
    const [first, second] = [builder.build(), builder.build({ transactions: [unknownTx(1)] })];
    assert.equal(await gossipBlock(bareMessage(first)), 'accept');
    await clock.advance(0);
    assert.equal(said.at(-1), `wanted ${first.hash} peer`);
    compactForm = () => new Promise(() => {});
    assert.equal(await gossipBlock(bareMessage(second)), 'accept');
    const form = forms.of(second.hash);
    await clock.advance(1999);
    assert.equal(said.at(-1), 'pulled peer');
    await clock.advance(1);
    assert.equal(said.at(-1), `wanted ${second.hash} peer`);
    assert.equal(await form, undefined, 'and who asked for it hears so');
  });

  it('asks another peer for a form when the first is a lie, whether gossip brought it or a peer', async () => {
    const wrong = buildTx([builder.coin(2)], [pay(48_0000_0000n)]);
    assert.equal((await mempool.submit(wrong, 'local')).kind, 'accepted');
    const block = mineUnknown();
    const [coinbase] = block.transactions;
    assert.ok(coinbase);
    const lie = buildCompactBlock(Block.fromParts(block.header, [coinbase, wrong]), 7n);
    blockTxs = async (_peer, _hash, indexes) => block.transactions.filter((_, index) => indexes.includes(index));
    others = ['liar', 'honest'];
    compactForm = async (peer) => (peer === 'liar' ? lie : buildCompactBlock(block, 5n));
    assert.equal(await ingest.message({ topic: 'block', data: bareMessage(block), from: 'liar' }), 'accept');
    await settle();
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(said.slice(1), ['pulled liar', 'pulled honest', 'asked honest 1', 'delay']);
    assert.equal(topics.block.codec.decode((await forms.of(block.hash)) ?? new Uint8Array(0)).nonce, 5n);
  });

  it('goes on asking for the form while gossip brings another that may be a lie', async () => {
    const wrong = buildTx([builder.coin(3)], [pay(47_0000_0000n)]);
    const block = mineUnknown();
    const [coinbase] = block.transactions;
    assert.ok(coinbase);
    const lie = buildCompactBlock(Block.fromParts(block.header, [coinbase, wrong]), 7n);
    const { promise, resolve } = Promise.withResolvers<ReturnType<typeof buildCompactBlock>>();
    compactForm = () => promise;
    blockTxs = async (peer, _hash, indexes) =>
      peer === 'liar' ? new Promise(() => {}) : block.transactions.filter((_, index) => indexes.includes(index));
    others = ['honest', 'other'];
    assert.equal(await ingest.message({ topic: 'block', data: bareMessage(block), from: 'honest' }), 'accept');
    const data = topics.block.codec.encode(lie);
    assert.equal(await ingest.message({ topic: 'block', data, from: 'liar' }), 'ignore');
    resolve(buildCompactBlock(block, 5n));
    await settle();
    await clock.advance(500);
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(said.slice(1), [
      'pulled honest',
      `announced liar ${block.hash}`,
      'asked liar 1',
      'asked honest 1',
      'asked other 1',
      'delay',
    ]);
  });

  it('rebuilds from what the mempool refused as well', async () => {
    const free = buildTx([builder.coin(1)], [pay(50_0000_0000n)]);
    assert.equal(await gossipTx(topics.tx.codec.encode(txMessageFor(free, 0n))), 'ignore');
    assert.ok(!mempool.has(free.txid));
    const block = builder.mine({ transactions: [free] });
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(ingest.rebuildStats(), { withoutRoundTrip: 1, withRoundTrip: 0, whole: 0 });
  });

  it('rebuilds from what was replaced as well', async () => {
    const [old, replacement] = [49_0000_0000n, 48_0000_0000n].map((value) => buildTx([builder.coin(1)], [pay(value)]));
    assert.ok(old !== undefined && replacement !== undefined);
    for (const tx of [old, replacement]) assert.equal((await mempool.submit(tx, 'local')).kind, 'accepted');
    assert.ok(!mempool.has(old.txid));
    const block = builder.mine({ transactions: [old] });
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
    assert.deepEqual(ingest.rebuildStats(), { withoutRoundTrip: 1, withRoundTrip: 0, whole: 0 });
  });

  it('blames nobody for a short id that meets the wrong transaction, and has the block fetched whole', async () => {
    const wrong = buildTx([builder.coin(2)], [pay(48_0000_0000n)]);
    assert.equal((await mempool.submit(wrong, 'local')).kind, 'accepted');
    const block = mineUnknown();
    const [coinbase] = block.transactions;
    assert.ok(coinbase);
    const lie = Block.fromParts(block.header, [coinbase, wrong]);
    assert.equal(await gossipBlock(blockMessage(lie)), 'accept', 'the header is real');
    await settle();
    assert.deepEqual(said, [`announced peer ${block.hash}`, 'pulled peer', `wanted ${block.hash} peer`]);
    assert.ok(!chain.isInvalid(block.hash));
  });

  it('looks at three variants of an announcement, of different peers, and passes one on', async () => {
    const block = mineUnknown();
    blockTxs = () => new Promise(() => {});
    const variant = (nonce: bigint) => topics.block.codec.encode(buildCompactBlock(block, nonce));
    const verdicts: GossipVerdict[] = [];
    for (const [nonce, from] of [
      [1n, 'a'],
      [2n, 'a'],
      [3n, 'b'],
      [4n, 'c'],
      [5n, 'd'],
    ] as const) {
      verdicts.push(await ingest.message({ topic: 'block', data: variant(nonce), from }));
    }
    assert.deepEqual(verdicts, ['accept', 'ignore', 'ignore', 'ignore', 'ignore']);
    assert.deepEqual(
      said.filter((line) => line.startsWith('announced')),
      ['a', 'b', 'c'].map((from) => `announced ${from} ${block.hash}`),
    );
    const spoilt = variant(6n).subarray(0, -1);
    assert.equal(await ingest.message({ topic: 'block', data: spoilt, from: 'd' }), 'ignore', 'not even decoded');
    assert.ok(!said.some((line) => line.startsWith('charge')));
  });

  it('uses a later variant when the first was of no use', async () => {
    const block = mineUnknown(2);
    const [coinbase, ...others] = block.transactions;
    assert.ok(coinbase && others.length === 2);
    assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    assert.equal(said.at(-1), `wanted ${block.hash} peer`);
    const prefilled = block.transactions.map((tx, index) => ({ index, tx }));
    const full = { header: block.header, nonce: 1n, shortIds: new Uint8Array(0), prefilled };
    const data = topics.block.codec.encode(full);
    assert.equal(await ingest.message({ topic: 'block', data, from: 'b' }), 'ignore');
    await settle();
    assert.equal(chain.tip().hash, block.hash);
  });

  it('rebuilds eight blocks at once; the next is left to sync', async () => {
    blockTxs = () => new Promise(() => {});
    const rivals = Array.from({ length: 9 }, () => builder.build({ transactions: [unknownTx(1)] }));
    for (const block of rivals) assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    assert.equal(said.filter((line) => line.startsWith('asked')).length, 8);
    assert.equal(said.at(-1), `wanted ${rivals[8]?.hash} peer`);
    await clock.advance(2000);
    assert.equal(said.filter((line) => line.startsWith('wanted')).length, 9, 'after two seconds all are');
  });

  it('asks for the headers in between when the parent is unknown', async () => {
    const [, second] = builder.mineMany(2);
    assert.ok(second);
    assert.equal(await gossipBlock(blockMessage(second)), 'ignore');
    assert.deepEqual(said, [`announced peer ${second.hash}`]);
  });

  it('rejects headers without work or against the rules, and charges the sender', async () => {
    assert.equal(await gossipBlock(blockMessage(builder.build({ work: 'invalid' }))), 'reject');
    assert.equal(await gossipBlock(blockMessage(builder.build({ time: builder.view(90).time }))), 'reject');
    assert.deepEqual(said, ['charge peer invalid-pow', 'charge peer invalid-header']);
  });

  it('rejects bytes that do not decode, with and without a real header in front', async () => {
    assert.equal(await gossipBlock(new Uint8Array(10)), 'reject');
    const message = blockMessage(builder.build());
    assert.equal(await gossipBlock(message.subarray(0, -1)), 'reject');
    assert.deepEqual(said, ['charge peer undecodable-message', 'charge peer undecodable-message']);
  });

  it('are passed over when another peer sends the same while they are looked at', () => {
    for (const topic of ['block', 'tx'] as const) {
      for (const data of [new Uint8Array(0), Uint8Array.of(0, 1, 2), Uint8Array.of(9)]) {
        ingest.copy({ topic, data, from: 'other' });
      }
    }
    assert.deepEqual(said, []);
  });

  it('blames nobody for an announced block whose body proves invalid', async () => {
    const bad = builder.build({ coinbaseValue: 51_0000_0000n });
    assert.equal(await gossipBlock(blockMessage(bad)), 'accept');
    await settle();
    assert.ok(chain.isInvalid(bad.hash));
    assert.ok(!said.some((line) => line.startsWith('charge')));
    assert.ok(!said.some((line) => line.startsWith('wanted')), 'nobody is asked for it again');
  });

  it('does not pass on branches far below the tip', async () => {
    builder.mineMany(150);
    for (const block of builder.blocks.slice(105)) await chain.submitBlock(block);
    const stale = builder.fork(20).build();
    assert.equal(await gossipBlock(blockMessage(stale)), 'ignore');
    assert.ok(!said.some((line) => line.startsWith('wanted')));
  });

  it('stores no header of a chain far below the tip, and blames nobody for it', async () => {
    builder.mineMany(150);
    for (const block of builder.blocks.slice(105)) await chain.submitBlock(block);
    // The tip has height 255: the last one at which a branch may be is 111.
    const [below, within] = [builder.fork(109).build(), builder.fork(110).build()];
    assert.equal(await gossipBlock(blockMessage(below)), 'ignore');
    assert.equal(chain.getHeader(below.hash), undefined);
    assert.deepEqual(said, []);
    assert.equal(await gossipBlock(blockMessage(within)), 'accept');
    assert.ok(chain.getHeader(within.hash));
  });

  it('does not store a body that nobody asked for unless it has the work of the tip', async () => {
    const [less, equal] = [builder.fork(103).build(), builder.fork(104).build()];
    for (const block of [less, equal]) assert.equal(await gossipBlock(blockMessage(block)), 'accept');
    await settle();
    assert.deepEqual([chain.hasBlock(less.hash), chain.hasBlock(equal.hash)], [false, true]);
    assert.ok(!said.some((line) => line.startsWith('wanted')));
  });

  it('leaves the body to sync while the parent is missing and the first sync goes on', async () => {
    isSynced = false;
    const [parent, child] = builder.mineMany(2);
    assert.ok(parent && child);
    chain.submitHeaders([parent.header]);
    assert.equal(await gossipBlock(blockMessage(child)), 'ignore');
    assert.deepEqual(said, [`wanted ${child.hash} peer`]);
  });

  it('takes a block dated three hours ahead for neither valid nor an offence', async () => {
    const future = builder.build({ time: NOW_MS / 1000 + 3 * 3600 });
    assert.equal(await gossipBlock(blockMessage(future)), 'ignore');
    assert.deepEqual(said, []);
  });
});

describe('ingest of transactions', () => {
  it('passes on what the mempool takes, once', async () => {
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    const data = topics.tx.codec.encode(txMessageFor(tx, 100_000_000n));
    assert.deepEqual(await gossipTx(data), { acceptAfterMs: HOLD_MS });
    assert.equal(await gossipTx(data), 'ignore');
    assert.ok(mempool.has(tx.txid));
  });

  it('ignores policy and missing parents, rejects and charges what can never be valid', async () => {
    const free = buildTx([builder.coin(1)], [pay(50_0000_0000n)]);
    const orphan = buildTx([{ ...builder.coin(1), txid: new Uint8Array(32).fill(3) }], [pay(1_0000_0000n)]);
    const greedy = buildTx([builder.coin(2)], [pay(60_0000_0000n)]);
    for (const [tx, verdict] of [
      [free, 'ignore'],
      [orphan, 'ignore'],
      [greedy, 'reject'],
    ] as const) {
      assert.equal(await gossipTx(topics.tx.codec.encode(txMessageFor(tx, 0n))), verdict);
    }
    assert.deepEqual(said, ['charge peer invalid-transaction']);
  });

  it('ignores everything until the first sync has ended', async () => {
    isSynced = false;
    const tx = buildTx([builder.coin(1)], [pay(49_0000_0000n)]);
    assert.equal(await gossipTx(topics.tx.codec.encode(txMessageFor(tx, 1n))), 'ignore');
    assert.equal(mempool.stats().count, 0);
  });
});
