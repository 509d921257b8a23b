/** Running totals of the coins from genesis to a block (Core's coinstatsindex DBVal), and what one block adds to them. */
import type { Coin } from '#chain';
import { Reader, type TxOutput, Writer } from '#primitives';
import { assert } from '#util';
import type { BlockInfo } from './port.ts';

/** In the order in which they are stored, 8 bytes each. Amounts in satoshis. */
const FIELDS = [
  'txouts',
  'bogoSize',
  'amount',
  'subsidy',
  'prevoutSpent',
  'newOutputsExCoinbase',
  'coinbase',
  'genesisBlock',
  'bip30',
  'scripts',
  'unclaimedRewards',
] as const;

export type CoinTotals = Readonly<Record<(typeof FIELDS)[number], bigint>>;
export type RunningTotals = { -readonly [Field in keyof CoinTotals]: bigint };

const FIELD_BYTES = 8;
export const TOTALS_BYTES = FIELDS.length * FIELD_BYTES;

export const NO_TOTALS: CoinTotals = totalsOf(() => 0n);

function totalsOf(value: (field: keyof CoinTotals) => bigint): CoinTotals {
  return Object.fromEntries(FIELDS.map((field) => [field, value(field)])) as CoinTotals;
}

export function encodeTotals(totals: CoinTotals): Uint8Array {
  const writer = new Writer(TOTALS_BYTES);
  for (const field of FIELDS) writer.u64(totals[field]);
  return writer.finish();
}

export function decodeTotals(bytes: Uint8Array): CoinTotals {
  const reader = new Reader(bytes);
  const totals = totalsOf(() => reader.u64());
  reader.end();
  return totals;
}

export function addOutput(totals: RunningTotals, { value }: TxOutput, bogoSize: number, isCoinbase: boolean): void {
  totals[isCoinbase ? 'coinbase' : 'newOutputsExCoinbase'] += value;
  totals.txouts += 1n;
  totals.amount += value;
  totals.bogoSize += BigInt(bogoSize);
}

export function spendCoin(totals: RunningTotals, { output }: Coin, bogoSize: number): void {
  totals.prevoutSpent += output.value;
  totals.txouts -= 1n;
  totals.amount -= output.value;
  totals.bogoSize -= BigInt(bogoSize);
}

/** What was to be had, by subsidy and spent coins, and went nowhere: rewards that the miner did not claim. */
export function addUnclaimed(totals: RunningTotals): void {
  const { prevoutSpent, subsidy, newOutputsExCoinbase, coinbase } = totals;
  const unclaimed = prevoutSpent + subsidy - (newOutputsExCoinbase + coinbase + unspendable(totals));
  assert(unclaimed >= 0n, 'no block pays out more than there is');
  totals.unclaimedRewards += unclaimed;
}

/** All that nobody can ever spend. */
export function unspendable({ genesisBlock, bip30, scripts, unclaimedRewards }: CoinTotals): bigint {
  return genesisBlock + bip30 + scripts + unclaimedRewards;
}

/** What the block did that lies between the two. */
export function blockInfoOf(before: CoinTotals, after: CoinTotals): BlockInfo {
  const change = totalsOf((field) => after[field] - before[field]);
  const { prevoutSpent, coinbase, newOutputsExCoinbase, genesisBlock, bip30, scripts, unclaimedRewards } = change;
  const unspendables = { genesisBlock, bip30, scripts, unclaimedRewards };
  return { prevoutSpent, coinbase, newOutputsExCoinbase, unspendable: unspendable(change), unspendables };
}
