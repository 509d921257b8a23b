/** Blocks that lack their proof of work: what the chain says of them, and that it keeps nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chain } from '#chain';
import { Block, type BlockHash, BlockHeader } from '#primitives';
import { type BlockOptions, type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { openTestChain } from '../../support/test-chain.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';

const params = regtest();

async function start(): Promise<{ readonly chain: Chain; readonly builder: ChainBuilder }> {
  const builder = createChainBuilder(params, { seed: 11 });
  builder.mineMany(110);
  const chain = await openTestChain(params);
  for (const block of builder.blocks) await chain.submitBlock(block);
  return { chain, builder };
}

/** The next block with a nonce that does not do. */
function unmined(builder: ChainBuilder, options: BlockOptions = {}): Block {
  const block = builder.fork(builder.height).mine(options);
  const { version, prevHash, merkleRoot, time, bits } = block.header;
  for (let nonce = 0; ; nonce++) {
    const header = BlockHeader.fromFields({ version, prevHash, merkleRoot, time, bits, nonce });
    if ((header.hashBytes[31] ?? 0) >= 0x80) return Block.fromParts(header, block.transactions);
  }
}

describe('checkProposal', () => {
  it('takes a good block without proof of work, and keeps nothing of it', async () => {
    const { chain, builder } = await start();
    const coin = builder.coin(1);
    const block = unmined(builder, { transactions: [buildTx([coin], [pay(1_000_000n)])] });
    assert.equal(await chain.checkProposal(block), undefined);
    assert.equal(chain.getHeader(block.hash), undefined);
    assert.equal(chain.tip().hash, builder.tip.hash);
    assert.ok(chain.getCoin({ txid: coin.txid, index: coin.index }));
    assert.equal((await chain.submitBlock(builder.mine())).kind, 'connected');
  });

  it('names what is wrong with it, in Core’s words', async () => {
    const { chain, builder } = await start();
    const code = async (block: Block): Promise<string | undefined> => (await chain.checkProposal(block))?.code;
    assert.equal(await code(unmined(builder, { coinbaseValue: 51_0000_0000n })), 'bad-cb-amount');
    assert.equal(await code(unmined(builder, { time: 1 })), 'time-too-old');
    const spent = buildTx([builder.coin(1)], [pay(1_000_000n)]);
    assert.equal(await code(unmined(builder, { transactions: [spent, spent] })), 'bad-txns-inputs-missingorspent');
    const young = buildTx([builder.coin(100)], [pay(1_000_000n)]);
    assert.equal(await code(unmined(builder, { transactions: [young] })), 'bad-txns-premature-spend-of-coinbase');
    const coin = builder.coin(2);
    const forged = buildTx([{ coin, lock: { kind: 'anyone' } }], [pay(1_000_000n)]);
    assert.match(
      (await code(unmined(builder, { transactions: [forged] }))) ?? '',
      /^mandatory-script-verify-flag-failed/,
    );
    const good = unmined(builder);
    const torn = Block.fromParts(good.header, [...good.transactions, spent]);
    assert.equal(await code(torn), 'bad-txnmrklroot');
  });

  it('decides about the next block only', async () => {
    const { chain, builder } = await start();
    const block = unmined(builder.fork(builder.height - 1));
    assert.equal((await chain.checkProposal(block))?.code, 'inconclusive-not-best-prevblk');
    assert.equal(chain.getHeader('00'.repeat(32) as BlockHash), undefined);
  });
});
