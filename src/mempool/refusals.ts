/** Counts what was not let in, by Core's reject reason. Dry runs are left out. */
import { Tally } from '#meter';
import type { MempoolVerdict } from './port.ts';

/** What every node refuses now and then: shown from the start. Others show up when they come. */
const USUAL = [
  'missing-inputs',
  'unavailable',
  'txn-already-in-mempool',
  'txn-already-known',
  'txn-mempool-conflict',
  'insufficient fee',
  'min relay fee not met',
  'mempool min fee not met',
  'mempool full',
  'too-long-mempool-chain',
  'non-final',
  'dust',
];

export class Refusals {
  readonly #byReason = new Tally(USUAL);

  /** Gives the verdict back. */
  count<V extends MempoolVerdict | undefined>(verdict: V): V {
    if (verdict !== undefined && verdict.kind !== 'accepted') this.#byReason.add(reasonOf(verdict));
    return verdict;
  }

  byReason(): Readonly<Record<string, number>> {
    return this.#byReason.figures();
  }
}

function reasonOf(verdict: Exclude<MempoolVerdict, { kind: 'accepted' }>): string {
  switch (verdict.kind) {
    case 'missing-inputs':
    case 'unavailable':
      return verdict.kind;
    case 'consensus':
      return withoutDetail(verdict.failure.code);
    case 'duplicate':
    case 'policy':
      return withoutDetail(verdict.code);
  }
}

/** `mandatory-script-verify-flag-failed (Script evaluated without error but finished with …)` */
function withoutDetail(code: string): string {
  const end = code.indexOf(' (');
  return end < 0 ? code : code.slice(0, end);
}
