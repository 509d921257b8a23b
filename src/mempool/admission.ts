/**
 * The way into the pool: checks, scripts, entry, and who must leave for it. A transaction enters in one synchronous
 * step with the checks that let it in: when pool or chain moved while its scripts ran, the checks are made again.
 */
import type { ChainReader } from '#chain';
import { scriptFlagsForBlock } from '#consensus';
import type { Transaction, Txid } from '#primitives';
import { type Clock, errorText, type Logger } from '#util';
import type { ScriptVerifier } from '#verify';
import type { FeeDeltas } from './fee-deltas.ts';
import type { PoolObservers } from './observer.ts';
import type { MempoolOptions } from './options.ts';
import { type Pool, packageTotals, withDescendants } from './pool.ts';
import type { AdmissionContext } from './pool-checks.ts';
import { feeRate, memoryUsage, type PoolEntry } from './pool-entry.ts';
import type { AcceptedVerdict, MempoolVerdict } from './port.ts';
import { type PreChecked, type PreCheckTerms, preCheck } from './pre-checks.ts';
import { checkReplacement, type Replacement } from './replacement.ts';
import type { RollingFee } from './rolling-fee.ts';
import { checkScripts } from './script-checks.ts';
import type { ScriptMemory } from './script-memory.ts';
import type { SyncedTip } from './synced-tip.ts';
import { reconsiderable } from './verdicts.ts';

export type Checked = PreChecked & Replacement;

export type AdmissionDeps = {
  readonly chain: ChainReader;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: Pool;
  readonly observers: PoolObservers;
  readonly feeDeltas: FeeDeltas;
  readonly scripts: ScriptMemory;
  readonly rollingFee: RollingFee;
  readonly syncedTip: SyncedTip;
};

const FULL = reconsiderable('mempool full');

export class Admission {
  readonly #deps: AdmissionDeps;
  readonly #options: MempoolOptions;
  readonly #pool: Pool;
  readonly #signal: AbortSignal;

  /** After the signal aborts everything is `unavailable`. */
  constructor(deps: AdmissionDeps, options: MempoolOptions, signal: AbortSignal) {
    this.#deps = deps;
    this.#options = options;
    this.#pool = deps.pool;
    this.#signal = signal;
  }

