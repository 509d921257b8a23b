/** How far the chain is verified, for getblockchaininfo. */
import type { HeaderEntry } from '#chain';
import type { NetworkParams } from '#consensus';

type View = {
  readonly params: Pick<NetworkParams, 'minimumChainWork'>;
  readonly tip: () => Pick<HeaderEntry, 'hash' | 'height' | 'chainWork'>;
  readonly bestHeader: () => Pick<HeaderEntry, 'hash' | 'height' | 'chainWork'>;
};

const PARTS = 1_000_000_000n;

/**
 * Core guesses from the number of transactions in a network's past, which it has built in. Here it is the share of the known
 * headers' blocks; as long as headers are missing that must be there, the share of the least work that a chain must have.
 */
export function verificationProgress({ params, tip, bestHeader }: View): number {
  const [at, best] = [tip(), bestHeader()];
  const { minimumChainWork } = params;
  if (best.chainWork < minimumChainWork) return Number((at.chainWork * PARTS) / minimumChainWork) / Number(PARTS);
  return at.hash === best.hash ? 1 : Math.min(1, at.height / Math.max(best.height, 1));
}
