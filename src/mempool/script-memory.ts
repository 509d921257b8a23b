/**
 * Remembers how the scripts of transactions ended: whether they pass depends on nothing but the transaction (with its
 * witness: the wtxid) and the flags, which never change here. So a known failure costs a peer's repetition nothing,
 * and a reorganisation runs no script twice. Bounded; the oldest is forgotten first. About 150 bytes each.
 */
import type { Wtxid } from '#primitives';
import type { MempoolVerdict } from './port.ts';

/** One failure is remembered for so many that passed. Kept apart, so that a flood of them does not drive those out. */
const PASSED_A_FAILURE = 4;

type Known = { readonly wtxid: Wtxid };

export class ScriptMemory {
  readonly #passed = new Map<Wtxid, true>();
  readonly #failed = new Map<Wtxid, MempoolVerdict>();
  readonly #maxPassed: number;

  constructor(maxPassed: number) {
    this.#maxPassed = maxPassed;
  }

  hasPassed(tx: Known): boolean {
    return this.#passed.has(tx.wtxid);
  }

  failureOf(tx: Known): MempoolVerdict | undefined {
    return this.#failed.get(tx.wtxid);
  }

  passed(tx: Known): void {
    remember(this.#passed, tx.wtxid, true, this.#maxPassed);
  }

  failed(tx: Known, verdict: MempoolVerdict): void {
    remember(this.#failed, tx.wtxid, verdict, Math.ceil(this.#maxPassed / PASSED_A_FAILURE));
  }
}

/** A map iterates in the order of insertion: its first key is the oldest. */
function remember<T>(map: Map<Wtxid, T>, wtxid: Wtxid, value: T, max: number): void {
  map.delete(wtxid);
  map.set(wtxid, value);
  if (map.size <= max) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    break;
  }
}
