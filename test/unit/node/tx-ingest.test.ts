import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { Chain } from '#chain';
import type { NetworkParams } from '#consensus';
import { createMempool, type Mempool } from '#mempool';
import type { GossipVerdict } from '#net';
import type { Transaction } from '#primitives';
import { topics, txMessageFor } from '#protocol';
import { nullLogger, seededRandom } from '#util';
import { createInlineVerifier } from '#verify';
import { TxIngest } from '../../../src/node/tx-ingest.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { openTestChain } from '../../support/test-chain.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';

const COIN = 1_0000_0000n;
const HOLD_MS = 8_000;

let params: NetworkParams;
let builder: ChainBuilder;
let chain: Chain;
let mempool: Mempool;
let clock: ManualClock;
let ingest: TxIngest;
let stopping: AbortController;
/** What peers serve by txid and wtxid; `undefined` for a request that fails. */
let served: Map<string, readonly Transaction[] | undefined>;
/** Requests and charges. */
let said: string[];
/** Who brought what was taken. */
let taken: string[];
/** Peers do not answer. */
let silent: Set<string>;
let published: string[];
/** What gossip has seen: it sends none of it again. */
let seen: Set<string>;

before(async () => {
  params = await regtest();
});

beforeEach(async () => {
  builder = createChainBuilder(params);
  builder.mineMany(110);
  chain = await openTestChain(params);
  for (const block of builder.blocks) await chain.submitBlock(block);
  let deciding = 0;
  const settle = async (): Promise<void> => {
    while (deciding > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  clock = createManualClock(2_000_000_000_000, { settle });
  mempool = createMempool({ chain, verifier: createInlineVerifier(), clock, log: nullLogger });
  const settled = <T>(decision: Promise<T>): Promise<T> => {
    deciding += 1;
    return decision.finally(() => {
      deciding -= 1;
    });
  };
  stopping = new AbortController();
  silent = new Set();
  [served, said, taken, published, seen] = [new Map(), [], [], [], new Set()];
  ingest = new TxIngest({
    mempool: {
      has: mempool.has,
      submit: (tx, origin) => settled(mempool.submit(tx, origin)),
      submitPackage: (parent, child, origin) => settled(mempool.submitPackage(parent, child, origin)),
    },
    announcer: { hold: () => 0 },
    charge: (peer, offence) => said.push(`charge ${peer} ${offence}`),
    publish: async (_, data) => {
      const { kind } = topics.tx.codec.decode(data);
      const text = Buffer.from(data).toString('hex');
      if (seen.has(text)) return 0;
      seen.add(text);
      published.push(kind);
      return 1;
    },
    requests: {
      transactions: async function* (peer, refs) {
        said.push(`ask ${peer} ${refs.map((ref) => ref.kind).join()}`);
        if (silent.has(peer)) await new Promise(() => {});
        for (const ref of refs) {
          const available = served.get(peer);
          if (available === undefined) throw new Error('the peer is gone');
          yield { ref, tx: available.find((tx) => ref.id === (ref.kind === 'txid' ? tx.txid : tx.wtxid)) };
        }
      },
    },
    isSynced: () => true,
    onTaken: (peer) => taken.push(peer),
    clock,
    random: seededRandom(1),
    log: nullLogger,
    signal: stopping.signal,
  });
  chain.observe({
    changed: async (change) => {
      await mempool.chainChanged(change);
      ingest.chainChanged(change);
    },
  });
  connect('out', 'outbound');
  connect('in', 'inbound');
});

function connect(id: string, direction: 'inbound' | 'outbound'): void {
  ingest.peerConnected({ id, direction, isManual: false });
  served.set(id, []);
}

/** Two generations; the parent has outputs for more. */
function family(height: number): { parent: Transaction; child: Transaction } {
  const parent = buildTx([builder.coin(height)], [pay(20n * COIN), pay(20n * COIN)]);
  return { parent, child: buildTx([outputOf(parent)], [pay(19n * COIN)]) };
}

/** Above what gossip carries whole. */
const large = (height: number): Transaction =>
  buildTx(
    [builder.coin(height)],
    Array.from({ length: 200 }, () => pay(1_000_000n)),
  );

/** A message as its sender's gossip has it: from now on seen here too. */
function gossip(tx: Transaction, from = 'out', fee = 0n): { verdict: () => GossipVerdict | undefined } {
  const message = txMessageFor(tx, fee);
  seen.add(Buffer.from(topics.tx.codec.encode(message)).toString('hex'));
  let verdict: GossipVerdict | undefined;
  void ingest.announced(message, from).then((result) => {
    verdict = result;
  });
  return { verdict: () => verdict };
}

describe('large transactions', () => {
  it('are fetched from whoever announced them, and passed on when they are good', async () => {
    const tx = large(1);
    served.set('out', [tx]);
    const message = gossip(tx);
    await clock.advance(0);
    assert.deepEqual([message.verdict(), mempool.has(tx.txid), said], ['accept', true, ['ask out wtxid']]);
    assert.deepEqual(taken, ['out']);
    assert.deepEqual(published, [], 'gossip itself passes it on');
  });

  it('are fetched after two seconds from the next who sent the same, if a peer that came to us is silent', async () => {
    const tx = large(1);
    silent.add('in');
    served.set('out', [tx]);
    const message = gossip(tx, 'in');
    await clock.advance(0);
    ingest.copied(txMessageFor(tx, 0n), 'out');
    await clock.advance(1_999);
    assert.deepEqual([message.verdict(), said], [undefined, ['ask in wtxid']]);
    await clock.advance(1);
    assert.deepEqual([message.verdict(), said], ['accept', ['ask in wtxid', 'ask out wtxid']]);
    ingest.copied(txMessageFor(tx, 0n), 'in');
    await clock.advance(60_000);
    assert.equal(said.length, 2, 'a copy of what is there asks nobody');
  });

  it('are ignored at once when nobody has them', async () => {
    const message = gossip(large(1));
    await clock.advance(0);
    assert.equal(message.verdict(), 'ignore');
    assert.deepEqual(said, ['ask out wtxid']);
  });

  it('are fetched from the next who announced them, and announced to others if the first was too slow', async () => {
    const tx = large(1);
    served.set('out', undefined);
    served.set('in', [tx]);
    const [first, second] = [gossip(tx, 'out', 1n), gossip(tx, 'in', 2n)];
    await clock.advance(2_000);
    assert.deepEqual(said, ['ask out wtxid', 'ask in wtxid']);
    assert.deepEqual([first.verdict(), second.verdict()], ['accept', 'ignore']);
    assert.ok(mempool.has(tx.wtxid));
  });

  it('are fetched from who sends the same after the first one has gone', async () => {
    const tx = large(1);
    served.set('out', undefined);
    served.set('in', [tx]);
    const message = gossip(tx, 'out');
    await clock.advance(0);
    ingest.peerDisconnected('out');
    assert.equal(message.verdict(), 'ignore');
    ingest.copied(txMessageFor(tx, 0n), 'in');
    await clock.advance(0);
    assert.ok(mempool.has(tx.wtxid));
    assert.equal(published.length, 1, 'gossip is no longer waiting for a verdict');
  });

  it('are asked for in one request when they come together', async () => {
    const txs = [large(1), large(2), large(3)];
    served.set('in', txs);
    const messages = txs.map((tx) => gossip(tx, 'in'));
    await clock.advance(0);
    assert.deepEqual(said, ['ask in wtxid,wtxid,wtxid']);
    assert.ok(messages.every((message) => message.verdict() === 'accept'));
  });

  it('that break a rule are rejected and charged to who served them', async () => {
    const tx = buildTx(
      [builder.coin(1)],
      Array.from({ length: 200 }, () => pay(COIN)),
    );
    served.set('out', [tx]);
    const message = gossip(tx);
    await clock.advance(0);
    assert.equal(message.verdict(), 'reject');
    assert.deepEqual(said, ['ask out wtxid', 'charge out invalid-transaction']);
    assert.deepEqual(taken, []);
  });

  it('that policy refuses cost nobody anything, and are not fetched twice', async () => {
    const tx = buildTx(
      [builder.coin(1)],
      Array.from({ length: 200 }, () => pay(COIN / 4n)),
    );
    served.set('out', [tx]);
    const first = gossip(tx, 'out', 1n);
    await clock.advance(0);
    const second = gossip(tx, 'in', 2n);
    await clock.advance(10_000);
    assert.deepEqual([first.verdict(), second.verdict(), said], ['ignore', 'ignore', ['ask out wtxid']]);
  });

  it('hold up at most 64 messages of a peer, 480 of all', async () => {
    const strange = (at: number): Transaction =>
      buildTx(
        [builder.coin(1)],
        Array.from({ length: 200 }, () => pay(BigInt(at))),
      );
    const held = (messages: readonly ReturnType<typeof gossip>[]): number =>
      messages.filter((message) => message.verdict() === undefined).length;
    silent.add('in');
    const ofOne = Array.from({ length: 65 }, (_, at) => gossip(strange(at), 'in'));
    await clock.advance(0);
    assert.equal(held(ofOne), 64);
    const ofAll = Array.from({ length: 480 }, (_, at) => {
      const peer = `slow${at % 8}`;
      connect(peer, 'inbound');
      silent.add(peer);
      return gossip(strange(100 + at), peer);
    });
    await clock.advance(0);
    assert.equal(held([...ofOne, ...ofAll]), 480);
    await clock.advance(HOLD_MS);
    assert.equal(held([...ofOne, ...ofAll]), 0, 'time is over');
  });

  it('hold up a message for eight seconds at most', async () => {
    silent.add('out');
    const message = gossip(large(1));
    await clock.advance(HOLD_MS - 1);
    assert.deepEqual([message.verdict(), said], [undefined, ['ask out wtxid']]);
    await clock.advance(1);
    assert.equal(message.verdict(), 'ignore');
  });
});

describe('an entry', () => {
  it('of a transaction that comes whole meanwhile has its verdict', async () => {
    const { parent } = family(1);
    let verdict: GossipVerdict | undefined;
    silent.add('in');
    void ingest.announced(txMessageFor(parent, 1n, 'entry'), 'in').then((result) => {
      verdict = result;
    });
    const message = gossip(parent);
    await clock.advance(0);
    assert.deepEqual([message.verdict(), verdict], ['accept', 'accept']);
    await clock.advance(10_000);
    assert.deepEqual(said, [], 'nothing is asked for any more');
  });
});

describe('a child before its parent', () => {
  it('gets in with the parent, which is fetched, and both are passed on', async () => {
    const { parent, child } = family(1);
    served.set('out', [parent, child]);
    const message = gossip(child);
    await clock.advance(1_999);
    assert.deepEqual([message.verdict(), said], [undefined, []], 'the parent may come by itself');
    await clock.advance(1);
    assert.deepEqual(said, ['ask out txid']);
    assert.ok(mempool.has(parent.txid) && mempool.has(child.txid));
    assert.equal(message.verdict(), 'accept');
    assert.deepEqual(published, ['whole'], 'the parent, which gossip did not bring');
  });

  it('gets in when gossip brings the parent', async () => {
    const { parent, child } = family(1);
    const messages = [gossip(child), gossip(parent, 'in')];
    await clock.advance(10);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['accept', 'accept'],
    );
    await clock.advance(10_000);
    assert.deepEqual([said, published], [[], []], 'nothing is asked or said twice');
  });

  it('gets in with all its generations', async () => {
    const { parent, child } = family(1);
    const grandchild = buildTx([outputOf(child)], [pay(18n * COIN)]);
    served.set('out', [parent, child, grandchild]);
    const message = gossip(grandchild);
    await clock.advance(4_000);
    assert.equal(mempool.stats().count, 3);
    assert.equal(message.verdict(), 'accept');
    assert.deepEqual(said, ['ask out txid', 'ask out txid']);
  });

  it('is announced anew when its own message has been given up', async () => {
    const { parent, child } = family(1);
    const message = gossip(child);
    await clock.advance(HOLD_MS - 1);
    assert.equal(message.verdict(), undefined);
    await clock.advance(1);
    assert.equal(message.verdict(), 'ignore');
    gossip(parent, 'in');
    await clock.advance(0);
    assert.ok(mempool.has(child.txid));
    assert.deepEqual(published, ['entry'], 'gossip would not send the whole one again');
  });

  it('gets its parents from another peer that has it', async () => {
    const { parent, child } = family(1);
    gossip(child, 'out');
    await clock.advance(2_000);
    assert.deepEqual(said, ['ask out txid'], 'in vain');
    served.set('in', [parent]);
    void ingest.announced(txMessageFor(child, 1n, 'entry'), 'in');
    await clock.advance(4_000);
    assert.deepEqual(said, ['ask out txid', 'ask in txid']);
    assert.ok(mempool.has(child.txid));
  });

  it('gets in when a block brings the parent', async () => {
    const { parent, child } = family(1);
    gossip(child);
    await clock.advance(0);
    await chain.submitBlock(builder.mine({ transactions: [parent] }));
    await clock.advance(0);
    assert.ok(mempool.has(child.txid));
  });

  it('costs its sender nothing, with or without the parent', async () => {
    const poor = buildTx([builder.coin(1)], [pay(50n * COIN)]);
    const child = buildTx([outputOf(poor)], [pay(49n * COIN)]);
    served.set('out', [poor]);
    const messages = [gossip(child), gossip(family(2).child)];
    await clock.advance(HOLD_MS);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['ignore', 'ignore'],
    );
    assert.ok(said.every((line) => line.startsWith('ask')));
  });

  it('is charged to who sent it if it proves invalid with all its inputs known', async () => {
    const { parent } = family(1);
    const greedy = buildTx([outputOf(parent)], [pay(21n * COIN)]);
    const message = gossip(greedy, 'in');
    await clock.advance(0);
    gossip(parent, 'out');
    await clock.advance(0);
    assert.equal(message.verdict(), 'reject');
    assert.deepEqual(said, ['charge in invalid-transaction']);
  });

  it('survives a flood of orphans from another peer', async () => {
    const { parent, child } = family(1);
    gossip(child, 'out');
    for (let at = 0; at < 3_100; at++) {
      const coin = { ...builder.coin(2), txid: Buffer.alloc(32, 7) };
      coin.txid.writeUInt32LE(at);
      gossip(buildTx([{ coin, lock: { kind: 'anyone' } }], [pay(1n)]), 'in');
      if (at % 50 === 0) await clock.advance(0);
    }
    await clock.advance(0);
    gossip(parent, 'out');
    await clock.advance(0);
    assert.ok(mempool.has(child.txid));
  });
});

