/** New coins. */
import type { Sats } from '#primitives';
import type { NetworkParams } from './params.ts';

const INITIAL_SUBSIDY: Sats = 5_000_000_000n;
/** Core shifts a 64-bit number: from 64 halvings on the result is defined to be nothing. */
const MAX_HALVINGS = 64;

/** What a block at `height` may create besides fees (Core's GetBlockSubsidy). */
export function blockSubsidy(height: number, params: NetworkParams): Sats {
  const halvings = Math.floor(height / params.subsidyHalvingInterval);
  return halvings >= MAX_HALVINGS ? 0n : INITIAL_SUBSIDY >> BigInt(halvings);
}
