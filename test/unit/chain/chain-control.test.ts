/** What the operator can tell a running chain, and what it says of its branches. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Chain, MANUAL_PRUNE_BYTES } from '#chain';
import type { Block, BlockHash } from '#primitives';
import type { AppendFiles } from '#store';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createTestDisk, openTestChain, type TestDisk } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const params = regtest();

async function feed(chain: Chain, blocks: readonly Block[]): Promise<void> {
  for (const block of blocks) await chain.submitBlock(block);
}

function tipsOf(chain: Chain): [BlockHash, number, string][] {
  return chain.chainTips().map(({ entry, branchLength, status }) => [entry.hash, branchLength, status]);
}

describe('chain tips', () => {
  it('are the tip and the ends of all branches, by what is known of each', async () => {
    const main = createChainBuilder(params, { seed: 41 });
    main.mineMany(10);
    const beside = main.fork(5);
    beside.mineMany(2);
    const left = main.fork(8);
    left.mineMany(2);
    const bad = main.fork(9);
    bad.mine({ coinbaseValue: 51_0000_0000n });
    bad.mineMany(2);
    const chain = await openTestChain(params);
    await feed(chain, left.blocks);
    await feed(chain, main.blocks.slice(8));
    assert.equal(chain.tip().hash, left.tip.hash, 'the first of two equal ones');
    main.mine();
    await feed(chain, main.blocks.slice(-1));
    await feed(chain, beside.blocks.slice(5));
    await feed(chain, bad.blocks.slice(9));
    const ahead = main.fork(11);
    ahead.mineMany(3);
    chain.submitHeaders(ahead.blocks.slice(11).map(({ header }) => header));
    assert.deepEqual(tipsOf(chain), [
      [ahead.tip.hash, 3, 'headers-only'],
      [bad.tip.hash, 3, 'invalid'],
      [main.tip.hash, 0, 'active'],
      [left.tip.hash, 2, 'valid-fork'],
      [beside.tip.hash, 2, 'valid-headers'],
    ]);
  });
});

describe('preciousBlock', () => {
  it('moves to a block of equal work and back, as often as it is told', async () => {
    const [chain, a, b] = await twoEqualTips();
    assert.equal(chain.tip().hash, a);
    for (const hash of [b, a, b, b, a]) {
      assert.equal(await chain.preciousBlock(hash), true);
      assert.equal(chain.tip().hash, hash);
    }
  });

  it('moves to none with less work, nor to one that is invalid or unknown', async () => {
    const [chain, a, b, builder] = await twoEqualTips();
    assert.equal(await chain.preciousBlock(builder.at(3).hash), true);
    assert.equal(chain.tip().hash, a);
    await chain.invalidateBlock(b);
    await chain.preciousBlock(b);
    assert.equal(chain.tip().hash, a);
    assert.equal(await chain.preciousBlock('00'.repeat(32) as BlockHash), false);
  });

  it('gives way to more work, and what was preferred before competes no more', async () => {
    const [chain, a, b, builder] = await twoEqualTips();
    await chain.preciousBlock(b);
    builder.mineMany(2);
    await feed(chain, builder.blocks.slice(-2));
    assert.equal(chain.tip().hash, builder.tip.hash);
    assert.ok(chain.chainTips().some(({ entry }) => entry.hash === b));
    assert.equal(chain.activeAt(6)?.hash, a);
  });

  async function twoEqualTips(): Promise<[Chain, BlockHash, BlockHash, ChainBuilder]> {
    const builder = createChainBuilder(params, { seed: 42 });
    builder.mineMany(5);
    const other = builder.fork(5);
    const [a, b] = [builder.mine(), other.mine()];
    const chain = await openTestChain(params);
    await feed(chain, [...builder.blocks, b]);
    return [chain, a.hash, b.hash, builder];
  }
});

describe('pruneTo', () => {
  const builder = createChainBuilder(params, { seed: 43 });
  builder.mineMany(400);
  const maxFileBytes = 2048;
  const open = async (keepFrom?: () => number): Promise<Chain> => {
    const pruning = { pruneBytes: MANUAL_PRUNE_BYTES, maxFileBytes, ...(keepFrom && { keepFrom }) };
    const chain = await openTestChain(params, createTestDisk(maxFileBytes), pruning);
    await feed(chain, builder.blocks);
    return chain;
  };

  it('removes the files up to a height, and never a block of the last 288', async () => {
    const chain = await open();
    const lowest = await chain.pruneTo(50);
    assert.ok(lowest > 40 && lowest <= 51, `kept from ${lowest}`);
    assert.equal(chain.lowestStoredHeight(), lowest);
    assert.equal(await chain.pruneTo(20), lowest, 'nothing comes back');
    const last = await chain.pruneTo(400);
    assert.ok(last > 100 && last <= 400 - 288 + 1, `kept from ${last}`);
    assert.equal(chain.hasBlock(builder.at(last).hash), true);
  });

  it('keeps what somebody still reads, and ten blocks below', async () => {
    let reading = 60;
    const chain = await open(() => reading);
    const lowest = await chain.pruneTo(400);
    assert.ok(lowest > 40 && lowest <= 50, `kept from ${lowest}`);
    reading = 400;
    assert.ok((await chain.pruneTo(400)) > 100);
  });

  it('is refused where all blocks are kept', async () => {
    const chain = await openTestChain(params);
    await assert.rejects(chain.pruneTo(1), /all blocks are kept; start with --prune/);
  });
});

describe('verify', () => {
  const builder = createChainBuilder(params, { seed: 44 });
  builder.mineMany(105);
  for (let height = 1; height <= 4; height++) {
    const spend = buildTx([builder.coin(height)], [pay(30_0000_0000n), pay(19_0000_0000n)]);
    builder.mine({ transactions: [spend, buildTx([{ coin: outputAt(spend) }], [pay(29_0000_0000n)])] });
  }

  function outputAt(tx: ReturnType<typeof buildTx>) {
    const [output] = tx.outputs;
    assert.ok(output);
    return { txid: tx.txidBytes, index: 0, output };
  }

  /** The files, but for what reading finds. */
  function readBy(files: AppendFiles, read: AppendFiles['read']): AppendFiles {
    return {
      read,
      end: () => files.end(),
      append: (parts) => files.append(parts),
      sync: () => files.sync(),
      truncate: (end) => files.truncate(end),
      remove: (which) => files.remove(which),
      files: () => files.files(),
      [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
    };
  }

  async function filled(disk: TestDisk = createTestDisk()): Promise<Chain> {
    const chain = await openTestChain(params, disk);
    await feed(chain, builder.blocks);
    return chain;
  }

  it('finds a good chain good at each level, and leaves the coins alone', async () => {
    const chain = await filled();
    const before = await chain.utxoStats();
    for (const level of [0, 1, 2, 3, 4]) {
      assert.deepEqual(await chain.verify({ level, depth: 6 }), { result: 'success', blocks: 6 });
      assert.deepEqual(await chain.verify({ level, depth: 0 }), { result: 'success', blocks: 109 });
    }
    assert.deepEqual(await chain.utxoStats(), before);
    assert.equal(chain.tip().height, 109);
  });

  it('finds a block file that is damaged', async () => {
    const disk = createTestDisk();
    let damagedAt = Number.POSITIVE_INFINITY;
    const blk = readBy(disk.blk, async (at, length) => {
      const bytes = await disk.blk.read(at, length);
      const changed = damagedAt - at.offset;
      if (changed >= 0 && changed < length) bytes[changed] = (bytes[changed] ?? 0) ^ 1;
      return bytes;
    });
    const chain = await filled({ ...disk, blk });
    damagedAt = (chain.blockPosition(builder.at(107).hash)?.offset ?? 0) + 200;
    assert.equal((await chain.verify({ level: 0, depth: 6 })).result, 'success');
    const { result, detail } = await chain.verify({ level: 1, depth: 6 });
    assert.equal(result, 'corrupted');
    assert.match(detail ?? '', new RegExp(`bad block ${builder.at(107).hash}: bad-txnmrklroot`));
    assert.equal((await chain.verify({ level: 1, depth: 2 })).result, 'success');
  });

  it('finds undo data that are damaged', async () => {
    const disk = createTestDisk();
    const chain = await filled({ ...disk, rev: readBy(disk.rev, async (_, length) => new Uint8Array(length)) });
    assert.equal((await chain.verify({ level: 1, depth: 3 })).result, 'success');
    assert.equal((await chain.verify({ level: 2, depth: 3 })).result, 'corrupted');
  });

  it('finds coins that do not match the blocks', async () => {
    const disk = createTestDisk();
    await (await filled(disk))[Symbol.asyncDispose]();
    const [coin] = await Array.fromAsync(
      disk.coinsStore.entries({ gte: Uint8Array.of(0x43), lt: Uint8Array.of(0x44) }),
    );
    assert.ok(coin);
    await disk.coinsStore.write([{ kind: 'del', key: coin[0] }]);
    const chain = await openTestChain(params, disk);
    assert.equal((await chain.verify({ level: 2, depth: 0 })).result, 'success');
    assert.equal((await chain.verify({ level: 3, depth: 0 })).result, 'corrupted');
  });

  it('connects with scripts at level 4', async () => {
    const disk = createTestDisk();
    const verified: number[] = [];
    const chain = await openTestChain(params, disk, {
      verifier: {
        verify: async (jobs) => {
          verified.push(jobs.length);
          return verified.length > 109 && jobs.length > 0 ? { job: 0, input: 0, error: 'no' } : undefined;
        },
        capacity: () => 1000,
        [Symbol.asyncDispose]: async () => {},
      },
    });
    await feed(chain, builder.blocks);
    assert.equal((await chain.verify({ level: 3, depth: 2 })).result, 'success');
    const { result, detail } = await chain.verify({ level: 4, depth: 2 });
    assert.equal(result, 'corrupted');
    assert.match(detail ?? '', new RegExp(`unconnectable block ${builder.at(108).hash}: no`));
  });

  it('ends when it is aborted', async () => {
    const chain = await filled();
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await assert.rejects(chain.verify({ level: 3, depth: 0, signal: stop.signal }), /enough/);
    builder.mine();
    await feed(chain, builder.blocks.slice(-1));
    assert.equal(chain.tip().hash, builder.tip.hash, 'the chain goes on');
  });
});
