/** What looks at all nodes of `churn.ts` show. */
import type { NodeReport } from './messages.ts';

/** From then on a node must be part of the network, and have its slots filled. */
const JOINED_MS = 30_000;
const LONGEST_REFILL_MS = 60_000;
/** In a small network nearly all others may have called a node: then it has hardly anybody left to call. */
const LEAST_CANDIDATES = 5;

export class ChurnVerdict {
  readonly #outbound: number;
  #looks = 0;
  #splits = 0;
  #refills = 0;
  #longestMs = 0;
  readonly #shortSinceMs = new Map<string, number>();

  constructor(outbound: number) {
    this.#outbound = outbound;
  }

  look(reports: readonly NodeReport[], nowMs: number): void {
    this.#looks += 1;
    if (!hangTogether(reports)) this.#splits += 1;
    const ids = new Set(reports.map(({ id }) => id));
    for (const id of this.#shortSinceMs.keys()) if (!ids.has(id)) this.#shortSinceMs.delete(id);
    for (const { id, ageMs, fullRelay, peers } of reports) {
      const candidates = ids.size - 1 - peers.filter((peer) => ids.has(peer)).length;
      if (ageMs < JOINED_MS) continue;
      const sinceMs = this.#shortSinceMs.get(id);
      if (fullRelay < this.#outbound && candidates >= LEAST_CANDIDATES) {
        this.#shortSinceMs.set(id, sinceMs ?? nowMs);
        this.#longestMs = Math.max(this.#longestMs, nowMs - (sinceMs ?? nowMs));
      } else if (sinceMs !== undefined) {
        this.#shortSinceMs.delete(id);
        if (fullRelay >= this.#outbound) this.#refills += 1;
      }
    }
  }

  end(): { readonly lines: readonly string[]; readonly isGood: boolean } {
    const lines = [
      `${this.#looks} looks at the network, ${this.#splits} of them found it split`,
      `${this.#refills} times a node lost outbound peers; it had all again after ${(this.#longestMs / 1000).toFixed(1)} s at most`,
    ];
    const isGood = this.#looks > 0 && this.#splits === 0 && this.#longestMs <= LONGEST_REFILL_MS;
    return { lines, isGood };
  }
}

/** Whether all that had time to join reach each other, through whomever. */
function hangTogether(reports: readonly NodeReport[]): boolean {
  const peersOf = new Map<string, Set<string>>();
  for (const { id, peers } of reports) {
    for (const peer of peers) {
      for (const [a, b] of [
        [id, peer],
        [peer, id],
      ] as const) {
        const known = peersOf.get(a) ?? new Set();
        peersOf.set(a, known.add(b));
      }
    }
  }
  const joined = reports.filter(({ ageMs }) => ageMs >= JOINED_MS).map(({ id }) => id);
  const reached = new Set(joined.slice(0, 1));
  for (const id of reached) for (const peer of peersOf.get(id) ?? []) reached.add(peer);
  return joined.every((id) => reached.has(id));
}
