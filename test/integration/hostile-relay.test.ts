/** Floods of transactions against a real node: policy costs nobody anything, and everything stays bounded. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { topics } from '#protocol';
import { buildTx, outputOf, pay, rawTx, type TestCoin } from '../support/tx-builder.ts';
import { type Attacker, openScene, payment, type Scene, servingTxs } from './hostile-scene.ts';

const timeout = 300_000;
/** The orphanage's bound for orphans of up to nine inputs. */
const MAX_ORPHANS = 3_000;
/** Announcements of one peer that the tracker hears. */
const MAX_WANTED_OF_PEER = 5_000;
/** More than gossip's queue lets through at once would be dropped, and prove nothing. */
const BATCH = 200;

const { encode } = topics.tx.codec;

let scene: Scene;
before(async () => {
  scene = await openScene();
});
after(() => scene[Symbol.asyncDispose]());

let made = 0;
/** Spends an output of a transaction that nobody has; so small that many fit. */
function orphan(): Transaction {
  const txid = Buffer.alloc(32, 0xab);
  txid.writeUInt32LE(made++);
  return rawTx([{ coin: { txid, index: 0, output: pay(50_000n) } }], [pay(40_000n)]);
}

async function assertBlameless(attacker: Attacker): Promise<void> {
  assert.deepEqual(scene.chargesOf(attacker.id), []);
  const standing = await scene.standing(attacker.id);
  assert.ok(standing, 'still connected');
  assert.equal(standing.penaltyPoints, 0);
  assert.ok(standing.gossipScore >= 0, `gossip score ${standing.gossipScore}`);
}

/** Sends them all in batches, each judged before the next. */
async function flood(attacker: Attacker, txs: Iterable<Transaction>): Promise<void> {
  let sent = 0;
  for (const tx of txs) {
    await attacker.sendTx(tx);
    sent += 1;
    if (sent % BATCH === 0) await attacker.drained();
  }
  await attacker.drained();
}

const isPassedOn = (tx: Transaction): boolean => scene.passedOn.has(tx.wtxid);

