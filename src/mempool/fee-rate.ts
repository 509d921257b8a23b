/** Rates as Core's CFeeRate has them: whole sat per 1000 virtual bytes, rounded down. */
import type { Sats } from '#primitives';

const SATS_PER_BTC = 100_000_000n;

export function satPerKvb(fee: Sats, vsize: number): bigint {
  return (fee * 1000n) / BigInt(vsize);
}

/** CFeeRate::ToString, also in what it makes of a rate below zero: the sign stands behind the point. */
export function formatFeeRate(rate: bigint): string {
  const decimals = rate % SATS_PER_BTC;
  const digits = decimals < 0n ? `-${String(-decimals).padStart(7, '0')}` : String(decimals).padStart(8, '0');
  return `${rate / SATS_PER_BTC}.${digits} BTC/kvB`;
}
