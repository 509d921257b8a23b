import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkBlock, checkBlockHeader, contextualCheckBlock, contextualCheckBlockHeader } from '#consensus';
import type { Block } from '#primitives';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, pay } from '../../support/tx-builder.ts';

/** The first rule that the block breaks as successor of `height`; scripts and coins aside. */
function verdictOn(builder: ChainBuilder, block: Block, height: number): string | undefined {
  const { params } = builder;
  const prev = builder.view(height);
  const failure =
    checkBlockHeader(block.header, params) ??
    contextualCheckBlockHeader(block.header, prev, params, block.header.time) ??
    checkBlock(block, params) ??
    contextualCheckBlock(block, prev, params);
  return failure?.code;
}

describe('chain builder', () => {
  it('builds blocks that every rule accepts', () => {
    const builder = createChainBuilder(regtest());
    builder.mineMany(20);
    const tx = buildTx([builder.coin(1)], [pay(4_000_000_000n), pay(999_000_000n, { kind: 'p2pk', key: testKey(1) })]);
    const child = buildTx([outputOf(tx)], [pay(3_999_990_000n)]);
    builder.mine({ transactions: [tx, child] });
    builder.mine({ commitWitness: true });
    for (let height = 1; height <= builder.height; height++) {
      assert.equal(verdictOn(builder, builder.at(height).block, height - 1), undefined, `block ${height}`);
    }
  });

  it('gives the same bytes for the same seed, other bytes for another', () => {
    const chain = (seed: number): string => createChainBuilder(regtest(), { seed }).mineMany(3).at(-1)?.hash ?? '';
    assert.equal(chain(5), chain(5));
    assert.notEqual(chain(5), chain(6));
  });

  it('forks into competing branches that share what lies below', () => {
    const builder = createChainBuilder(regtest());
    builder.mineMany(5);
    const branch = builder.fork(3);
    branch.mineMany(4);
    assert.equal(branch.height, 7);
    assert.equal(branch.at(3).hash, builder.at(3).hash);
    assert.notEqual(branch.at(4).hash, builder.at(4).hash);
    assert.equal(builder.fork(builder.at(2).hash).height, 2);
    assert.equal(verdictOn(branch, branch.tip.block, 6), undefined);
  });

  it('breaks exactly the rule that a hook aims at', () => {
    const builder = createChainBuilder(regtest());
    builder.mineMany(2);
    const cases: readonly [string, Block][] = [
      ['high-hash', builder.build({ work: 'invalid' })],
      ['bad-txnmrklroot', builder.build({ mutateHeader: (fields) => ({ ...fields, merkleRoot: new Uint8Array(32) }) })],
      [
        'bad-cb-missing',
        builder.build({
          mutateTransactions: ([coinbase]) => [
            buildTx([builder.coin(1)], [pay(1n)]),
            ...(coinbase === undefined ? [] : [coinbase]),
          ],
        }),
      ],
      ['time-too-old', builder.build({ time: builder.view(0).time })],
      ['bad-diffbits', builder.build({ mutateHeader: (fields) => ({ ...fields, bits: 0x207ffffe }) })],
      ['bad-version(0x00000001)', builder.build({ version: 1 })],
    ];
    for (const [code, block] of cases) assert.equal(verdictOn(builder, block, builder.height), code);
  });
});