describe('transactions that are no offence', { timeout }, () => {
  it('orphans: no more than the orphanage holds, and others get through', async () => {
    await using stack = new AsyncDisposableStack();
    const attackers: Attacker[] = [];
    for (let count = 0; count < 3; count++) attackers.push(stack.use(await scene.attacker()));
    let most = 0;
    for (let sent = 0; sent < MAX_ORPHANS + 3 * BATCH; sent += 3 * BATCH) {
      for (const attacker of attackers) await flood(attacker, Array.from({ length: BATCH }, orphan));
      const { orphans, wanted } = (await scene.victim.status()).txRelay;
      most = Math.max(most, orphans);
      assert.ok(orphans <= MAX_ORPHANS, `${orphans} orphans`);
      assert.ok(wanted <= attackers.length * MAX_WANTED_OF_PEER, `${wanted} parents wanted`);
    }
    assert.equal(most, MAX_ORPHANS, 'the flood was larger than the bound');
    await scene.honestGetThroughDuring(async () => {
      for (const attacker of attackers) for (let at = 0; at < 20; at++) await attacker.sendTx(orphan());
    });
    for (const attacker of attackers) await assertBlameless(attacker);
    await stack.disposeAsync();
    await scene.until(({ txRelay }) => txRelay.orphans === 0 && txRelay.wanted === 0);
  });

  it('what policy refuses: hundreds of it leave the standing of their forwarder as it was', async () => {
    await using forwarder = await scene.attacker();
    const { count } = (await scene.victim.status()).mempool;
    const coin = scene.coin();
    const kinds: readonly ((at: number) => Transaction)[] = [
      // Less than the least fee; dust; not final; an output script of no standard form.
      (at) => buildTx([coin], [pay(coin.output.value - BigInt(at % 100))], { lockTime: at }),
      (at) => buildTx([coin], [pay(50_000n), pay(BigInt(at % 500))]),
      (at) => buildTx([coin], [pay(50_000n)], { lockTime: 1_000_000 + at, sequence: 0 }),
      (at) => buildTx([coin], [pay(50_000n - BigInt(at), { kind: 'anyone' })]),
    ];
    const txs = Array.from({ length: 800 }, (_, at) => kinds[at % kinds.length]?.(at)).filter((tx) => tx !== undefined);
    await flood(forwarder, txs);
    await scene.honestGetThroughDuring(async (round) => {
      for (let at = 0; at < 20; at++) await forwarder.sendTx(buildTx([coin], [pay(1n)], { lockTime: 20 * round + at }));
    });
    await assertBlameless(forwarder);
    assert.equal(txs.filter(isPassedOn).length, 0);
    // What `flood` sent to know how far the node is.
    const { mempool } = await scene.victim.status();
    assert.ok(mempool.count <= count + Math.ceil(txs.length / BATCH) + 1, `${mempool.count} in the mempool`);
  });

  it('double spends: the first stays, what pays more replaces it, the rest goes nowhere', async () => {
    await using attacker = await scene.attacker();
    const coin = scene.coin();
    const spends = Array.from({ length: 400 }, (_, at) => buildTx([coin], [pay(90_000n)], { lockTime: at }));
    await flood(attacker, spends);
    assert.deepEqual(spends.map(isPassedOn), [true, ...spends.slice(1).map(() => false)]);
    const before = (await scene.victim.status()).mempool.count;
    const dearer = Array.from({ length: 60 }, (_, at) => payment(coin, 11_000n + 1_000n * BigInt(at)));
    for (const tx of dearer) await attacker.sendTx(tx);
    await attacker.drained();
    assert.equal((await scene.victim.status()).mempool.count, before + 1, 'and one to know how far the node is');
    assert.ok(dearer.every(isPassedOn));
    await assertBlameless(attacker);
  });

  it('large ones that are only announced: asked for, judged, and nobody is blamed', async () => {
    const coin = scene.coin();
    // Above what gossip carries whole: below the least fee, or heavier than is standard.
    const poor = Array.from({ length: 300 }, (_, at) => large(coin, 200, BigInt(at)));
    const heavy = large(coin, 3_000, 0n);
    assert.ok(heavy.weight > 400_000);
    const txs = [...poor, heavy];
    const served: string[] = [];
    await using attacker = await scene.attacker(servingTxs(txs, served));
    // What an entry claims is not believed.
    for (const { wtxid } of txs)
      await attacker.send('tx', encode({ kind: 'entry', wtxid, vsize: 2_000, fee: 50_000n }));
    await scene.until(() => new Set(served).size === txs.length);
    await attacker.drained();
    assert.equal(served.length, txs.length, 'nothing is fetched twice');
    assert.equal(txs.filter(isPassedOn).length, 0);
    await assertBlameless(attacker);
  });

  it('announcements of nothing: asked for and forgotten', async () => {
    await using attacker = await scene.attacker();
    await scene.honestGetThroughDuring(async () => {
      for (let at = 0; at < 20; at++) await attacker.sendTx(orphan(), 'entry');
    });
    assert.deepEqual(scene.chargesOf(attacker.id), []);
    await scene.until(({ txRelay }) => txRelay.wanted === 0);
    await assertBlameless(attacker);
  });

  it('packages that pay too little: no pair costs its sender anything', async () => {
    await using attacker = await scene.attacker();
    const coins = Array.from({ length: 60 }, () => scene.coin());
    const pairs = coins.map((coin) => {
      const parent = buildTx([coin], [pay(coin.output.value)], { version: 3 });
      return { parent, child: buildTx([outputOf(parent)], [pay(coin.output.value - 100n)], { version: 3 }) };
    });
    for (const { parent, child } of pairs) for (const tx of [child, parent]) await attacker.sendTx(tx);
    await attacker.drained();
    await scene.until(({ txRelay }) => txRelay.orphans === 0);
    assert.ok(!pairs.some(({ parent, child }) => isPassedOn(parent) || isPassedOn(child)));
    const [last] = pairs;
    assert.ok(last);
    const rich = buildTx([outputOf(last.parent)], [pay(50_000n)], { version: 3 });
    await using friend = await scene.attacker(servingTxs([last.parent]));
    await friend.sendTx(rich);
    await scene.until(() => isPassedOn(rich) && isPassedOn(last.parent));
    await assertBlameless(attacker);
  });

  it('all of it at once: honest transactions and blocks get through', async () => {
    await using stack = new AsyncDisposableStack();
    const coin = scene.coin();
    const floods: readonly ((at: number) => Transaction)[] = [
      orphan,
      (at) => buildTx([coin], [pay(coin.output.value - BigInt(at % 100))], { lockTime: at }),
      (at) => buildTx([coin], [pay(90_000n)], { lockTime: at }),
      (at) => payment(coin, 20_000n + 1_000n * BigInt(at % 70)),
    ];
    const attackers: Attacker[] = [];
    for (const _ of floods) attackers.push(stack.use(await scene.attacker()));
    for (let block = 0; block < 3; block++) {
      await scene.honestGetThroughDuring(async (round) => {
        for (let at = 0; at < 10; at++) {
          for (const [by, make] of floods.entries()) await attackers[by]?.sendTx(make(1_000 * block + 10 * round + at));
        }
      });
    }
    for (const attacker of attackers) await assertBlameless(attacker);
  });
});

function large(coin: TestCoin, outputs: number, fee: bigint): Transaction {
  const value = (coin.output.value - fee) / BigInt(outputs);
  const paid = Array.from({ length: outputs }, () => pay(value));
  // What does not divide, so that the fee is exact.
  return buildTx([coin], [...paid.slice(1), pay(coin.output.value - fee - value * BigInt(outputs - 1))]);
}
