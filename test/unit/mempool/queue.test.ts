import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMempool } from '#mempool';
import type { Transaction } from '#primitives';
import { nullLogger } from '#util';
import type { ScriptVerifier } from '#verify';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';
import { codeOf, createHarness, type Harness } from './harness.ts';

const REWARD = 5_000_000_000n;

const payAway = (h: Harness, height: number, fee: bigint): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);

/** A verifier that works only after `open` was called; `entered` resolves at its first job. */
function gate(): {
  readonly wrap: (verifier: ScriptVerifier) => ScriptVerifier;
  readonly entered: Promise<void>;
  readonly open: () => void;
} {
  const entered = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  return {
    wrap: (verifier) => ({
      ...verifier,
      verify: async (jobs, options) => {
        entered.resolve();
        const aborted = new Promise<never>((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason), { once: true });
        });
        await Promise.race([opened.promise, aborted]);
        return verifier.verify(jobs, options);
      },
    }),
    entered: entered.promise,
    open: opened.resolve,
  };
}

describe('submissions at the same time', () => {
  it('let one of two conflicting transactions in', async () => {
    await using h = await createHarness();
    const [first, second] = [payAway(h, 1, 10_000n), payAway(h, 1, 10_001n)];
    const verdicts = await Promise.all([h.mempool.submit(first, 'a'), h.mempool.submit(second, 'b')]);
    assert.deepEqual(verdicts.map(codeOf), ['accepted', 'insufficient fee']);
    assert.deepEqual(h.txids(), [first.txid]);
  });

  it('let a child follow its parent', async () => {
    await using h = await createHarness();
    const parent = payAway(h, 1, 10_000n);
    const child = buildTx([outputOf(parent)], [pay(REWARD - 20_000n)]);
    const verdicts = await Promise.all([h.mempool.submit(parent, 'a'), h.mempool.submit(child, 'a')]);
    assert.deepEqual(verdicts.map(codeOf), ['accepted', 'accepted']);
  });

  it('see a copy as a duplicate', async () => {
    await using h = await createHarness();
    const tx = payAway(h, 1, 10_000n);
    const verdicts = await Promise.all(['a', 'b', 'c'].map((peer) => h.mempool.submit(tx, peer)));
    assert.deepEqual(verdicts.map(codeOf), ['accepted', 'txn-already-in-mempool', 'txn-already-in-mempool']);
  });

  it('are checked again when a block came in while scripts ran', async () => {
    const { wrap, entered, open } = gate();
    await using h = await createHarness({ wrapVerifier: wrap });
    const late = h.mempool.submit(payAway(h, 1, 10_000n), 'a');
    await entered;
    const rival = payAway(h, 1, 20_000n);
    await h.connect(h.builder.mine({ transactions: [rival] }));
    open();
    assert.equal((await late).kind, 'missing-inputs');
    assert.equal(h.mempool.stats().count, 0);
  });
});

describe('while the newest block is worked on', () => {
  it('nothing is decided, and what waits is judged by the new tip', async () => {
    await using h = await createHarness();
    const rival = payAway(h, 1, 20_000n);
    const block = h.builder.mine({ transactions: [rival] });
    const order: string[] = [];
    const connected = h.chain.submitBlock(block).then(() => order.push('block'));
    const [late, other] = [payAway(h, 1, 10_000n), payAway(h, 2, 10_000n)];
    const verdicts = [late, other].map(async (tx) => {
      const code = codeOf(await h.mempool.submit(tx, 'a'));
      order.push(code);
    });
    await Promise.all([connected, ...verdicts]);
    assert.deepEqual(order, ['block', 'missing-inputs', 'accepted']);
  });

  it('a mempool that is closed does not wait for it', async () => {
    const slow = Promise.withResolvers<void>();
    await using h = await createHarness();
    const mempool = createMempool(
      {
        chain: { ...h.chain, newestDecided: () => slow.promise },
        verifier: h.verifier,
        clock: h.clock,
        log: nullLogger,
      },
      {},
    );
    const verdict = mempool.submit(payAway(h, 1, 10_000n), 'a');
    await mempool[Symbol.asyncDispose]();
    assert.equal((await verdict).kind, 'unavailable');
  });

  it('what is no news does not hold up anybody, nor one that is refused', async () => {
    await using h = await createHarness();
    const old = h.builder.blocks[50];
    const fork = h.builder.fork(h.builder.tip.height - 1).mine({ time: h.builder.tip.block.header.time + 60 });
    assert.ok(old);
    // An old one and a rival of the tip: neither would be the tip.
    h.chain.submitHeaders([fork.header]);
    const still = Promise.all([h.chain.submitBlock(old), h.chain.submitBlock(fork)]);
    assert.equal(h.chain.newestDecided(), undefined);
    await still;
    const bad = h.builder.fork(h.builder.tip.height).mine({ transactions: [payAway(h, 1, -1n)] });
    const verdict = h.chain.submitBlock(bad);
    assert.equal(codeOf(await h.mempool.submit(payAway(h, 1, 10_000n), 'a')), 'accepted');
    assert.equal((await verdict).kind, 'invalid');
  });
});

