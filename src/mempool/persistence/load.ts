/** Brings back what mempool.dat holds, each transaction through the checks of any other (Core's LoadMempool). */
import type { Sats, Transaction, Txid } from '#primitives';
import { type Clock, Slices } from '#util';
import type { LoadCounts, LoadOptions, MempoolVerdict } from '../port.ts';
import { type FileSource, readMempoolFile } from './read-file.ts';

export type LoadDeps = {
  readonly submit: (tx: Transaction, timeMs: number) => Promise<MempoolVerdict>;
  readonly prioritise: (txid: Txid, feeDelta: Sats) => unknown;
  /** False when the transaction is not in the mempool. */
  readonly addUnbroadcast: (txid: Txid) => boolean;
  readonly clock: Clock;
  readonly expiryMs: number;
};

/**
 * Rejects with the signal's reason when that aborts, with NodeError where the file is damaged or cannot be read; what came
 * before stays.
 */
export async function loadMempoolFile(
  deps: LoadDeps,
  source: FileSource,
  signal: AbortSignal,
  options: LoadOptions = {},
): Promise<LoadCounts> {
  const { usesCurrentTime = false, appliesFeeDeltas = true, appliesUnbroadcast = true } = options;
  const counts = { accepted: 0, failed: 0, expired: 0, alreadyThere: 0, unbroadcast: 0 };
  const slices = new Slices(deps.clock);
  for await (const record of readMempoolFile(source)) {
    // Records that need no check would else follow each other without a turn of the event loop.
    await slices.rest();
    signal.throwIfAborted();
    switch (record.kind) {
      case 'tx':
        if (appliesFeeDeltas && record.feeDelta !== 0n) deps.prioritise(record.tx.txid, record.feeDelta);
        counts[await loadTx(deps, record.tx, usesCurrentTime ? undefined : record.time)]++;
        break;
      case 'fee-delta':
        if (appliesFeeDeltas) deps.prioritise(record.txid, record.feeDelta);
        break;
      case 'unbroadcast':
        if (appliesUnbroadcast && deps.addUnbroadcast(record.txid)) counts.unbroadcast++;
        break;
    }
  }
  signal.throwIfAborted();
  return counts;
}

async function loadTx(
  { submit, clock, expiryMs }: LoadDeps,
  tx: Transaction,
  time: bigint | undefined,
): Promise<Exclude<keyof LoadCounts, 'unbroadcast'>> {
  const nowMs = clock.now();
  if (time !== undefined && time <= BigInt(Math.floor((nowMs - expiryMs) / 1000))) return 'expired';
  // A clock that was set back must not keep it for longer.
  const timeMs = time === undefined ? nowMs : Math.min(Number(time) * 1000, nowMs);
  const verdict = await submit(tx, timeMs);
  if (verdict.kind === 'accepted') return 'accepted';
  return verdict.kind === 'duplicate' && verdict.code.endsWith('in-mempool') ? 'alreadyThere' : 'failed';
}
