/** The mempool's settings and their defaults (Core's where Core has one). */
import type { NetworkParams } from '#consensus';
import { NodeError } from '#util';
import { type ChainLimits, DEFAULT_CHAIN_LIMITS } from './chain-limits.ts';
import {
  BYTES_PER_SIGOP,
  DUST_RELAY_FEE_SAT_PER_KVB,
  INCREMENTAL_RELAY_FEE_SAT_PER_KVB,
  MAX_DISCONNECTED_BYTES,
  MAX_OP_RETURN_BYTES,
  MIN_RELAY_FEE_SAT_PER_KVB,
} from './policy.ts';

export type MempoolOptions = {
  /** Estimated bytes of memory for all transactions (Core's -maxmempool). */
  readonly maxBytes: number;
  /** Transactions, however small. */
  readonly maxTxs: number;
  /** How long a transaction stays unconfirmed (Core's -mempoolexpiry). */
  readonly expiryMs: number;
  readonly minRelayFeeSatPerKvb: number;
  /** What a replacement pays for its own relay (Core's -incrementalrelayfee). */
  readonly incrementalFeeSatPerKvb: number;
  /** False takes what is not standard too: for test chains only (Core's -acceptnonstdtxn). */
  readonly requireStandard: boolean;
  /** Outputs that cost more to spend at this rate than they are worth are dust (Core's -dustrelayfee). */
  readonly dustRelayFeeSatPerKvb: number;
  /** Bare multisig outputs of up to three keys are standard (Core's -permitbaremultisig). */
  readonly permitBareMultisig: boolean;
  /** Bytes of an OP_RETURN output's script; 0: no such outputs (Core's -datacarriersize, -datacarrier=0). */
  readonly dataCarrierBytes: number;
  /** Virtual bytes that a signature operation counts for at least (Core's -bytespersigop). */
  readonly bytesPerSigOp: number;
  /** Whether what does not signal that it may be replaced is replaced as well (Core's -mempoolfullrbf). */
  readonly fullRbf: boolean;
  /** What may hang together (Core's -limitancestorcount and its like). The work of any change grows with its square. */
  readonly chainLimits: ChainLimits;
  /** Bytes of disconnected blocks kept to bring their transactions back. */
  readonly maxDisconnectedBytes: number;
  /** Transactions whose scripts are known to pass, some 150 bytes each; a quarter as many whose scripts fail. */
  readonly maxScriptResults: number;
  /** Submitted and not decided yet: of all peers together, of one peer, and their bytes. `local` counts apart. */
  readonly maxPending: number;
  readonly maxPendingPerOrigin: number;
  readonly maxPendingBytes: number;
};

const HOUR_MS = 3_600_000;

export const DEFAULT_MEMPOOL_OPTIONS: MempoolOptions = {
  maxBytes: 300_000_000,
  maxTxs: 500_000,
  expiryMs: 336 * HOUR_MS,
  minRelayFeeSatPerKvb: MIN_RELAY_FEE_SAT_PER_KVB,
  incrementalFeeSatPerKvb: INCREMENTAL_RELAY_FEE_SAT_PER_KVB,
  requireStandard: true,
  dustRelayFeeSatPerKvb: DUST_RELAY_FEE_SAT_PER_KVB,
  permitBareMultisig: true,
  dataCarrierBytes: MAX_OP_RETURN_BYTES,
  bytesPerSigOp: BYTES_PER_SIGOP,
  fullRbf: true,
  chainLimits: DEFAULT_CHAIN_LIMITS,
  maxDisconnectedBytes: MAX_DISCONNECTED_BYTES,
  // Some ten full blocks.
  maxScriptResults: 40_000,
  maxPending: 1_000,
  maxPendingPerOrigin: 600,
  maxPendingBytes: 16_000_000,
};

/** Throws NodeError `BAD_CONFIG` for what a network does not allow. To be called before its chain is opened. */
export function checkMempoolOptions(options: Partial<MempoolOptions>, { chainName }: NetworkParams): void {
  if (options.requireStandard !== false || chainName !== 'main') return;
  throw new NodeError(
    'BAD_CONFIG',
    'transactions that are not standard (--accept-nonstd-txn) are taken on test chains only, not on mainnet',
  );
}
