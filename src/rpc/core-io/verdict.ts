/** What the mempool said of a transaction, in the words and codes of Core's calls. */
import type { MempoolVerdict } from '#mempool';
import type { Sats, Transaction } from '#primitives';
import { isUnspendable } from '#script';
import { RpcCode, RpcError } from '../errors.ts';
import { hasValidOps } from './decode-tx.ts';

/** Core's GetRejectReason. */
export function rejectReason(verdict: MempoolVerdict): string {
  switch (verdict.kind) {
    case 'policy':
    case 'duplicate':
      return verdict.code;
    case 'consensus':
      return verdict.failure.code;
    case 'missing-inputs':
      return 'bad-txns-inputs-missingorspent';
    case 'unavailable':
      return verdict.reason;
    case 'accepted':
      return '';
  }
}

/** Core's ValidationState::ToString. */
export function rejectText(verdict: MempoolVerdict): string {
  const debug = verdict.kind === 'policy' ? verdict.debug : verdict.kind === 'consensus' ? verdict.failure.debug : '';
  const reason = rejectReason(verdict);
  return debug === undefined || debug === '' ? reason : `${reason}, ${debug}`;
}

/** Core's HandleATMPError and RPCErrorFromTransactionError. */
export function rejected(verdict: MempoolVerdict): RpcError {
  const code = verdict.kind === 'missing-inputs' ? RpcCode.verifyError : RpcCode.verifyRejected;
  return new RpcError(code, rejectText(verdict));
}

/** What a fee may be at most; 0: anything. */
export function exceedsFeeRate(fee: Sats, vsize: number, maxFeeRateSatPerKvb: Sats): boolean {
  const most = (maxFeeRateSatPerKvb * BigInt(vsize) + 999n) / 1000n;
  return most > 0n && fee > most;
}

/** Throws RpcError when an output that nobody can spend holds more. */
export function checkBurn(tx: Transaction, maxBurn: Sats): void {
  const burns = tx.outputs.some(
    ({ value, scriptPubKey }) => value > maxBurn && (isUnspendable(scriptPubKey) || !hasValidOps(scriptPubKey)),
  );
  if (!burns) return;
  const message = 'Unspendable output exceeds maximum configured by user (maxburnamount)';
  throw new RpcError(RpcCode.verifyError, message);
}