describe('scripts', () => {
  it('that failed once are not run again for whoever repeats them', async () => {
    let runs = 0;
    const counting = (verifier: ScriptVerifier): ScriptVerifier => ({
      ...verifier,
      verify: (jobs, signal) => {
        runs++;
        return verifier.verify(jobs, signal);
      },
    });
    await using h = await createHarness({ wrapVerifier: counting, maxTxs: 1 });
    const wrong = buildTx(
      [{ coin: h.builder.coin(1), lock: { kind: 'p2pkh', key: testKey(1) } }],
      [pay(REWARD - 10_000n)],
    );
    const first = await h.mempool.submit(wrong, 'a');
    assert.equal(first.kind, 'consensus');
    assert.ok(runs > 0);
    runs = 0;
    assert.deepEqual(await h.mempool.submit(wrong, 'b'), first);
    assert.equal(runs, 0);
    // Neither are those that passed, left for a better one, and come back.
    const [poor, rich] = [payAway(h, 2, 10_000n), payAway(h, 3, 20_000n)];
    assert.equal(await h.submit(poor), 'accepted');
    assert.equal(await h.submit(rich), 'accepted');
    await h.connect(h.builder.mine({ transactions: [rich] }));
    // Until the minimum fee that the eviction left has gone.
    await h.clock.advance(48 * 3_600_000);
    runs = 0;
    assert.equal(await h.submit(poor), 'accepted');
    assert.equal(runs, 0);
  });
});

describe('what waits', () => {
  it('is bounded for each peer and in all, the newest refused; the own user waits apart', async () => {
    const { wrap, entered, open } = gate();
    await using h = await createHarness({ wrapVerifier: wrap, maxPending: 4, maxPendingPerOrigin: 2 });
    const txs = Array.from({ length: 8 }, (_, at) => payAway(h, at + 1, 10_000n));
    const origins = ['a', 'a', 'a', 'b', 'b', 'c', 'local', 'local'];
    const verdicts = txs.map((tx, at) => h.mempool.submit(tx, origins[at] ?? ''));
    await entered;
    open();
    const busy = 'too many transactions wait';
    assert.deepEqual((await Promise.all(verdicts)).map(codeOf), [
      ...['accepted', 'accepted', busy],
      ...['accepted', 'accepted', busy],
      ...['accepted', 'accepted'],
    ]);
    assert.equal(h.mempool.stats().refusedBusy, 2);
    assert.equal(await h.submit(txs[2] ?? assert.fail()), 'accepted');
  });

  it('is bounded in bytes', async () => {
    const { wrap, entered, open } = gate();
    await using h = await createHarness({ wrapVerifier: wrap, maxPendingBytes: 250 });
    const verdicts = [1, 2].map((height) => h.mempool.submit(payAway(h, height, 10_000n), 'a'));
    await entered;
    open();
    assert.deepEqual(
      (await Promise.all(verdicts)).map((verdict) => verdict.kind),
      ['accepted', 'unavailable'],
    );
  });

  it('is let go when the mempool closes, and nothing enters after', async () => {
    const { wrap, entered } = gate();
    await using h = await createHarness({ wrapVerifier: wrap });
    const verdicts = [1, 2].map((height) => h.mempool.submit(payAway(h, height, 10_000n), 'a'));
    await entered;
    await h.mempool[Symbol.asyncDispose]();
    assert.deepEqual(
      (await Promise.all(verdicts)).map((verdict) => verdict.kind),
      ['unavailable', 'unavailable'],
    );
    assert.equal(await h.submit(payAway(h, 3, 10_000n)), 'the mempool is closed');
  });

  it('blames nobody when the verifier breaks', async () => {
    const broken = (verifier: ScriptVerifier): ScriptVerifier => ({
      ...verifier,
      verify: () => Promise.reject(new Error('worker died')),
    });
    await using h = await createHarness({ wrapVerifier: broken });
    assert.equal(await h.submit(payAway(h, 1, 10_000n)), 'scripts could not be run');
  });
});
