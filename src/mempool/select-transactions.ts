/**
 * Which transactions of the mempool a block takes: Core's BlockAssembler::addPackageTxs. Again and again the entry
 * whose package (itself and its ancestors that are not in the block yet) pays the highest rate is taken with its
 * ancestors, until nothing that pays enough fits.
 */
import { isFinalTx, limits } from '#consensus';
import type { Sats } from '#primitives';
import { IndexedHeap } from './indexed-heap.ts';
import { minFee } from './policy.ts';
import { feeRate, type MempoolEntry } from './pool-entry.ts';

export type Selection = {
  /** Parents before children. */
  readonly entries: readonly MempoolEntry[];
  readonly fees: Sats;
  /** With what is set aside. */
  readonly weight: number;
  /** Of what was taken together, in the order in which it was. */
  readonly packages: readonly PackageRate[];
};

export type PackageRate = { readonly satPerVb: number; readonly vsize: number };

export type SelectionTerms = {
  /** Of the block to be. */
  readonly height: number;
  /** Median time past of its parent, Unix seconds. */
  readonly medianTimePast: number;
  /** Whether the block may hold transactions with a witness. */
  readonly segwitActive: boolean;
  /** Packages that pay less stay out (Core's -blockmintxfee). */
  readonly minFeeSatPerKvb: number;
  /** The block stays below both; at most what consensus allows. */
  readonly maxWeight: number;
  readonly maxSigOpCost: number;
};

/** Core's defaults: blocks are filled to 4,000 weight units below the limit, at 1 sat/vB or more. */
export const DEFAULT_SELECTION_TERMS = {
  minFeeSatPerKvb: 1_000,
  maxWeight: limits.MAX_BLOCK_WEIGHT - 4_000,
  maxSigOpCost: limits.MAX_BLOCK_SIGOPS_COST,
};

/** Set aside for header, count and coinbase before the first transaction (as in Core). */
export const RESERVED_WEIGHT = 4_000;
const RESERVED_SIGOP_COST = 400;
/** With a block this close to full the search ends after so many packages in a row that do not fit (as in Core). */
const NEARLY_FULL_WEIGHT = 4_000;
const MAX_FAILURES = 1_000;

export function selectTransactions(entries: Iterable<MempoolEntry>, terms: SelectionTerms): Selection {
  const block = new BlockFiller(terms);
  for (const entry of entries) block.offer(entry);
  while (block.takeBest()) {}
  return { entries: [...block.taken], fees: block.fees, weight: block.weight, packages: block.packages };
}

type Candidate = {
  readonly entry: MempoolEntry;
  /** sat per vbyte of the package as it stands now. */
  rate: number;
  heapIndex: number;
};

class BlockFiller {
  readonly taken = new Set<MempoolEntry>();
  readonly packages: PackageRate[] = [];
  fees: Sats = 0n;
  readonly #terms: SelectionTerms;
  readonly #candidates = new Map<MempoolEntry, Candidate>();
  readonly #queue = new IndexedHeap<Candidate>((a, b) => a.rate > b.rate);
  #weight = RESERVED_WEIGHT;
  #sigOpCost = RESERVED_SIGOP_COST;
  #failures = 0;

  get weight(): number {
    return this.#weight;
  }

  constructor(terms: SelectionTerms) {
    this.#terms = terms;
  }

  offer(entry: MempoolEntry): void {
    const candidate = { entry, rate: this.#rateOf(entry), heapIndex: -1 };
    this.#candidates.set(entry, candidate);
    this.#queue.push(candidate);
  }

  /** Takes the best package or leaves it for good; false when the block is done. */
  takeBest(): boolean {
    const best = this.#queue.pop();
    if (best === undefined) return false;
    const found = missingPackage(best.entry, this.taken);
    const totals = totalsOf(found);
    if (totals.modifiedFee < minFee(this.#terms.minFeeSatPerKvb, totals.vsize)) return false;
    if (!this.#fits(totals)) {
      this.#failures++;
      return this.#failures <= MAX_FAILURES || this.#weight <= this.#terms.maxWeight - NEARLY_FULL_WEIGHT;
    }
    if (!found.every((entry) => this.#mayEnter(entry))) return true;
    this.#failures = 0;
    this.packages.push({ satPerVb: feeRate(totals), vsize: totals.vsize });
    this.#weight += totals.weight;
    this.#sigOpCost += totals.sigOpCost;
    for (const entry of found) this.#take(entry);
    return true;
  }

  #take(entry: MempoolEntry): void {
    this.taken.add(entry);
    // Nobody pays the deltas that it was chosen by.
    this.fees += entry.fee;
    const own = this.#candidates.get(entry);
    if (own !== undefined && own.heapIndex !== -1) this.#queue.remove(own);
    // What stands on it has less to pay for from now on, or less help.
    for (const descendant of descendantsOf(entry)) {
      const candidate = this.#candidates.get(descendant);
      if (candidate === undefined || candidate.heapIndex === -1 || this.taken.has(descendant)) continue;
      candidate.rate = this.#rateOf(descendant);
      this.#queue.update(candidate);
    }
  }

  #rateOf(entry: MempoolEntry): number {
    return feeRate(totalsOf(missingPackage(entry, this.taken)));
  }

  #fits(totals: PackageSize): boolean {
    return (
      this.#weight + totals.weight < this.#terms.maxWeight &&
      this.#sigOpCost + totals.sigOpCost < this.#terms.maxSigOpCost
    );
  }

  #mayEnter(entry: MempoolEntry): boolean {
    const { height, medianTimePast, segwitActive } = this.#terms;
    return isFinalTx(entry, height, medianTimePast) && (segwitActive || !entry.hasWitness);
  }
}

type PackageSize = {
  readonly modifiedFee: Sats;
  readonly vsize: number;
  readonly weight: number;
  readonly sigOpCost: number;
};

function totalsOf(entries: readonly MempoolEntry[]): PackageSize {
  let modifiedFee = 0n;
  let vsize = 0;
  let weight = 0;
  let sigOpCost = 0;
  for (const entry of entries) {
    modifiedFee += entry.modifiedFee;
    vsize += entry.vsize;
    weight += entry.weight;
    sigOpCost += entry.sigOpCost;
  }
  return { modifiedFee, vsize, weight, sigOpCost };
}

/** The entry and its ancestors that are not taken yet, parents first. Chains are short (chain-limits.ts). */
function missingPackage(entry: MempoolEntry, taken: ReadonlySet<MempoolEntry>): readonly MempoolEntry[] {
  if (entry.parents.size === 0) return [entry];
  const found = new Set<MempoolEntry>();
  const visit = (at: MempoolEntry): void => {
    if (taken.has(at) || found.has(at)) return;
    for (const parent of at.parents) visit(parent);
    found.add(at);
  };
  visit(entry);
  return [...found];
}

function descendantsOf(entry: MempoolEntry): ReadonlySet<MempoolEntry> {
  const found = new Set(entry.children);
  for (const child of found) {
    for (const next of child.children) found.add(next);
  }
  return found;
}
