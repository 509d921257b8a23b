/** New coins. */
import type { Sats } from '#primitives';
import type { NetworkParams } from './params.ts';

const INITIAL_SUBSIDY: Sats = 5_000_000_000n;

/**
 * What a block at `height` may create besides fees (Core's GetBlockSubsidy). A bigint shifted by any number of
 * halvings is defined, and nothing from the 33rd on: Core's check for 64 of them guards its 64-bit shift.
 */
export function blockSubsidy(height: number, params: NetworkParams): Sats {
  return INITIAL_SUBSIDY >> BigInt(Math.floor(height / params.subsidyHalvingInterval));
}
