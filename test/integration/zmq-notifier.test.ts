/** What a real node publishes, and in which order: blocks, reorganisations, the mempool. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NodeOptions, StarlingNode } from '#node';
import type { Block, Transaction } from '#primitives';
import { toHex } from '#util';
import { Notifier } from '../../src/zmq/notifier.ts';
import { Publisher, ZMQ_TOPICS } from '../../src/zmq/publisher.ts';
import { type BlockOptions, type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { createTestNodes } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay, type TestCoin } from '../support/tx-builder.ts';
import { readMessage, splitMessages, type ZmqMessage } from '../support/zmq-subscriber.ts';

const FEE = 10_000n;
const BASE_HEIGHT = 110;

type Scene = AsyncDisposable & {
  readonly node: StarlingNode;
  readonly builder: ChainBuilder;
  /** A block on a builder's tip, with a name for it and its coinbase. */
  readonly mine: (builder: ChainBuilder, name: string, options?: BlockOptions) => Block;
  /** A payment with a name. */
  readonly spend: (name: string, coin: TestCoin, fee?: bigint) => Transaction;
  readonly give: (...blocks: readonly Block[]) => Promise<void>;
  readonly send: (...txs: readonly Transaction[]) => Promise<void>;
  /**
   * What was published since the last time, in words: `rawtx NAME`, `A 7 NAME`. Fails the test where who follows `sequence`
   * would hold another mempool than the node does.
   */
  readonly published: () => string[];
};

