/** Amounts as text. */
import type { Sats } from './ids.ts';

/** Coins with two to eight decimals, as Core's FormatMoney. */
export function formatMoney(value: Sats): string {
  if (value < 0n) return `-${formatMoney(-value)}`;
  return formatCoins(value).replace(/0{1,6}$/, '');
}

/** Coins with all eight decimals, as Core's RPC prints amounts. */
export function formatCoins(value: Sats): string {
  if (value < 0n) return `-${formatCoins(-value)}`;
  const digits = value.toString().padStart(9, '0');
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}
