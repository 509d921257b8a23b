/** Amounts as text. */
import type { Sats } from './ids.ts';

/** Coins with two to eight decimals, as Core's FormatMoney. */
export function formatMoney(value: Sats): string {
  if (value < 0n) return `-${formatMoney(-value)}`;
  const digits = value.toString().padStart(9, '0');
  const decimals = digits.slice(-8).replace(/0{1,6}$/, '');
  return `${digits.slice(0, -8)}.${decimals}`;
}