/** Follows a node that has spendable coins. `ageSeconds`: of its tip. */
async function start(options: Partial<NodeOptions> = {}, ageSeconds = 3_600): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const nodes = stack.use(await createTestNodes(regtest()));
  const node = await nodes.start('zmq', { listen: [], ...options });
  const builder = createChainBuilder(regtest(), { seed: 9 });
  const first = Math.floor(Date.now() / 1000) - ageSeconds - BASE_HEIGHT;
  for (let at = 0; at < BASE_HEIGHT; at++) builder.mine({ time: first + at });
  for (const block of builder.blocks) await node.submitBlock(block.raw);
  const names = new Map<string, string>();
  const blocks = new Map<string, Block>();
  const heard: string[] = [];
  const followed = new Set<string>();
  const socket = {
    wants: () => true,
    send: (_topic: string, bytes: Buffer) => {
      for (const message of splitMessages(bytes).messages.map(readMessage)) {
        heard.push(inWords(message, names));
        if (message.topic === 'sequence') follow(message.body, followed, blocks);
      }
    },
  };
  const publishers = ZMQ_TOPICS.map((topic) => new Publisher(topic, socket));
  stack.use(new Notifier(node, publishers));
  const resources = stack.move();
  return {
    node,
    builder,
    mine: (on, name, blockOptions = {}) => {
      const block = on.mine({ time: on.view(on.height).time + 1, ...blockOptions });
      names.set(block.hash, name).set(toHex(block.raw), name);
      blocks.set(block.hash, block);
      const [coinbase] = block.transactions as [Transaction];
      names.set(coinbase.txid, `${name}.0`).set(toHex(coinbase.raw), `${name}.0`);
      return block;
    },
    spend: (name, coin, fee = FEE) => {
      const tx = buildTx([coin], [pay(coin.output.value - fee)]);
      names.set(tx.txid, name).set(toHex(tx.raw), name);
      return tx;
    },
    give: async (...blocks) => {
      for (const block of blocks) await node.submitBlock(block.raw);
    },
    send: async (...txs) => {
      for (const tx of txs) assert.equal((await node.submitTransaction(tx.raw)).kind, 'accepted');
    },
    published: () => {
      assert.deepEqual([...followed].sort(), Array.from(node.mempool.entries(), ({ txid }) => txid as string).sort());
      return heard.splice(0);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function inWords({ topic, body }: ZmqMessage, names: ReadonlyMap<string, string>): string {
  const nameOf = (bytes: Buffer): string => names.get(toHex(bytes)) ?? 'unknown';
  if (topic !== 'sequence') return `${topic} ${nameOf(body)}`;
  const label = body.toString('latin1', 32, 33);
  const number = body.length === 33 ? '' : ` ${body.readBigUInt64LE(33)}`;
  return `${label}${number} ${nameOf(body.subarray(0, 32))}`;
}

/** What a client makes of the events: what a block holds is in the mempool no more. */
function follow(body: Buffer, mempool: Set<string>, blocks: ReadonlyMap<string, Block>): void {
  const [hash, label] = [toHex(body.subarray(0, 32)), body.toString('latin1', 32, 33)];
  if (label === 'A') mempool.add(hash);
  if (label === 'R') assert.ok(mempool.delete(hash));
  if (label === 'C') for (const { txid } of blocks.get(hash)?.transactions ?? []) mempool.delete(txid);
}

const txs = (...names: readonly string[]): string[] => names.flatMap((name) => [`hashtx ${name}`, `rawtx ${name}`]);
const tip = (name: string): string[] => [`hashblock ${name}`, `rawblock ${name}`];

describe('the mempool', () => {
  it('publishes what enters and what leaves, numbered as getrawmempool says', async () => {
    await using scene = await start();
    const { builder, mine, node, published, send, spend } = scene;
    const [one, two] = [spend('one', builder.coin(1)), spend('two', builder.coin(2))];
    const child = spend('child', outputOf(two));
    assert.equal(node.mempool.sequence(), 1);
    await send(one, two, child);
    assert.deepEqual(published(), [...txs('one'), 'A 1 one', ...txs('two'), 'A 2 two', ...txs('child'), 'A 3 child']);
    const instead = spend('instead', builder.coin(1), 3n * FEE);
    await send(instead);
    assert.deepEqual(published(), ['R 4 one', ...txs('instead'), 'A 5 instead']);
    const rival = spend('rival', builder.coin(2), 2n * FEE);
    await scene.give(mine(builder, 'b', { transactions: [instead, rival] }));
    // Number 6 is that of the one that left with the block.
    assert.deepEqual(published(), [
      ...['R 7 two', 'R 8 child', ...txs('b.0', 'instead', 'rival')],
      ...['C b', ...tip('b')],
    ]);
    assert.equal(node.mempool.sequence(), 9);
  });

  it('tells who had to leave for a better one before that one', async () => {
    await using scene = await start({ mempool: { maxTxs: 2 } });
    const { builder, published, send, spend } = scene;
    const fees = [FEE, 2n * FEE, 3n * FEE];
    await send(...fees.map((fee, at) => spend(`${at}`, builder.coin(at + 1), fee)));
    assert.deepEqual(published().slice(-4), ['R 3 0', ...txs('2'), 'A 4 2']);
  });
});

describe('a reorganisation', () => {
  it('goes back, gives to the mempool, connects, and has one tip', async () => {
    await using scene = await start();
    const { builder, give, mine, published, send, spend } = scene;
    const branch = builder.fork(builder.height);
    const [back, both] = [spend('back', builder.coin(1)), spend('both', builder.coin(2))];
    await give(mine(builder, 'old', { transactions: [back, both] }));
    const waiting = spend('waiting', builder.coin(3));
    await send(waiting);
    published();
    await give(mine(branch, 'new1', { transactions: [both] }));
    assert.deepEqual(published(), [], 'less work, or no more: nothing has changed');
    const rival = spend('rival', builder.coin(3), 2n * FEE);
    await give(mine(branch, 'new2', { transactions: [rival] }));
    assert.deepEqual(published(), [
      ...[...txs('old.0', 'back', 'both'), 'D old'],
      ...['R 2 waiting', ...txs('back'), 'A 3 back'],
      ...[...txs('new1.0', 'both'), 'C new1', ...txs('new2.0', 'rival'), 'C new2'],
      ...tip('new2'),
    ]);
  });

  it('that fails has no tip, and tells the way there and back', async () => {
    await using scene = await start();
    const { builder, give, mine, published } = scene;
    const branch = builder.fork(builder.height);
    await give(mine(builder, 'old'));
    published();
    await give(mine(branch, 'new1'), mine(branch, 'bad', { coinbaseValue: 6_000_000_000n }));
    assert.deepEqual(published(), [
      ...[...txs('old.0'), 'D old', ...txs('new1.0'), 'C new1'],
      ...[...txs('new1.0'), 'D new1', ...txs('old.0'), 'C old'],
    ]);
    await give(mine(builder, 'next'));
    assert.deepEqual(published(), [...txs('next.0'), 'C next', ...tip('next')]);
  });

  it('of many blocks keeps that order too', async () => {
    await using scene = await start();
    const { builder, give, mine, published, spend } = scene;
    const branch = builder.fork(builder.height);
    const back = spend('back', builder.coin(1));
    for (let at = 0; at < 20; at++) await give(mine(builder, `old${at}`, { transactions: at === 3 ? [back] : [] }));
    published();
    for (let at = 0; at < 21; at++) await give(mine(branch, `new${at}`));
    const events = published().filter((text) => !/^(?:hashtx|rawtx)/.test(text));
    const down = Array.from({ length: 20 }, (_, at) => `D old${19 - at}`);
    assert.deepEqual(events.slice(0, 20), down);
    const up = events.filter((text) => text.startsWith('C '));
    assert.deepEqual(
      up,
      Array.from({ length: 21 }, (_, at) => `C new${at}`),
    );
    assert.ok(events.indexOf('A 2 back') < events.indexOf('C new5'), 'at most sixteen blocks wait for the mempool');
    assert.deepEqual(events.slice(-3), ['C new20', ...tip('new20')]);
    assert.equal(events.length, 20 + 1 + 21 + 2);
  });
});

describe('the operator', () => {
  it('leaves a block: where the chain stands then is no new tip, and what comes instead is', async () => {
    await using scene = await start();
    const { builder, give, mine, node, published, send, spend } = scene;
    const branch = builder.fork(builder.height);
    const tx = spend('tx', builder.coin(1));
    await send(tx);
    const block = mine(builder, 'left', { transactions: [tx] });
    await give(block, mine(builder, 'above'));
    published();
    await node.chain.invalidateBlock(block.hash);
    assert.deepEqual(published(), [
      ...[...txs('above.0'), 'D above', ...txs('left.0', 'tx'), 'D left'],
      ...[...txs('tx'), 'A 3 tx'],
    ]);
    await node.chain.reconsiderBlock(block.hash);
    assert.deepEqual(published(), [
      ...[...txs('left.0', 'tx'), 'C left', ...tip('left')],
      ...[...txs('above.0'), 'C above', ...tip('above')],
    ]);
    await give(mine(branch, 'other'));
    await node.chain.invalidateBlock(block.hash);
    assert.deepEqual(published().slice(-4), [...txs('other.0').slice(1), 'C other', ...tip('other')]);
  });

  it('leaves a tip below which another branch came first: on the way to that nothing is a tip', async () => {
    await using scene = await start();
    const { builder, give, mine, node, published } = scene;
    const branch = builder.fork(builder.height);
    await give(mine(branch, 'b1'), mine(branch, 'b2'));
    await give(mine(builder, 'a1'), mine(builder, 'a2'), mine(builder, 'a3'));
    published();
    await node.chain.invalidateBlock(builder.tip.hash);
    const blockEvents = published().filter((text) => !/^(?:hashtx|rawtx)/.test(text));
    assert.deepEqual(blockEvents, ['D a3', 'D a2', 'D a1', 'C b1', 'C b2', ...tip('b2')]);
  });

  it('prefers another block of the same work: that is a tip', async () => {
    await using scene = await start();
    const { builder, give, mine, node, published } = scene;
    const branch = builder.fork(builder.height);
    const other = mine(branch, 'other');
    await give(mine(builder, 'first'), other);
    published();
    await node.chain.preciousBlock(other.hash);
    assert.deepEqual(published(), [...txs('first.0'), 'D first', ...txs('other.0'), 'C other', ...tip('other')]);
  });
});

describe('blocks', () => {
  it('that come in the wrong order are each a tip', async () => {
    await using scene = await start();
    const { builder, mine, node, published } = scene;
    const blocks = ['1', '2', '3'].map((name) => mine(builder, name));
    node.mining.submitHeader((blocks[0] as Block).header);
    node.mining.submitHeader((blocks[1] as Block).header);
    for (const block of blocks.toReversed()) await node.submitBlock(block.raw);
    assert.deepEqual(
      published(),
      ['1', '2', '3'].flatMap((name) => [...txs(`${name}.0`), `C ${name}`, ...tip(name)]),
    );
  });

  it('of the first sync are no tips yet', async () => {
    await using scene = await start({}, 2 * 86_400);
    const { builder, give, mine, published } = scene;
    await give(mine(builder, 'old'));
    assert.deepEqual(published(), [...txs('old.0'), 'C old']);
    await give(mine(builder, 'young', { time: Math.floor(Date.now() / 1000) - 60 }));
    assert.deepEqual(published(), [...txs('young.0'), 'C young', ...tip('young')]);
    // Core's latch: once is enough.
    const again = builder.view(builder.height - 1).time + 1;
    await give(mine(builder, 'again', { time: again }));
    assert.deepEqual(published(), [...txs('again.0'), 'C again', ...tip('again')]);
  });
});

it('nothing is published of a node that is followed no more', async () => {
  await using scene = await start();
  const { builder, give, mine, node, send, spend } = scene;
  const publisher = new Publisher('rawtx', { wants: () => assert.fail('published'), send: () => {} });
  new Notifier(node, [publisher])[Symbol.dispose]();
  await send(spend('tx', builder.coin(1)));
  await give(mine(builder, 'b'));
});