  /** Unless it is `single`, the caller trims. */
  async admit(tx: Transaction, context: AdmissionContext = 'single', timeMs?: number): Promise<MempoolVerdict> {
    for (;;) {
      if (context !== 'block') await this.caughtUp();
      const before = this.state();
      const checked = this.check(tx, context);
      if (checked.kind !== 'passed') return checked;
      if (context === 'single' && this.#wouldLeaveAtOnce(tx, checked)) return FULL;
      const failed = await this.runScripts(tx, checked);
      if (failed !== undefined) return failed;
      if (this.state() === before) return this.#enter(tx, checked, context, timeMs);
    }
  }

  /** Expired transactions leave, then the least worthy until the rest fits (Core's LimitMempoolSize). */
  trim(): void {
    this.#expire();
    const { maxBytes, maxTxs } = this.#options;
    let evicted = 0;
    while (this.#pool.usage > maxBytes || this.#pool.size > maxTxs) {
      const worst = this.#pool.leastWorthy();
      if (worst === undefined) break;
      const leaving = withDescendants([worst]);
      this.#deps.rollingFee.evicted(packageTotals(leaving));
      this.#pool.removeWithDescendants(leaving, 'sizelimit');
      evicted += leaving.size;
    }
    if (evicted > 0) this.#deps.log.debug('mempool is full', { evicted, left: this.#pool.size });
  }

  /** To be awaited before the checks of what is not part of a change of the chain. */
  caughtUp(): Promise<void> {
    return this.#deps.syncedTip.caughtUp();
  }

  /** Another text after each change of pool or tip: checks hold as long as it is the same. */
  state(): string {
    return `${this.#pool.version} ${this.#deps.chain.tip().hash}`;
  }

  preCheck(
    tx: Transaction,
    context: AdmissionContext,
    inPackage?: ReadonlyMap<Txid, Transaction>,
  ): PreChecked | MempoolVerdict {
    const { chain, pool, feeDeltas } = this.#deps;
    return preCheck({ chain, pool, feeDeltas, inPackage }, tx, this.terms(context));
  }

  terms(context: AdmissionContext): PreCheckTerms {
    return { ...this.#options, rollingFeeSatPerKvb: this.#deps.rollingFee.satPerKvb(), context };
  }

  /** To be followed by `add` in the same step. */
  replace(replaced: ReadonlySet<PoolEntry>, by: Transaction): void {
    if (replaced.size === 0) return;
    this.#pool.removeWithDescendants(replaced, 'replaced');
    this.#deps.log.debug('transactions replaced', { by: by.txid, replaced: replaced.size });
  }

  /** Without making room: the caller trims. `timeMs`: when it entered a mempool first (Core's accept_time). */
  add(tx: Transaction, checked: PreChecked, timeMs = this.#deps.clock.now()): PoolEntry {
    const { fee, modifiedFee, vsize, sigOpCost, spendsCoinbase } = checked;
    const { height } = this.#deps.chain.tip();
    return this.#pool.add({ tx, fee, modifiedFee, vsize, sigOpCost, spendsCoinbase, time: timeMs, height });
  }

  /** Tells of an entry that got in: alone after room was made, of a package before (nothing is learned from those). */
  entered(entry: PoolEntry, context: AdmissionContext): AcceptedVerdict {
    const { height } = this.#deps.chain.tip();
    const inPackage = context === 'in-package' || context === 'package';
    this.#deps.observers.entered(entry, { height, fromBlock: context === 'block', inPackage });
    return { kind: 'accepted', fee: entry.fee, vsize: entry.vsize };
  }

  /** Everything but the scripts, what it would replace included. */
  check(tx: Transaction, context: AdmissionContext): Checked | MempoolVerdict {
    const checked = this.preCheck(tx, context);
    if (checked.kind !== 'passed') return checked;
    const { modifiedFee, vsize } = checked;
    const { incrementalFeeSatPerKvb } = this.#options;
    const replacement = checkReplacement(this.#pool, { tx, modifiedFee, vsize }, checked, incrementalFeeSatPerKvb);
    return replacement.kind === 'passed' ? { ...checked, ...replacement } : replacement;
  }

  #enter(tx: Transaction, checked: Checked, context: AdmissionContext, timeMs?: number): MempoolVerdict {
    this.replace(checked.replaced, tx);
    const entry = this.add(tx, checked, timeMs);
    if (context === 'single') this.trim();
    return this.#pool.has(entry) ? withReplaced(this.entered(entry, context), checked.replaced) : FULL;
  }

  /** Known without running scripts: no entry can rank lower, and adding it lifts nobody's rank above its own. */
  #wouldLeaveAtOnce(tx: Transaction, checked: Checked): boolean {
    // Who leaves for it makes room: decided after the entry.
    if (checked.replaced.size > 0) return false;
    const { maxBytes, maxTxs } = this.#options;
    const fits = this.#pool.usage + memoryUsage(tx) <= maxBytes && this.#pool.size < maxTxs;
    const worst = this.#pool.leastWorthy();
    return !fits && (worst === undefined || feeRate(checked) < worst.descendantScore);
  }

  /** What fails, undefined if nothing does. */
  async runScripts(tx: Transaction, checked: PreChecked): Promise<MempoolVerdict | undefined> {
    const { chain, verifier, scripts } = this.#deps;
    if (scripts.hasPassed(tx)) return undefined;
    const known = scripts.failureOf(tx);
    if (known !== undefined) return known;
    try {
      const { hash, height } = chain.tip();
      const blockFlags = scriptFlagsForBlock({ height: height + 1, hash }, chain.params);
      const failed = await checkScripts(verifier, tx, checked.spent, blockFlags, this.#signal);
      if (failed === undefined) scripts.passed(tx);
      else scripts.failed(tx, failed);
      return failed;
    } catch (error) {
      if (this.#signal.aborted) return { kind: 'unavailable', reason: 'the mempool is closed' };
      this.#deps.log.error('scripts could not be run', { txid: tx.txid, error: errorText(error) });
      return { kind: 'unavailable', reason: 'scripts could not be run' };
    }
  }

  #expire(): void {
    const before = this.#deps.clock.now() - this.#options.expiryMs;
    let removed = 0;
    for (;;) {
      const oldest = this.#pool.oldest();
      if (oldest === undefined || oldest.time >= before) break;
      removed += this.#pool.removeWithDescendants([oldest], 'expiry').size;
    }
    if (removed > 0) this.#deps.log.debug('transactions expired', { removed });
  }
}

/** Names what left for it, if anything did. */
export function withReplaced(verdict: AcceptedVerdict, replaced: ReadonlySet<PoolEntry>): AcceptedVerdict {
  return replaced.size === 0 ? verdict : { ...verdict, replaced: Array.from(replaced, ({ txid }) => txid) };
}
