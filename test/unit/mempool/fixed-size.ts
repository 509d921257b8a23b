/** Transactions of known size and fee for tests at a boundary: standard, and without signatures, whose size varies. */
import assert from 'node:assert/strict';
import type { MempoolVerdict } from '#mempool';
import type { Transaction, TxOutput } from '#primitives';
import { buildTx, type Lock, outputOf, pay, type SpendOptions, type TestCoin } from '../../support/tx-builder.ts';
import type { Harness } from './harness.ts';

const LOCK: Lock = { kind: 'p2sh', redeem: { kind: 'anyone' } };
const COIN_VALUE = 10_000_000n;

const OUTPUT_BYTES = 32;
const DATA_OUTPUT_BYTES = 9;
const OP_RETURN = 0x6a;

/** Bytes of a transaction with so many of these inputs (fewer than 253) and outputs. */
export const sizeOf = (inputs: number, outputs: number): number =>
  10 + inputs * 43 + outputs * OUTPUT_BYTES + (outputs < 253 ? 0 : 2);

/** Confirmed coins of 10,000,000 sat, in one block. */
export async function fund(h: Harness, count: number): Promise<TestCoin[]> {
  const tx = buildTx(
    [h.builder.coin(1)],
    Array.from({ length: count }, () => pay(COIN_VALUE, LOCK)),
  );
  await h.connect(h.builder.mine({ transactions: [tx] }));
  return Array.from({ length: count }, (_, index) => outputOf(tx, index));
}

/** `vsize`: as many outputs as fit, and data for the rest. */
export type Shape = SpendOptions & { readonly outputs?: number; readonly vsize?: number };

/** All of the coins but `fee`, in equal outputs. What does not divide goes to the last one. */
export function spend(coins: readonly TestCoin[], fee: bigint, shape: Shape = {}): Transaction {
  const { vsize, outputs = vsize === undefined ? 1 : outputsWithin(coins.length, vsize), ...options } = shape;
  const total = coins.reduce((sum, coin) => sum + coin.output.value, 0n) - fee;
  const part = total / BigInt(outputs);
  const values = Array.from({ length: outputs }, (_, at) => (at === outputs - 1 ? total - part * BigInt(at) : part));
  const paid = values.map((value) => pay(value, LOCK));
  const data = vsize === undefined ? [] : [dataOutput(vsize - sizeOf(coins.length, outputs + 1) + OUTPUT_BYTES)];
  const tx = buildTx(
    coins.map((coin) => ({ coin, lock: LOCK })),
    [...paid, ...data],
    options,
  );
  assert.ok(vsize === undefined || tx.size === vsize);
  return tx;
}

const outputsWithin = (inputs: number, vsize: number): number =>
  Math.floor((vsize - sizeOf(inputs, 253) + 252 * OUTPUT_BYTES - DATA_OUTPUT_BYTES) / OUTPUT_BYTES);

function dataOutput(bytes: number): TxOutput {
  return { value: 0n, scriptPubKey: new Uint8Array(bytes - DATA_OUTPUT_BYTES).fill(OP_RETURN, 0, 1) };
}

/** Submits transactions that must be taken. */
export async function take(h: Harness, ...txs: readonly Transaction[]): Promise<void> {
  for (const tx of txs) assert.equal(await h.submit(tx), 'accepted', tx.txid);
}

/** A pool that is empty, after it evicted an entry of 100 sat/vB; gives `count` coins. To be called with little room. */
export async function raiseMinimum(h: Harness, count: number): Promise<readonly TestCoin[]> {
  const { maxBytes, usage } = h.mempool.stats();
  assert.equal(usage, 0);
  const coins = await fund(h, count + Math.min(100, Math.ceil(maxBytes / 800)));
  const needed = BigInt(sizeOf(1, 1)) * 100n;
  for (const coin of coins.slice(count)) {
    await take(h, spend([coin], h.mempool.stats().count === 0 ? needed : 2n * needed));
    if (h.mempool.minFeeSatPerKvb() > 1_000) break;
  }
  await h.connect(h.builder.mine({ transactions: h.transactions() }));
  assert.equal(h.mempool.stats().count, 0);
  return coins.slice(0, count);
}

/** What Core says: `accepted`, or its reject reason with its debug message. */
export async function verdictOf(h: Harness, tx: Transaction): Promise<string> {
  return verdictText(await h.mempool.submit(tx, 'local'));
}

export function verdictText(verdict: MempoolVerdict): string {
  switch (verdict.kind) {
    case 'policy':
      return said(verdict.code, verdict.debug);
    case 'consensus':
      return `consensus: ${said(verdict.failure.code, verdict.failure.debug)}`;
    case 'duplicate':
      return verdict.code;
    case 'unavailable':
      return verdict.reason;
    default:
      return verdict.kind;
  }
}

export function said(code: string, debug: string | undefined): string {
  return debug === undefined ? code : `${code}, ${debug}`;
}
