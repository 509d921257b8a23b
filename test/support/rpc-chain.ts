/**
 * The chain behind the recorded answers of Core, rebuilt by its shape: 140 blocks, one of them (131) with twenty transactions
 * that have witnesses, and four transactions in the mempool.
 */
import assert from 'node:assert/strict';
import { sha256 } from '#crypto';
import type { StarlingNode } from '#node';
import type { Block, Transaction } from '#primitives';
import { encodeAddress, pushData } from '#script';
import { concatBytes } from '#util';
import { type ChainBuilder, createChainBuilder, regtest } from './chain-builder.ts';
import { ANYONE_CAN_SPEND, testKey } from './keys.ts';
import { buildTx, rawTx, type TestCoin } from './tx-builder.ts';

export const WITNESS_SCRIPT = ANYONE_CAN_SPEND;
/** P2WSH of it: spent without a signature. */
export const COINBASE_SCRIPT = concatBytes(Uint8Array.of(0), pushData(sha256(WITNESS_SCRIPT)));
const TAPROOT_SCRIPT = concatBytes(Uint8Array.of(0x51, 0x20), testKey(1).publicKey.slice(1));
const BUSY_HEIGHT = 131;
const TIP_HEIGHT = 140;
const LEGACY_FROM = 21;
const FEE = 1_500n;
const RECENT_SECONDS = 3_600;

export type RpcChain = {
  readonly builder: ChainBuilder;
  readonly busyBlock: Block;
  /** The first of the transactions in that block; its output 0 is unspent. */
  readonly confirmed: Transaction;
  readonly unconfirmed: Transaction;
  /** Owns most coins. */
  readonly address: string;
};

/** Feeds the node. Block times are the node's present, so that it counts as synced. */
export async function feedRpcChain(node: StarlingNode, nowSeconds: number): Promise<RpcChain> {
  const builder = createChainBuilder(regtest());
  const start = nowSeconds - RECENT_SECONDS;
  const mine = (transactions: readonly Transaction[] = []): Block =>
    builder.mine({
      time: start + builder.height,
      transactions,
      commitWitness: true,
      // Some pay to a key, for transactions without witness.
      coinbaseScript: isLegacy(builder.height + 1) ? testKey(0).p2pkh : COINBASE_SCRIPT,
    });
  while (builder.height < BUSY_HEIGHT - 1) mine();
  const spends = Array.from({ length: 20 }, (_, at) => witnessSpend(builder.coin(at + 1)));
  const busyBlock = mine(spends);
  while (builder.height < TIP_HEIGHT) mine();
  for (const block of builder.blocks) assert.deepEqual(await node.submitBlock(block.raw), { kind: 'accepted' });
  const unconfirmed = Array.from({ length: 4 }, (_, at) => {
    const coin = builder.coin(LEGACY_FROM + at);
    return buildTx([coin], [{ value: coin.output.value - FEE, scriptPubKey: COINBASE_SCRIPT }], {
      lockTime: 94,
      sequence: 0xfffffffd,
    });
  });
  for (const tx of unconfirmed) assert.equal((await node.submitTransaction(tx.raw)).kind, 'accepted');
  const [confirmed, waiting] = [spends[0], unconfirmed[0]];
  const address = encodeAddress(COINBASE_SCRIPT, builder.params.address);
  assert.ok(confirmed !== undefined && waiting !== undefined && address !== undefined);
  return { builder, busyBlock, confirmed, unconfirmed: waiting, address };
}

function isLegacy(height: number): boolean {
  return height >= LEGACY_FROM && height < LEGACY_FROM + 4;
}

function witnessSpend(coin: TestCoin): Transaction {
  const half = coin.output.value / 2n;
  return rawTx(
    [{ coin, witness: [WITNESS_SCRIPT] }],
    [
      { value: half, scriptPubKey: TAPROOT_SCRIPT },
      { value: half - FEE, scriptPubKey: COINBASE_SCRIPT },
    ],
  );
}
