/** How far the chain is verified, for getblockchaininfo. */
import type { HeaderEntry } from '#chain';
import type { NetworkParams } from '#consensus';

type View = {
  readonly params: Pick<NetworkParams, 'minimumChainWork' | 'chainTxData'>;
  readonly tip: () => Pick<HeaderEntry, 'hash' | 'height' | 'chainWork'> & {
    readonly header: { readonly time: number };
  };
  readonly bestHeader: () => Pick<HeaderEntry, 'hash' | 'height' | 'chainWork'>;
  readonly totalTxCount: (height: number) => number | undefined;
};

const PARTS = 1_000_000_000n;

/**
 * Core's GuessVerificationProgress: the share of the transactions that the chain should have by now (`nowSeconds`,
 * Unix time), where the network's file says how fast they come. Core shows 1 for all others; here it is the share of blocks.
 */
export function verificationProgress(view: View, nowSeconds: number): number {
  const { params, tip, totalTxCount } = view;
  const at = tip();
  const done = totalTxCount(at.height);
  const { chainTxData } = params;
  if (chainTxData === undefined || done === undefined) return shareOfBlocks(view);
  const { time, txCount, txRate } = chainTxData;
  const expected =
    done <= txCount ? txCount + (nowSeconds - time) * txRate : done + (nowSeconds - at.header.time) * txRate;
  return Math.min(done / expected, 1);
}

/** As long as headers are missing that must be there, of the least work that a chain must have. */
function shareOfBlocks({ params, tip, bestHeader }: View): number {
  const [at, best] = [tip(), bestHeader()];
  const { minimumChainWork } = params;
  if (best.chainWork < minimumChainWork) return Number((at.chainWork * PARTS) / minimumChainWork) / Number(PARTS);
  return at.hash === best.hash ? 1 : Math.min(1, at.height / Math.max(best.height, 1));
}