describe('a parent that pays too little', () => {
  /** Nothing, and what pays for both; version 3, so that it is the child's to pay (BIP431). */
  function poorFamily(height: number): { parent: Transaction; child: Transaction } {
    const parent = buildTx([builder.coin(height)], [pay(50n * COIN)], { version: 3 });
    return { parent, child: buildTx([outputOf(parent)], [pay(49n * COIN)], { version: 3 }) };
  }

  it('gets in with the child that waits for it, and gossip passes both on', async () => {
    const { parent, child } = poorFamily(1);
    const messages = [gossip(child), gossip(parent)];
    await clock.advance(0);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['accept', 'accept'],
    );
    await clock.advance(10_000);
    assert.deepEqual([mempool.stats().count, said, published], [2, [], []], 'nothing is asked or said twice');
  });

  it('is fetched again for a child that comes later, and both are passed on', async () => {
    const { parent, child } = poorFamily(1);
    served.set('in', [parent]);
    const first = gossip(parent);
    await clock.advance(0);
    assert.equal(first.verdict(), 'ignore');
    const second = gossip(child, 'in');
    await clock.advance(4_000);
    assert.deepEqual([said, mempool.stats().count], [['ask in txid'], 2]);
    assert.equal(second.verdict(), 'accept');
    assert.deepEqual(published, ['entry'], 'gossip has seen the parent, and would not send it again');
  });

  it('gets in though another peer brings it than its child', async () => {
    const { parent, child } = poorFamily(1);
    const messages = [gossip(child, 'in'), gossip(parent, 'out')];
    await clock.advance(0);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['accept', 'accept'],
    );
  });

  it('costs nobody anything when the child does not pay enough either', async () => {
    const { parent } = poorFamily(1);
    const child = buildTx([outputOf(parent)], [pay(50n * COIN - 100n)], { version: 3 });
    const messages = [gossip(child), gossip(parent)];
    await clock.advance(10_000);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['ignore', 'ignore'],
    );
    assert.deepEqual([said, published, mempool.stats().count], [[], [], 0]);
  });

  it('with a child that can never be valid is charged to who sent the child', async () => {
    const { parent } = poorFamily(1);
    const greedy = buildTx([outputOf(parent)], [pay(51n * COIN)], { version: 3 });
    const messages = [gossip(greedy, 'in'), gossip(parent, 'out')];
    await clock.advance(0);
    assert.deepEqual(
      messages.map((message) => message.verdict()),
      ['reject', 'ignore'],
    );
    assert.deepEqual(said, ['charge in invalid-transaction']);
  });
});

describe('the end', () => {
  it('of a peer ends its requests and orphans', async () => {
    gossip(family(1).child, 'in');
    gossip(large(2), 'in');
    await clock.advance(0);
    ingest.peerDisconnected('in');
    await clock.advance(HOLD_MS);
    assert.deepEqual([said, clock.pending()], [['ask in wtxid'], 0]);
  });

  it('of the node lets no message and no timer wait', async () => {
    const message = gossip(large(1), 'in');
    await clock.advance(0);
    stopping.abort();
    ingest.close();
    await clock.advance(0);
    assert.deepEqual([message.verdict(), clock.pending()], ['ignore', 0]);
  });
});
