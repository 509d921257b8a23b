/**
 * One peer's chain of headers on its way into the tree, answer by answer: straight, or by way of `Presync` while the
 * peer has not shown the work that it takes. Knows no requests, no other peers and no blame: it names what went wrong.
 * Invariants: nothing below the anti-DoS threshold is added; each full answer leads to more work than the one before.
 */
import { antiDosWorkThreshold, type HeaderEntry, type HeadersVerdict } from '#chain';
import type { ValidationFailure } from '#consensus';
import type { BlockHash, BlockHeader } from '#primitives';
import type { OffenceName } from '#protocol';
import type { Clock, Random } from '#util';
import type { HeaderOptions } from './options.ts';
import type { SyncChain } from './port.ts';
import { Presync, type PresyncVerdict } from './presync.ts';

/** Core's MAX_LOCATOR_SZ. */
const MAX_LOCATOR_HASHES = 101;

export type RunOutcome =
  /** The peer may have more. */
  | { readonly kind: 'more' }
  /** More of what it gave is ready for the tree: call `release`. */
  | { readonly kind: 'releasing' }
  /** The peer has told all that it knows. */
  | { readonly kind: 'end' }
  /** Its chain has too little work to be stored; `wasLong` if it took a presync to find that out. */
  | { readonly kind: 'low-work'; readonly detail: string; readonly wasLong: boolean }
  | { readonly kind: 'wrong'; readonly offence: OffenceName; readonly detail: string }
  | { readonly kind: 'invalid'; readonly failure: ValidationFailure };

type RunDeps = {
  readonly chain: SyncChain;
  readonly clock: Clock;
  readonly random: Random;
  /** The peer has this header and those before it, `added` of which the tree did not have. */
  readonly shown: (entry: HeaderEntry, added: number) => void;
};

/** What is to be done when the headers that are ready are in the tree. */
type Next = Extract<RunOutcome, { kind: 'more' | 'end' }>;

export class HeaderRun {
  readonly #deps: RunDeps;
  readonly #options: HeaderOptions;
  #presync: Presync | undefined;
  #presyncStart: HeaderEntry | undefined;
  /** The last header that the peer gave and the tree has. */
  #from: HeaderEntry | undefined;
  #added = 0;
  #next: Next = { kind: 'more' };

