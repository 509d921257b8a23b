/** What a simulated world keeps account of: bytes that came, came twice or are held, and what peers are charged with. */
import type { Chain } from '#chain';
import type { BlockHash } from '#primitives';
import type { OffenceName } from '#protocol';
import type { Clock } from '#util';
import { DEFAULT_TUNING } from '../../src/net/options.ts';
import type { Judgement, Reputation } from '../../src/net/reputation.ts';
import type { SimNetwork } from '../support/sim-peers.ts';
import type { Blocks } from './sync-blocks.ts';

type LedgerDeps = {
  readonly clock: Clock;
  readonly chain: Pick<Chain, 'hasBlock' | 'isInvalid'>;
  readonly blocks: Blocks;
  readonly reputation: Pick<Reputation, 'points'>;
};

const isHonest = (id: string): boolean => id.startsWith('honest');

export class Ledger {
  readonly #deps: LedgerDeps;
  /** The good bodies, by hash. */
  readonly #good = new Map<BlockHash, Uint8Array>();
  readonly #came = new Set<BlockHash>();
  readonly #held = new Map<BlockHash, number>();
  readonly #corrupted = new Map<string, number>();
  readonly #charged = new Set<string>();
  readonly #honestCharges = new Map<string, OffenceName[]>();
  readonly #honestPunished: string[] = [];
  #heldBytes = 0;
  #mostHeldBytes = 0;
  #twiceBytes = 0;
  #usefulBytes = 0;
  #mostHonestPoints = 0;

  constructor(deps: LedgerDeps) {
    this.#deps = deps;
    for (const chain of Object.values(deps.blocks)) for (const block of chain) this.#good.set(block.hash, block.raw);
  }

  arrived(peer: string, hash: BlockHash, bytes: Uint8Array): void {
    if (this.#good.get(hash) !== bytes) this.#corrupted.set(peer, (this.#corrupted.get(peer) ?? 0) + 1);
    else if (this.#came.has(hash)) this.#twiceBytes += bytes.length;
    else {
      this.#came.add(hash);
      this.#usefulBytes += bytes.length;
    }
    if (this.#held.has(hash) || this.#deps.chain.hasBlock(hash) || this.#deps.chain.isInvalid(hash)) return;
    this.#held.set(hash, bytes.length);
    this.#heldBytes += bytes.length;
    this.#mostHeldBytes = Math.max(this.#mostHeldBytes, this.#heldBytes);
  }

  decided(hash: BlockHash): void {
    this.#heldBytes -= this.#held.get(hash) ?? 0;
    this.#held.delete(hash);
  }

  forgetHeld(): void {
    this.#held.clear();
    this.#heldBytes = 0;
  }

  charged(id: string, offence: OffenceName, detail: string, judgement: Judgement): void {
    this.#charged.add(id);
    if (!isHonest(id)) return;
    this.#honestCharges.set(id, [...(this.#honestCharges.get(id) ?? []), offence]);
    this.#mostHonestPoints = Math.max(this.#mostHonestPoints, this.#deps.reputation.points(id));
    if (judgement !== 'noted' || offence !== 'stalled') this.#honestPunished.push(`${id} ${offence}: ${detail}`);
  }

  disconnected(id: string, reason: string): void {
    if (isHonest(id)) this.#honestPunished.push(`${id} disconnected: ${reason}`);
  }

  outcome(net: SimNetwork) {
    const passed = [...net.peers.values()].reduce((sum, { link }) => sum + link.passedBytes, 0);
    const atMs = this.#deps.clock.monotonicMs();
    const mostCharges = Math.max(0, ...[...this.#honestCharges.values()].map((offences) => offences.length));
    return {
      usefulBytes: this.#usefulBytes,
      /** Good bodies that were here already. */
      twiceBytes: this.#twiceBytes,
      /** All else that went over the links: what was cut off, bad copies, headers. */
      otherBytes: passed - this.#usefulBytes - this.#twiceBytes,
      mostHeldBytes: this.#mostHeldBytes,
      mostOpenRequests: net.mostOpenRequests,
      honestPunished: this.#honestPunished,
      mostHonestPoints: this.#mostHonestPoints,
      /** Charges of one honest peer within the half-life of its points, were it to go on like this. */
      honestChargesPerHalfLife:
        (mostCharges * DEFAULT_TUNING.penaltyHalfLifeMs) / Math.max(atMs, DEFAULT_TUNING.penaltyHalfLifeMs),
      /** Liars that gave several bad bodies and were not charged. */
      uncharged: [...this.#corrupted].filter(([id, count]) => count >= 3 && !this.#charged.has(id)).map(([id]) => id),
    };
  }
}
