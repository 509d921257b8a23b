/**
 * Test before evict: addresses that answered, and whose place in the tried table is another's. That one is called
 * first, and stays if it answers. Otherwise an attacker who answers often enough would push out, one by one, all
 * whom we trust.
 */
import type { Clock, Random } from '#util';
import type { Entry } from './entry.ts';
import type { AddressTables } from './tables.ts';

/** Core's ADDRMAN_SET_TRIED_COLLISION_SIZE: beyond it an address stays in the new table until it answers again. */
const MAX_WAITING = 10;
const HOUR_MS = 3_600_000;
/** Core's ADDRMAN_REPLACEMENT and ADDRMAN_TEST_WINDOW. */
const REPLACEMENT_MS = 4 * HOUR_MS;
const TEST_WINDOW_MS = 40 * 60_000;
/** A call that began so shortly ago may still be answered. */
const CALL_MS = 60_000;

type Outcome = 'evict' | 'keep' | 'wait';

export class TriedCollisions {
  readonly #waiting = new Set<Entry>();
  readonly #tables: AddressTables;
  readonly #deps: { readonly clock: Clock; readonly random: Random };

  constructor(tables: AddressTables, deps: { readonly clock: Clock; readonly random: Random }) {
    this.#tables = tables;
    this.#deps = deps;
  }

  add(entry: Entry): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.add(entry);
  }

  /** Who has the place that a random one of those that wait would have. */
  select(): Entry | undefined {
    const waiting = [...this.#waiting];
    if (waiting.length === 0) return undefined;
    const entry = waiting[this.#deps.random.below(waiting.length)];
    if (entry === undefined) return undefined;
    if (!this.#isWaiting(entry)) {
      this.#waiting.delete(entry);
      return undefined;
    }
    return this.#tables.rivalOf(entry);
  }

  /** Whether an entry was moved to the tried table. */
  resolve(): boolean {
    let hasMoved = false;
    for (const entry of [...this.#waiting]) {
      const outcome = this.#isWaiting(entry) ? this.#outcome(entry) : 'keep';
      if (outcome !== 'wait') this.#waiting.delete(entry);
      if (outcome !== 'evict') continue;
      this.#tables.makeTried(entry);
      hasMoved = true;
    }
    return hasMoved;
  }

  /** It may have lost its place in the new table meanwhile, or have become tried by another way. */
  #isWaiting(entry: Entry): boolean {
    return this.#tables.index.has(entry) && !entry.isTried;
  }

  #outcome(entry: Entry): Outcome {
    const now = this.#deps.clock.now();
    const rival = this.#tables.rivalOf(entry);
    if (rival === undefined) return 'evict';
    if (now - rival.lastSuccessMs < REPLACEMENT_MS) return 'keep';
    if (now - rival.lastTryMs < REPLACEMENT_MS) return now - rival.lastTryMs > CALL_MS ? 'evict' : 'wait';
    // Nobody tested it in all this time.
    return now - entry.lastSuccessMs > TEST_WINDOW_MS ? 'evict' : 'wait';
  }
}
