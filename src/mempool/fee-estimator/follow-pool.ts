/** Tells the fee estimator of the mempool's changes, as Core's validation interface does. */
import type { ChainReader } from '#chain';
import type { Clock } from '#util';
import type { PoolObserver } from '../observer.ts';
import type { FeeEstimator } from './estimator.ts';

export type FollowPoolDeps = {
  readonly chain: Pick<ChainReader, 'tip' | 'bestHeader' | 'params'>;
  readonly clock: Clock;
};

/** MAX_FEE_ESTIMATION_TIP_AGE. */
const MAX_TIP_AGE_SECONDS = 3 * 3600;

export function followPool(estimator: FeeEstimator, deps: FollowPoolDeps): PoolObserver {
  return {
    entered: ({ txid, fee, vsize, parents }, { height, fromBlock, inPackage }) => {
      // What its own fee rate did not decide alone says nothing about fee rates.
      const standsAlone = !fromBlock && !inPackage && parents.size === 0;
      const isValidForEstimates = standsAlone && isCurrent(deps);
      estimator.processTransaction({ txid, fee, vsize, height, isValidForEstimates });
    },
    left: ({ txid }, reason) => {
      // The block that confirms it is told of as a whole.
      if (reason !== 'block') estimator.removeTx(txid);
    },
    blockConnected: (height, confirmed) => {
      estimator.processBlock(height, confirmed);
    },
  };
}

/** IsCurrentForFeeEstimation: a node that is behind would measure its own delay. */
function isCurrent({ chain, clock }: FollowPoolDeps): boolean {
  const tip = chain.tip();
  return (
    tip.chainWork >= chain.params.minimumChainWork &&
    tip.header.time >= Math.floor(clock.now() / 1000) - MAX_TIP_AGE_SECONDS &&
    tip.height >= chain.bestHeader().height - 1
  );
}
