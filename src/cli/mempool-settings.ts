/** The settings that say what the mempool takes and keeps. */
import { DEFAULT_MEMPOOL_OPTIONS, type MempoolOptions } from '#mempool';
import { NodeError } from '#util';
import type { Settings } from './options.ts';

const MB = 1_000_000;
const HOUR_MS = 3_600_000;
const KVB = 1_000;
/** Core's least mempool holds so many families of the largest size. */
const MIN_FAMILIES = 40;

/** Throws NodeError `BAD_CONFIG`. */
export function mempoolSettings(settings: Settings): Partial<MempoolOptions> {
  const { maxMempool, limitDescendantSize } = settings;
  const leastMb = Math.ceil((MIN_FAMILIES * limitDescendantSize * KVB) / MB);
  if (maxMempool < leastMb) {
    const why = `${MIN_FAMILIES} times --limit-descendant-size`;
    throw new NodeError('BAD_CONFIG', `--max-mempool ${maxMempool} is below the least of ${leastMb} MB, ${why}`);
  }
  return {
    maxBytes: maxMempool * MB,
    expiryMs: settings.mempoolExpiry * HOUR_MS,
    ...feeRates(settings),
    chainLimits: {
      ancestors: settings.limitAncestorCount,
      ancestorVsize: settings.limitAncestorSize * KVB,
      descendants: settings.limitDescendantCount,
      descendantVsize: limitDescendantSize * KVB,
    },
    dataCarrierBytes: settings.dataCarrier ? settings.dataCarrierSize : 0,
    permitBareMultisig: settings.permitBareMultisig,
    bytesPerSigOp: settings.bytesPerSigop,
    fullRbf: settings.mempoolFullRbf,
    requireStandard: !settings.acceptNonstdTxn,
  };
}

/** The incremental fee alone may be given, to raise both (as Core's ApplyArgsManOptions has it). */
function feeRates(
  settings: Settings,
): Pick<MempoolOptions, 'minRelayFeeSatPerKvb' | 'incrementalFeeSatPerKvb' | 'dustRelayFeeSatPerKvb'> {
  const { minRelayFeeSatPerKvb, incrementalFeeSatPerKvb, dustRelayFeeSatPerKvb } = DEFAULT_MEMPOOL_OPTIONS;
  const incremental = settings.incrementalRelayFee ?? incrementalFeeSatPerKvb;
  return {
    minRelayFeeSatPerKvb: settings.minRelayTxFee ?? Math.max(minRelayFeeSatPerKvb, incremental),
    incrementalFeeSatPerKvb: incremental,
    dustRelayFeeSatPerKvb: settings.dustRelayFee ?? dustRelayFeeSatPerKvb,
  };
}
