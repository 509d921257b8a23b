/**
 * One parent and one child into the pool together, when the parent alone pays too little: Core's AcceptPackage. Each is
 * tried alone first, so that fees are not counted twice; only what failed for its fee, or for want of the parent, is
 * judged as a package. While that goes on the pool may hold two transactions more than its bounds allow.
 */
import type { ChainReader } from '#chain';
import { type Transaction, type Txid, txidFromBytes } from '#primitives';
import { type Admission, withReplaced } from './admission.ts';
import { effectiveFee } from './dry-run.ts';
import type { MempoolOptions } from './options.ts';
import { checkTogether, type PackageTerms, TRANSACTION_FAILED } from './package-checks.ts';
import { checkPackage } from './package-rules.ts';
import type { Pool } from './pool.ts';
import type { MempoolVerdict, PackageFailure, PackageVerdict } from './port.ts';
import { checkKnown, type PreChecked } from './pre-checks.ts';
import type { Replacement } from './replacement.ts';
import { policy } from './verdicts.ts';

export type PackageAdmissionDeps = {
  readonly chain: Pick<ChainReader, 'getCoin'>;
  readonly pool: Pool;
  readonly admission: Admission;
};

type Both = { readonly parent: MempoolVerdict; readonly child: MempoolVerdict };

type Checked = Replacement & { readonly parent: PreChecked; readonly child: PreChecked };

export class PackageAdmission {
  readonly #deps: PackageAdmissionDeps;
  readonly #options: MempoolOptions;

  constructor(deps: PackageAdmissionDeps, options: MempoolOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** `besides`: other parents of the child, that came with it and are in the pool. */
  async admit(parent: Transaction, child: Transaction, besides: readonly Txid[] = []): Promise<PackageVerdict> {
    const malformed = checkPackage(parent, child) ?? this.#checkInputs(child, new Set([parent.txid, ...besides]));
    if (malformed !== undefined) return { failure: malformed };
    const alone = { parent: await this.#alone(parent), child: await this.#alone(child) };
    const asPackage = mayPassTogether(alone.parent) && mayPassTogether(alone.child);
    const together = asPackage ? await this.#together(parent, child) : {};
    this.#deps.admission.trim();
    return this.#settled(parent, child, { ...alone, ...together });
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

  async #together(parent: Transaction, child: Transaction): Promise<PackageVerdict> {
    const { admission } = this.#deps;
    for (;;) {
      await admission.caughtUp();
      const before = admission.state();
      const checked = this.#check(parent, child);
      if (!('replaced' in checked)) return checked;
      const parentFailed = await admission.runScripts(parent, checked.parent);
      if (parentFailed !== undefined) return { failure: TRANSACTION_FAILED, parent: parentFailed };
      const childFailed = await admission.runScripts(child, checked.child);
      if (childFailed !== undefined) return { failure: TRANSACTION_FAILED, child: childFailed };
      if (admission.state() !== before) continue;
      admission.replace(checked.replaced, child);
      const [first, second] = [admission.add(parent, checked.parent), admission.add(child, checked.child)];
      const effective = effectiveFee([first, second]);
      return {
        parent: { ...admission.entered(first, 'package'), effective },
        child: { ...withReplaced(admission.entered(second, 'package'), checked.replaced), effective },
      };
    }
  }

  #check(parent: Transaction, child: Transaction): Checked | PackageVerdict {
    const { pool, admission } = this.#deps;
    const ofParent = admission.preCheck(parent, 'package');
    if (ofParent.kind !== 'passed') return { failure: TRANSACTION_FAILED, parent: ofParent };
    const ofChild = admission.preCheck(child, 'package', new Map([[parent.txid, parent]]));
    if (ofChild.kind !== 'passed') return { failure: TRANSACTION_FAILED, child: ofChild };
    const terms: PackageTerms = { ...this.#options, ...admission.terms('package') };
    const together = checkTogether(pool, { tx: parent, ...ofParent }, { tx: child, ...ofChild }, terms);
    return 'replaced' in together ? { ...together, parent: ofParent, child: ofChild } : together;
  }

  /** After the pool was trimmed: what had to leave at once did not get in. */
  #settled(parent: Transaction, child: Transaction, found: Both & PackageVerdict): PackageVerdict {
    const settle = (tx: Transaction, verdict: MempoolVerdict): MempoolVerdict => {
      const gotIn =
        verdict.kind === 'accepted' || (verdict.kind === 'duplicate' && verdict.code !== 'txn-already-known');
      return gotIn && this.#deps.pool.byTxid(tx.txid) === undefined ? policy('mempool full') : verdict;
    };
    const both = { parent: settle(parent, found.parent), child: settle(child, found.child) };
    const areIn = [parent, child].every((tx) => this.#deps.pool.byTxid(tx.txid) !== undefined);
    return areIn ? both : { failure: found.failure ?? TRANSACTION_FAILED, ...both };
  }
}

function mayPassTogether(verdict: MempoolVerdict): boolean {
  return verdict.kind === 'missing-inputs' || (verdict.kind === 'policy' && verdict.reconsiderable === true);
}
