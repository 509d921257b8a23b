/**
 * The way into the pool: checks, scripts, entry, and who must leave for it. A transaction enters in one synchronous
 * step with the checks that let it in: when pool or chain moved while its scripts ran, the checks are made again.
 */
import type { ChainReader } from '#chain';
import { scriptFlagsForBlock } from '#consensus';
import type { Transaction } from '#primitives';
import { type Clock, errorText, type Logger } from '#util';
import type { ScriptVerifier } from '#verify';
import type { MempoolOptions } from './options.ts';
import { feeRate, memoryUsage, type Pool, type PoolEntry } from './pool.ts';
import type { MempoolVerdict } from './port.ts';
import { type PreChecked, preCheck } from './pre-checks.ts';
import { checkScripts } from './script-checks.ts';
import type { ScriptMemory } from './script-memory.ts';

export type AdmissionDeps = {
  readonly chain: ChainReader;
  readonly verifier: ScriptVerifier;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: Pool;
  readonly scripts: ScriptMemory;
};

export type AdmissionTerms = {
  /** It was in a block: it need not pay for relay, and who leaves for it is decided later (Core's bypass_limits). */
  readonly fromBlock: boolean;
};

const FROM_OUTSIDE: AdmissionTerms = { fromBlock: false };
const FULL: MempoolVerdict = { kind: 'policy', code: 'mempool full' };

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

  async admit(tx: Transaction, terms: AdmissionTerms = FROM_OUTSIDE): Promise<MempoolVerdict> {
    for (;;) {
      const before = this.#state();
      const checked = preCheck({ chain: this.#deps.chain, pool: this.#pool }, tx, {
        ...this.#options,
        bypassFee: terms.fromBlock,
      });
      if (checked.kind !== 'passed') return checked;
      if (!terms.fromBlock && this.#wouldLeaveAtOnce(tx, checked)) return FULL;
      const failed = await this.#runScripts(tx, checked);
      if (failed !== undefined) return failed;
      if (this.#state() === before) return this.#enter(tx, checked, terms);
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
      evicted += this.#pool.removeWithDescendants([worst]).size;
    }
    if (evicted > 0) this.#deps.log.debug('mempool is full', { evicted, left: this.#pool.size });
  }

  #state(): string {
    return `${this.#pool.version} ${this.#deps.chain.tip().hash}`;
  }

  #enter(tx: Transaction, checked: PreChecked, terms: AdmissionTerms): MempoolVerdict {
    const { fee, vsize, sigOpCost, spendsCoinbase } = checked;
    const time = this.#deps.clock.now();
    const entry = this.#pool.add({ tx, fee, vsize, sigOpCost, spendsCoinbase, time });
    if (!terms.fromBlock) this.trim();
    return this.#pool.has(entry) ? { kind: 'accepted', fee, vsize } : FULL;
  }

  /** Known without running scripts: no entry can rank lower, and adding it lifts nobody's rank above its own. */
  #wouldLeaveAtOnce(tx: Transaction, checked: PreChecked): boolean {
    const { maxBytes, maxTxs } = this.#options;
    const fits = this.#pool.usage + memoryUsage(tx) <= maxBytes && this.#pool.size < maxTxs;
    const worst = this.#pool.leastWorthy();
    return !fits && (worst === undefined || feeRate(checked) < worst.descendantScore);
  }

  async #runScripts(tx: Transaction, checked: PreChecked): Promise<MempoolVerdict | undefined> {
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

  /** Entries are in the order of arrival, so the first young one ends the search. */
  #expire(): void {
    const before = this.#deps.clock.now() - this.#options.expiryMs;
    const expired: PoolEntry[] = [];
    for (const entry of this.#pool.entries()) {
      if (entry.time >= before) break;
      expired.push(entry);
    }
    if (expired.length === 0) return;
    const removed = this.#pool.removeWithDescendants(expired).size;
    this.#deps.log.debug('transactions expired', { removed });
  }
}
