/** Peers that come and go every few seconds, and links whose rates change or that are dead for a while. */
import type { Clock, Random } from '#util';
import type { WorldPlan } from './sync-population.ts';

type Acts = {
  readonly toggle: (id: string) => void;
  /** A share of the link's full rate. */
  readonly setRate: (id: string, factor: number) => void;
};

const MIN_CHURN_MS = 1_000;
const MAX_CHURN_MS = 10_000;
const OUTAGE_MS = 60_000;

export class Weather {
  readonly #deps: { readonly clock: Clock; readonly random: Random };
  readonly #acts: Acts;
  #isOver = false;

  constructor(deps: { readonly clock: Clock; readonly random: Random }, acts: Acts) {
    this.#deps = deps;
    this.#acts = acts;
  }

  start({ members, estimateMs }: WorldPlan): void {
    const churning = members.filter(({ comesAndGoes }) => comesAndGoes).map(({ id }) => id);
    if (churning.length > 0) this.#churn(churning);
    for (const { id, isUnsteady } of members) if (isUnsteady) this.#change(id, estimateMs);
  }

  stop(): void {
    this.#isOver = true;
  }

  #churn(ids: readonly string[]): void {
    this.#after(this.#between(MIN_CHURN_MS, MAX_CHURN_MS), () => {
      const id = ids[this.#deps.random.below(ids.length)];
      if (id !== undefined) this.#acts.toggle(id);
      this.#churn(ids);
    });
  }

  /** Fast, slow or dead in turns. */
  #change(id: string, estimateMs: number): void {
    this.#after(this.#between(5_000, Math.max(20_000, estimateMs / 3)), () => {
      const isDead = this.#deps.random.below(3) === 0;
      this.#acts.setRate(id, isDead ? 0 : 0.05 + this.#deps.random.below(960) / 1000);
      if (!isDead) this.#change(id, estimateMs);
      else {
        this.#after(this.#between(5_000, OUTAGE_MS), () => {
          this.#acts.setRate(id, 1);
          this.#change(id, estimateMs);
        });
      }
    });
  }

  #between(low: number, high: number): number {
    return low + this.#deps.random.below(Math.floor(high - low));
  }

  #after(ms: number, act: () => void): void {
    this.#deps.clock.after(ms, () => {
      if (!this.#isOver) act();
    });
  }
}
