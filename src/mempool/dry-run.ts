/**
 * What would become of transactions, with all checks and scripts, and nothing kept: Core's testmempoolaccept
 * (AcceptSingleTransaction and AcceptMultipleTransactions with test_accept). Several may spend each other's outputs; each
 * pays for itself, and none replaces anything.
 */
import type { Transaction, Txid } from '#primitives';
import type { Admission } from './admission.ts';
import { checkPackageLimits } from './chain-limits.ts';
import { satPerKvb } from './fee-rate.ts';
import type { MempoolOptions } from './options.ts';
import { TRANSACTION_FAILED } from './package-checks.ts';
import { checkWellFormed } from './package-rules.ts';
import { type Pool, packageTotals } from './pool.ts';
import type { MempoolEntry } from './pool-entry.ts';
import type { AcceptedVerdict, DryRun, EffectiveFee, MempoolVerdict, PackageFailure } from './port.ts';
import type { PreChecked } from './pre-checks.ts';
import { checkPackageTruc } from './truc.ts';

export type TrialDeps = {
  readonly pool: Pool;
  readonly admission: Admission;
};

type Member = PreChecked & { readonly tx: Transaction };

export class Trial {
  readonly #deps: TrialDeps;
  readonly #options: Pick<MempoolOptions, 'chainLimits'>;

  constructor(deps: TrialDeps, options: Pick<MempoolOptions, 'chainLimits'>) {
    this.#deps = deps;
    this.#options = options;
  }

  async run(txs: readonly Transaction[]): Promise<DryRun> {
    const [only] = txs;
    if (txs.length === 1 && only !== undefined) return { verdicts: [await this.#runOne(only)] };
    const malformed = checkWellFormed(txs);
    return malformed === undefined ? this.#runAll(txs) : undecided(txs, malformed);
  }

  async #runOne(tx: Transaction): Promise<MempoolVerdict> {
    const { admission } = this.#deps;
    for (;;) {
      await admission.caughtUp();
      const before = admission.state();
      const checked = admission.check(tx, 'single');
      if (checked.kind !== 'passed') return checked;
      const failed = await admission.runScripts(tx, checked);
      if (failed !== undefined) return failed;
      if (admission.state() === before) return accepted({ tx, ...checked });
    }
  }

  async #runAll(txs: readonly Transaction[]): Promise<DryRun> {
    const { admission } = this.#deps;
    for (;;) {
      await admission.caughtUp();
      const before = admission.state();
      const checked = this.#check(txs);
      if (!('members' in checked)) return checked;
      const verdicts: MempoolVerdict[] = [];
      for (const member of checked.members) {
        const failed = await admission.runScripts(member.tx, member);
        verdicts.push(failed ?? accepted(member));
        if (failed !== undefined) return { failure: TRANSACTION_FAILED, verdicts };
      }
      if (admission.state() === before) return { verdicts };
    }
  }

  #check(txs: readonly Transaction[]): { readonly members: readonly Member[] } | DryRun {
    const { pool, admission } = this.#deps;
    const inPackage = new Map<Txid, Transaction>();
    const members: Member[] = [];
    for (const [at, tx] of txs.entries()) {
      const checked = admission.preCheck(tx, 'package-test', inPackage);
      if (checked.kind !== 'passed') {
        return { failure: TRANSACTION_FAILED, verdicts: [...Array<undefined>(at), checked] };
      }
      members.push({ tx, ...checked });
      inPackage.set(tx.txid, tx);
    }
    const violation = checkPackageTruc(members);
    if (violation !== undefined) return undecided(txs, { code: 'TRUC-violation', debug: violation });
    const parents = new Set(txs.flatMap((tx) => [...pool.parentsOf(tx)]));
    const tooLong = checkPackageLimits(parents, packageTotals(members), this.#options.chainLimits);
    return tooLong === undefined ? { members } : undecided(txs, { code: 'package-mempool-limits', debug: tooLong });
  }
}

/** Of all of them together: what each is judged by. */
export function effectiveFee(entries: readonly Pick<MempoolEntry, 'wtxid' | 'vsize' | 'modifiedFee'>[]): EffectiveFee {
  const { modifiedFee, vsize } = packageTotals(entries);
  return { satPerKvb: satPerKvb(modifiedFee, vsize), wtxids: entries.map(({ wtxid }) => wtxid) };
}

function accepted({ tx, fee, modifiedFee, vsize }: Member): AcceptedVerdict {
  return { kind: 'accepted', fee, vsize, effective: effectiveFee([{ wtxid: tx.wtxid, modifiedFee, vsize }]) };
}

function undecided(txs: readonly Transaction[], failure: PackageFailure): DryRun {
  return { failure, verdicts: txs.map(() => undefined) };
}