  constructor(deps: RunDeps, options: HeaderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Headers that the tree did not have. */
  get added(): number {
    return this.#added;
  }

  /** Present until the chain has shown its work twice. */
  get presync(): Pick<Presync, 'phase' | 'height' | 'work'> | undefined {
    return this.#presync;
  }

  /** How far it is with a chain that is downloaded twice. */
  get pass(): { readonly number: 1 | 2; readonly height: number } | undefined {
    if (this.#presync !== undefined) {
      return { number: this.#presync.phase === 'presync' ? 1 : 2, height: this.#presync.height };
    }
    if (this.#presyncStart === undefined || this.#from === undefined) return undefined;
    return { number: 2, height: this.#from.height };
  }

  /** What to ask with. */
  locator(): BlockHash[] {
    const { chain } = this.#deps;
    if (this.#presync === undefined) return chain.locator(this.#from);
    return [this.#presync.lastHash, ...chain.locator(this.#presyncStart)].slice(0, MAX_LOCATOR_HASHES);
  }

  /** What to ask with if all of this answer is good; undefined when it is the peer's last. */
  locatorBehind(headers: readonly BlockHeader[]): BlockHash[] | undefined {
    const last = headers.at(-1);
    if (last === undefined || headers.length !== this.#options.maxHeadersPerRequest) return undefined;
    const before = this.#deps.chain.locator(this.#presync === undefined ? this.#from : this.#presyncStart);
    return [last.hash, ...before].slice(0, MAX_LOCATOR_HASHES);
  }

  take(headers: readonly BlockHeader[]): RunOutcome {
    const most = this.#options.maxHeadersPerRequest;
    if (headers.length > most) return wrong('wrong-response', `${headers.length} headers in one answer`);
    const isFull = headers.length === most;
    if (this.#presync !== undefined) {
      return headers.length === 0 ? lowWork(true) : this.#presynced(this.#presync, headers, isFull);
    }
    if (headers.length === 0) return { kind: 'end' };
    const { chain } = this.#deps;
    const verdict = chain.submitHeaders(headers, { minimumWork: antiDosWorkThreshold(chain) });
    if (verdict.kind === 'accepted') return this.#accepted(verdict, isFull);
    if (verdict.failure.kind === 'header-low-work') return this.#lowWork(headers, isFull);
    return this.#rejected(headers, verdict);
  }

  /** Puts some of the ready headers into the tree: a bounded number, as the chain does nothing else meanwhile. */
  release(): RunOutcome {
    const { chain, shown } = this.#deps;
    const headers = this.#presync?.release(this.#options.maxHeadersPerRequest) ?? [];
    if (headers.length > 0) {
      const verdict = chain.submitHeaders(headers);
      if (verdict.kind === 'rejected') return this.#rejected(headers, verdict);
      this.#from = verdict.last;
      this.#added += verdict.added;
      shown(verdict.last, verdict.added);
      return { kind: 'releasing' };
    }
    if (this.#presync?.isProved) this.#presync = undefined;
    return this.#next;
  }

  #accepted(verdict: Extract<HeadersVerdict, { kind: 'accepted' }>, isFull: boolean): RunOutcome {
    const before = this.#from;
    this.#from = verdict.last;
    this.#added += verdict.added;
    this.#deps.shown(verdict.last, verdict.added);
    if (!isFull) return { kind: 'end' };
    if (before !== undefined && verdict.last.chainWork <= before.chainWork) {
      return wrong('wrong-response', 'headers that were not asked for');
    }
    return { kind: 'more' };
  }

  #rejected(headers: readonly BlockHeader[], verdict: Extract<HeadersVerdict, { kind: 'rejected' }>): RunOutcome {
    const lastGood = headers[verdict.index - 1];
    const entry = lastGood === undefined ? undefined : this.#deps.chain.getHeader(lastGood.hash);
    if (entry !== undefined) this.#deps.shown(entry, 0);
    // Our locator ends in genesis, so an answer always connects; a wrong answer is not an invalid header.
    if (verdict.failure.kind === 'missing-prev') {
      return wrong('unconnected-headers', 'headers that do not follow the locator or one another');
    }
    return { kind: 'invalid', failure: verdict.failure };
  }

  /** Core's TryLowWorkHeadersSync: a full answer may be the beginning of a chain that has the work in the end. */
  #lowWork(headers: readonly BlockHeader[], isFull: boolean): RunOutcome {
    const { chain, clock, random } = this.#deps;
    const start = headers[0] === undefined ? undefined : chain.getHeader(headers[0].prevHash);
    if (!isFull || start === undefined) return lowWork(false);
    const nowSeconds = Math.floor(clock.now() / 1000);
    this.#presyncStart = start;
    this.#presync = new Presync(
      start,
      antiDosWorkThreshold(chain),
      { params: chain.params, random, nowSeconds },
      this.#options,
    );
    return this.#presynced(this.#presync, headers, isFull);
  }

  #presynced(presync: Presync, headers: readonly BlockHeader[], isFull: boolean): RunOutcome {
    const verdict = presync.take(headers, isFull);
    switch (verdict.kind) {
      case 'more':
      case 'proved':
        this.#next = { kind: isFull || verdict.kind === 'more' ? 'more' : 'end' };
        return this.release();
      default:
        return outcomeOf(verdict);
    }
  }
}

/**
 * What ends a presync. Core ends it without a penalty in all cases but invalid proof of work; here a broken rule is
 * known for certain (the start is in our tree, so the height is known), and the rest is what an honest peer does only
 * when it is reorganised at that very moment.
 */
function outcomeOf(verdict: Exclude<PresyncVerdict, { kind: 'more' | 'proved' }>): RunOutcome {
  switch (verdict.kind) {
    case 'low-work':
      return lowWork(true);
    case 'invalid':
      return { kind: 'invalid', failure: verdict.failure };
    case 'unconnected':
      return wrong('unconnected-headers', 'headers that do not follow those before');
    case 'changed':
      return wrong('wrong-response', 'another header chain than before');
    case 'too-long':
      // Our own clock may be wrong.
      return { kind: 'low-work', detail: 'more headers than there can be by now', wasLong: true };
  }
}

function wrong(offence: OffenceName, detail: string): RunOutcome {
  return { kind: 'wrong', offence, detail };
}

function lowWork(wasLong: boolean): RunOutcome {
  return { kind: 'low-work', detail: 'its headers have less than the work that is needed', wasLong };
}
