/** What getblockstats says of a block (Core's rpc/blockchain.cpp). Amounts are satoshis; sizes and fees are per transaction. */
import type { Coin } from '#chain';
import { type Block, type Transaction, txOutputSize } from '#primitives';
import { isUnspendable } from '#script';
import type { JsonValue } from '../json/value.ts';

/** Of a coin in memory beside its output: outpoint, height, coinbase flag (Core's PER_UTXO_OVERHEAD). */
const COIN_OVERHEAD_BYTES = 41;
const SCALE = 4n;

export type BlockStatsInput = {
  readonly block: Block;
  /** Of each transaction but the coinbase. */
  readonly spent: readonly (readonly Coin[])[];
  /** Whether the coinbase makes no coins: genesis, and the two blocks that repeat one (BIP30). */
  readonly isCoinbaseLost: (index: number) => boolean;
};

export type BlockStats = Readonly<Record<string, JsonValue>>;

/** The figures that need the transactions; the caller adds height, hash, times and subsidy. */
export function blockStats({ block, spent, isCoinbaseLost }: BlockStatsInput): BlockStats {
  const { transactions } = block;
  const coins = { inputs: 0, outputs: 0, kept: 0, bytes: 0, keptBytes: 0 };
  let totalOut = 0n;
  const others: TxFigures[] = [];
  for (const [index, tx] of transactions.entries()) {
    coins.outputs += tx.outputs.length;
    for (const output of tx.outputs) {
      const bytes = txOutputSize(output) + COIN_OVERHEAD_BYTES;
      coins.bytes += bytes;
      if (isCoinbaseLost(index) || isUnspendable(output.scriptPubKey)) continue;
      coins.kept++;
      coins.keptBytes += bytes;
    }
    if (index === 0) continue;
    const figures = txFigures(tx, spent[index - 1] ?? []);
    coins.inputs += tx.inputs.length;
    coins.bytes -= figures.spentBytes;
    coins.keptBytes -= figures.spentBytes;
    totalOut += figures.out;
    others.push(figures);
  }
  return {
    ...feeStats(others),
    ...sizeStats(others),
    ins: coins.inputs,
    outs: coins.outputs,
    total_out: totalOut,
    txs: transactions.length,
    utxo_increase: coins.outputs - coins.inputs,
    utxo_size_inc: coins.bytes,
    utxo_increase_actual: coins.kept - coins.inputs,
    utxo_size_inc_actual: coins.keptBytes,
  };
}

type TxFigures = {
  readonly size: number;
  readonly weight: number;
  readonly hasWitness: boolean;
  readonly out: bigint;
  readonly fee: bigint;
  /** sat per virtual byte, rounded down. */
  readonly feeRate: bigint;
  readonly spentBytes: number;
};

function txFigures(tx: Transaction, spent: readonly Coin[]): TxFigures {
  const out = tx.outputs.reduce((sum, { value }) => sum + value, 0n);
  const fee = spent.reduce((sum, coin) => sum + coin.output.value, 0n) - out;
  return {
    size: tx.size,
    weight: tx.weight,
    hasWitness: tx.hasWitness,
    out,
    fee,
    feeRate: (fee * SCALE) / BigInt(tx.weight),
    spentBytes: spent.reduce((sum, coin) => sum + txOutputSize(coin.output) + COIN_OVERHEAD_BYTES, 0),
  };
}

function feeStats(txs: readonly TxFigures[]): BlockStats {
  const fees = txs.map(({ fee }) => fee).toSorted(byValue);
  const rates = txs.map(({ feeRate }) => feeRate).toSorted(byValue);
  const total = fees.reduce((sum, fee) => sum + fee, 0n);
  const weight = txs.reduce((sum, tx) => sum + tx.weight, 0);
  return {
    avgfee: txs.length > 0 ? total / BigInt(txs.length) : 0,
    avgfeerate: weight > 0 ? (total * SCALE) / BigInt(weight) : 0,
    feerate_percentiles: feeRatePercentiles(txs, weight),
    maxfee: fees.at(-1) ?? 0,
    maxfeerate: rates.at(-1) ?? 0,
    medianfee: median(fees),
    minfee: fees[0] ?? 0,
    minfeerate: rates[0] ?? 0,
    totalfee: total,
  };
}

function sizeStats(txs: readonly TxFigures[]): BlockStats {
  const sizes = txs.map(({ size }) => BigInt(size)).toSorted(byValue);
  const withWitness = txs.filter(({ hasWitness }) => hasWitness);
  const sum = (of: readonly TxFigures[], key: 'size' | 'weight'): number => of.reduce((all, tx) => all + tx[key], 0);
  return {
    avgtxsize: txs.length > 0 ? Math.floor(sum(txs, 'size') / txs.length) : 0,
    maxtxsize: sizes.at(-1) ?? 0,
    mediantxsize: median(sizes),
    mintxsize: sizes[0] ?? 0,
    swtotal_size: sum(withWitness, 'size'),
    swtotal_weight: sum(withWitness, 'weight'),
    swtxs: withWitness.length,
    total_size: sum(txs, 'size'),
    total_weight: sum(txs, 'weight'),
  };
}

function byValue(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Of an even number the mean of the middle two, rounded towards zero. */
function median(sorted: readonly bigint[]): bigint {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0n;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0n) + upper) / 2n;
}

const PERCENTILES = [10, 25, 50, 75, 90] as const;

/** The fee rates below which so many percent of the block's weight lie. */
function feeRatePercentiles(txs: readonly TxFigures[], totalWeight: number): readonly bigint[] {
  const sorted = txs.toSorted((a, b) => byValue(a.feeRate, b.feeRate));
  const found: bigint[] = [];
  let weight = 0;
  for (const tx of sorted) {
    weight += tx.weight;
    for (let next = PERCENTILES[found.length]; next !== undefined; next = PERCENTILES[found.length]) {
      if (weight * 100 < totalWeight * next) break;
      found.push(tx.feeRate);
    }
  }
  while (found.length < PERCENTILES.length) found.push(0n);
  return found;
}
