/** Several blocks in flight: what others see meanwhile, what a failure takes back, and whose scripts run. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { type Block, Transaction } from '#primitives';
import { NodeError } from '#util';
import { createInlineVerifier, type ScriptJob, type ScriptVerifier } from '#verify';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createTestDisk, openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const params = regtest();

function spend(builder: ChainBuilder, height: number): Transaction {
  return buildTx([builder.coin(height)], [pay(10_0000_0000n)]);
}

/** 110 blocks, and three that spend coinbases, each also what the one before made. */
function spendingChain(): ChainBuilder {
  const builder = createChainBuilder(params, { seed: 21 });
  builder.mineMany(110);
  for (let height = 1; height <= 3; height++) builder.mine({ transactions: [spend(builder, height)] });
  return builder;
}

/** Answers when told to. */
function heldVerifier(): {
  readonly verifier: ScriptVerifier;
  readonly release: () => void;
  readonly batches: ScriptJob[][];
} {
  const inner = createInlineVerifier();
  const gate = Promise.withResolvers<void>();
  const batches: ScriptJob[][] = [];
  const verify: ScriptVerifier['verify'] = async (jobs, options) => {
    if (jobs.length > 0) {
      batches.push([...jobs]);
      await Promise.race([gate.promise, options?.signal && once(options.signal, 'abort')]);
    }
    return inner.verify(jobs, options);
  };
  return { verifier: { ...inner, verify, capacity: () => 1 }, release: () => gate.resolve(), batches };
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('blocks in flight', () => {
  it('are checked while the scripts of the first still run; others see the tip alone', async () => {
    const builder = spendingChain();
    const { verifier, release, batches } = heldVerifier();
    const chain = await openTestChain(params, undefined, { verifier });
    for (const block of builder.blocks.slice(0, 110)) await chain.submitBlock(block);
    const verdicts = builder.blocks.slice(110).map((block) => chain.submitBlock(block));
    await turns();
    assert.equal(batches.length, 3, 'all three are at the verifier');
    assert.equal(chain.tip().height, 110);
    for (const height of [1, 2, 3])
      assert(chain.getCoin({ txid: builder.coin(height).txid, index: 0 }), 'still unspent');
    const made = builder.coin(111, 1);
    assert.equal(chain.getCoin(made), undefined, 'not there yet');
    release();
    assert.deepEqual(
      (await Promise.all(verdicts)).map(({ kind }) => kind),
      ['connected', 'connected', 'connected'],
    );
    assert.equal(chain.getCoin({ txid: builder.coin(1).txid, index: 0 }), undefined);
    assert(chain.getCoin(made));
  });

  it('are applied in slices; what others see is the tip, in whole', async () => {
    const builder = createChainBuilder(params, { seed: 22 });
    builder.mineMany(300);
    const heights = Array.from({ length: 150 }, (_, at) => at + 1);
    const spends = heights.map((height) => spend(builder, height));
    builder.mine({ transactions: spends });
    // Whoever looks at it has worked too long.
    let looks = 0;
    const clock = { ...createManualClock(2_000_000_000_000), monotonicMs: () => 100 * looks++ };
    const { verifier, release, batches } = heldVerifier();
    const chain = await openTestChain(params, undefined, { clock, verifier });
    for (const block of builder.blocks.slice(0, 300)) await chain.submitBlock(block);
    const last = builder.tip.block;
    const seen = (): string =>
      spends
        .map((tx, at) => {
          const isUnspent = chain.getCoin({ txid: builder.coin(at + 1).txid, index: 0 }) !== undefined;
          const isMade = chain.getCoin({ txid: tx.txidBytes, index: 0 }) !== undefined;
          return `${isUnspent ? 'u' : 's'}${isMade ? 'm' : '-'}`;
        })
        .join('');
    const submitted = chain.submitBlock(last);
    let turnsBefore = 0;
    for (; batches.length === 0; turnsBefore++) {
      assert.equal(seen(), 'u-'.repeat(spends.length), `in turn ${turnsBefore}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(turnsBefore > 4, 'it took several turns');
    assert.equal(seen(), 'u-'.repeat(spends.length), 'applied, not decided');
    release();
    assert.equal((await submitted).kind, 'connected');
    assert.equal(seen(), 'sm'.repeat(spends.length));
  });

  it('are taken back with one that fails, whichever answers first', async () => {
    const builder = spendingChain();
    const bad = builder.fork(110);
    const good = spend(builder, 1);
    // The signature of another coin.
    const wrong = spend(builder, 2);
    const forged = wrong.inputs.map((input) => ({ ...input, prevTxid: builder.coin(4).txid }));
    const { version, outputs, lockTime } = wrong;
    bad.mine({ transactions: [Transaction.fromFields({ version, inputs: forged, outputs, lockTime })] });
    bad.mine({ transactions: [good] });
    bad.mineMany(3);
    const { verifier, release } = heldVerifier();
    const chain = await openTestChain(params, undefined, { verifier });
    for (const block of builder.blocks.slice(0, 110)) await chain.submitBlock(block);
    const before = await chain.utxoStats();
    const verdicts = bad.blocks.slice(110).map((block) => chain.submitBlock(block));
    await turns();
    release();
    const [first, ...others] = await Promise.all(verdicts);
    assert.match(first?.kind === 'invalid' ? first.failure.code : '', /^mandatory-script-verify-flag-failed/);
    for (const other of others) assert.equal(other.kind === 'invalid' && other.failure.code, 'bad-prevblk');
    assert.deepEqual(await chain.utxoStats(), before);
    for (const block of builder.blocks.slice(110)) assert.equal((await chain.submitBlock(block)).kind, 'connected');
  });

  it('are not blamed when the verifier breaks; they are tried again with the next call', async () => {
    const builder = spendingChain();
    const inner = createInlineVerifier();
    let isBroken = true;
    const verify: ScriptVerifier['verify'] = (jobs, signal) =>
      isBroken && jobs.length > 0
        ? Promise.reject(new NodeError('IO', 'a script verification worker ended'))
        : inner.verify(jobs, signal);
    const chain = await openTestChain(params, undefined, { verifier: { ...inner, verify } });
    for (const block of builder.blocks.slice(0, 110)) await chain.submitBlock(block);
    const before = await chain.utxoStats();
    const [first, ...others] = builder.blocks.slice(110);
    assert(first !== undefined);
    const results = await Promise.allSettled([first, ...others].map((block) => chain.submitBlock(block)));
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    assert.equal(chain.isInvalid(first.hash), false);
    assert.deepEqual(await chain.utxoStats(), before);
    isBroken = false;
    assert.equal((await chain.submitBlock(first)).kind, 'duplicate', 'its body is stored already');
    await chain.idle();
    assert.equal(chain.tip().hash, builder.tip.hash);
  });

  it('do not hold up a close: they are connected at the next start', async () => {
    const builder = spendingChain();
    const { verifier } = heldVerifier();
    const disk = createTestDisk();
    const chain = await openTestChain(params, disk, { verifier });
    for (const block of builder.blocks.slice(0, 110)) await chain.submitBlock(block);
    const verdicts = builder.blocks.slice(110).map((block) => chain.submitBlock(block));
    await turns();
    await chain[Symbol.asyncDispose]();
    assert.deepEqual(
      (await Promise.all(verdicts)).map(({ kind }) => kind),
      ['stored', 'stored', 'stored'],
    );
    assert.equal(chain.tip().height, 110);
    assert.equal((await openTestChain(params, disk)).tip().hash, builder.tip.hash);
  });
});

describe('assumevalid', () => {
  const builder = spendingChain();
  builder.mineMany(2100);
  const [, , third] = builder.blocks.slice(110);
  const countScripts = async (assumeValid: Block | undefined, minimumChainWork = 0n): Promise<number> => {
    const inner = createInlineVerifier();
    let scripts = 0;
    const verify: ScriptVerifier['verify'] = (jobs, signal) => {
      scripts += jobs.length;
      return inner.verify(jobs, signal);
    };
    const changed = { ...params, assumeValid: assumeValid?.hash, minimumChainWork };
    const chain = await openTestChain(changed, undefined, { verifier: { ...inner, verify } });
    chain.submitHeaders(builder.blocks.map(({ header }) => header));
    for (const block of builder.blocks.slice(0, 113)) await chain.submitBlock(block);
    assert.equal(chain.tip().height, 113);
    return scripts;
  };

  it('spares the scripts of its ancestors alone, if two weeks of work lie on top', async () => {
    assert.equal(await countScripts(undefined), 3);
    assert.equal(await countScripts(third), 0);
    assert.equal(await countScripts(builder.at(111).block), 2);
    // Two weeks are 2016 blocks: the header chain ends at 2213, so the last block spared is 196.
    assert.equal(await countScripts(builder.at(2213).block), 0);
    assert.equal(await countScripts(builder.build()), 3, 'a block that nobody has seen');
  });

  it('counts for nothing below the minimum chain work', async () => {
    const work = 2n * 2214n;
    assert.equal(await countScripts(third, work), 0);
    assert.equal(await countScripts(third, work + 1n), 3);
  });
});

describe('invalidateBlock and reconsiderBlock', () => {
  it('leave the branch and come back, across a restart', async () => {
    const main = createChainBuilder(params, { seed: 22 });
    main.mineMany(10);
    const side = main.fork(5);
    side.mineMany(3);
    const chain = await openTestChain(params);
    for (const block of [...main.blocks, ...side.blocks.slice(5)]) await chain.submitBlock(block);
    assert.equal(await chain.invalidateBlock(main.at(7).hash), true);
    assert.equal(chain.tip().hash, side.tip.hash);
    assert.equal(chain.bestHeader().hash, side.tip.hash);
    assert(chain.isInvalid(main.at(9).hash));
    assert.equal(await chain.invalidateBlock(side.at(6).hash), true);
    assert.equal(chain.tip().hash, main.at(6).hash);
    const verdict = await chain.submitBlock(main.at(8).block);
    assert.equal(verdict.kind === 'invalid' && verdict.failure.code, 'duplicate');
    assert.equal(await chain.reconsiderBlock(main.at(10).hash), true);
    assert.equal(chain.tip().hash, main.tip.hash);
    assert(chain.isInvalid(side.tip.hash));
  });

  it('are told step by step; only the last one is settled', async () => {
    const main = createChainBuilder(params, { seed: 23 });
    main.mineMany(40);
    const chain = await openTestChain(params);
    for (const block of main.blocks) await chain.submitBlock(block);
    const told: string[] = [];
    chain.observe({
      changed: ({ disconnected, connected, isSettled }) => {
        told.push(`-${disconnected.length} +${connected.length} ${isSettled ? 'settled' : 'on its way'}`);
      },
    });
    await chain.invalidateBlock(main.at(21).hash);
    assert.deepEqual(told.splice(0), ['-16 +0 on its way', '-4 +0 settled']);
    await chain.reconsiderBlock(main.at(21).hash);
    assert.deepEqual(told, ['-0 +16 on its way', '-0 +4 settled']);
  });

  it('say no to genesis and to unknown blocks', async () => {
    const chain = await openTestChain(params);
    assert.equal(await chain.invalidateBlock(params.genesis.hash), false);
    const unknown = createChainBuilder(params).mine();
    assert.equal(await chain.invalidateBlock(unknown.hash), false);
    assert.equal(await chain.reconsiderBlock(unknown.hash), false);
  });
});
