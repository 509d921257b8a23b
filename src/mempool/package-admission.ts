/**
 * A child and parents of it into the pool together, when parents alone pay too little: Core's AcceptPackage. Each is tried
 * alone first, so that fees are not counted twice; only what failed for its fee, or for want of a parent, is judged as a
 * package. While that goes on the pool may hold a package more than its bounds allow.
 */
import type { ChainReader } from '#chain';
import { type Transaction, type Txid, txidFromBytes } from '#primitives';
import { type Admission, withReplaced } from './admission.ts';
import { effectiveFee } from './dry-run.ts';
import type { MempoolOptions } from './options.ts';
import { checkTogether, type Member, type PackageTerms, TRANSACTION_FAILED } from './package-checks.ts';
import { checkPackage } from './package-rules.ts';
import type { Pool } from './pool.ts';
import type { DryRun, MempoolVerdict, PackageFailure } from './port.ts';
import { checkKnown, type PreChecked } from './pre-checks.ts';
import type { Replacement } from './replacement.ts';
import { policy } from './verdicts.ts';

export type PackageAdmissionDeps = {
  readonly chain: Pick<ChainReader, 'getCoin'>;
  readonly pool: Pool;
  readonly admission: Admission;
};

type Verdicts = ReadonlyMap<Transaction, MempoolVerdict>;
/** What became of those that were judged together: of one alone where that one failed. */
type Together = { readonly failure?: PackageFailure; readonly verdicts: Verdicts };
type Checked = Replacement & { readonly members: readonly (Member & PreChecked)[] };

export class PackageAdmission {
  readonly #deps: PackageAdmissionDeps;
  readonly #options: MempoolOptions;

  constructor(deps: PackageAdmissionDeps, options: MempoolOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Verdicts in the order of parents and child. `besides`: other parents, that came with it and are in the pool. */
  async admit(parents: readonly Transaction[], child: Transaction, besides: readonly Txid[] = []): Promise<DryRun> {
    const txs = [...parents, child];
    const known = new Set([...parents.map(({ txid }) => txid), ...besides]);
    const malformed = checkPackage(parents, child) ?? this.#checkInputs(child, known);
    if (malformed !== undefined) return { failure: malformed, verdicts: txs.map(() => undefined) };
    const alone = new Map<Transaction, MempoolVerdict>();
    for (const tx of txs) alone.set(tx, await this.#alone(tx));
    const left = txs.filter((tx) => !isIn(alone.get(tx)));
    const asPackage = left.length > 1 && left.every((tx) => mayPassTogether(alone.get(tx)));
    const together = asPackage ? await this.#together(left, child) : { verdicts: new Map() };
    this.#deps.admission.trim();
    return this.#settled(txs, { ...together, verdicts: new Map([...alone, ...together.verdicts]) });
  }

  /** Everything that the child spends is confirmed or of the package: that has all unconfirmed parents. */
  #checkInputs(child: Transaction, inPackage: ReadonlySet<Txid>): PackageFailure | undefined {
    const { chain } = this.#deps;
    const known = child.inputs.every(
      ({ prevTxid, prevIndex }) =>
        inPackage.has(txidFromBytes(prevTxid)) || chain.getCoin({ txid: prevTxid, index: prevIndex }) !== undefined,
    );
    return known ? undefined : { code: 'package-not-child-with-unconfirmed-parents' };
  }

  async #alone(tx: Transaction): Promise<MempoolVerdict> {
    const { pool, admission } = this.#deps;
    return checkKnown(pool, tx) ?? admission.admit(tx, 'in-package');
  }

  async #together(txs: readonly Transaction[], child: Transaction): Promise<Together> {
    const { admission } = this.#deps;
    for (;;) {
      await admission.caughtUp();
      const before = admission.state();
      const checked = this.#check(txs);
      if (!('members' in checked)) return checked;
      const { members, replaced } = checked;
      for (const member of members) {
        const failed = await admission.runScripts(member.tx, member);
        if (failed !== undefined) return failedOf(member.tx, failed);
      }
      if (admission.state() !== before) continue;
      admission.replace(replaced, child);
      const entries = members.map((member) => ({ tx: member.tx, entry: admission.add(member.tx, member) }));
      const effective = effectiveFee(entries.map(({ entry }) => entry));
      const verdicts = entries.map(({ tx, entry }): [Transaction, MempoolVerdict] => {
        const entered = admission.entered(entry, 'package');
        return [tx, { ...(tx === child ? withReplaced(entered, replaced) : entered), effective }];
      });
      return { verdicts: new Map(verdicts) };
    }
  }

  #check(txs: readonly Transaction[]): Checked | Together {
    const { pool, admission } = this.#deps;
    const inPackage = new Map<Txid, Transaction>();
    const members: Checked['members'][number][] = [];
    for (const tx of txs) {
      const checked = admission.preCheck(tx, 'package', inPackage);
      if (checked.kind !== 'passed') return failedOf(tx, checked);
      members.push({ tx, ...checked });
      inPackage.set(tx.txid, tx);
    }
    const terms: PackageTerms = { ...this.#options, ...admission.terms('package') };
    const together = checkTogether(pool, members, terms);
    if ('replaced' in together) return { ...together, members };
    const last = txs.at(-1);
    const { failure, poor } = together;
    return { failure, verdicts: new Map(last === undefined || poor === undefined ? [] : [[last, poor]]) };
  }

  /** After the pool was trimmed: what had to leave at once did not get in. */
  #settled(txs: readonly Transaction[], { failure, verdicts }: Together): DryRun {
    const { pool } = this.#deps;
    const settled = txs.map((tx) => {
      const verdict = verdicts.get(tx);
      return isIn(verdict) && pool.byTxid(tx.txid) === undefined ? policy('mempool full') : verdict;
    });
    const areIn = txs.every((tx) => pool.byTxid(tx.txid) !== undefined);
    return areIn ? { verdicts: settled } : { failure: failure ?? TRANSACTION_FAILED, verdicts: settled };
  }
}

function failedOf(tx: Transaction, verdict: MempoolVerdict): Together {
  return { failure: TRANSACTION_FAILED, verdicts: new Map([[tx, verdict]]) };
}

function isIn(verdict: MempoolVerdict | undefined): boolean {
  return verdict?.kind === 'accepted' || (verdict?.kind === 'duplicate' && verdict.code !== 'txn-already-known');
}

function mayPassTogether(verdict: MempoolVerdict | undefined): boolean {
  return verdict?.kind === 'missing-inputs' || (verdict?.kind === 'policy' && verdict.reconsiderable === true);
}
