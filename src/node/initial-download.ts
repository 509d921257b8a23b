/** Whether the node is still on its way to the tip (Core's IsInitialBlockDownload): latched, so that it ends once. */
import type { ChainReader } from '#chain';
import type { Clock } from '#util';

/** Core's -maxtipage. */
const MAX_TIP_AGE_SECONDS = 24 * 60 * 60;

export function initialDownload(chain: Pick<ChainReader, 'tip' | 'params'>, clock: Clock): () => boolean {
  let hasEnded = false;
  return () => {
    if (!hasEnded) {
      const { header, chainWork } = chain.tip();
      const isYoung = header.time >= Math.floor(clock.now() / 1000) - MAX_TIP_AGE_SECONDS;
      hasEnded = isYoung && chainWork >= chain.params.minimumChainWork;
    }
    return !hasEnded;
  };
}
