/** Rates as Core's CFeeRate has them: whole sat per 1000 virtual bytes, rounded down. */
import type { Sats } from '#primitives';

export function satPerKvb({ fee, vsize }: { readonly fee: Sats; readonly vsize: number }): bigint {
  return (fee * 1000n) / BigInt(vsize);
}

/** CFeeRate::ToString. */
export function formatFeeRate(rate: bigint): string {
  const digits = rate.toString().padStart(9, '0');
  return `${digits.slice(0, -8)}.${digits.slice(-8)} BTC/kvB`;
}
