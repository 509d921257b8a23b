/** What a person sees of the synchronisation: one pure function from facts, and who is told when it changes. */
import type { HeaderEntry } from '#chain';
import type { Clock } from '#util';
import type { SyncPhase, SyncStatus } from './port.ts';

/** A node that was at the tip and falls behind by no more than this is still at the tip. */
const TIP_SLACK_BLOCKS = 24;
/** Nothing came for this long while something was due. */
const STALLED_AFTER_MS = 30_000;
const NOTIFY_EVERY_MS = 1_000;

export type SyncFacts = {
  readonly tip: HeaderEntry;
  readonly bestHeader: HeaderEntry;
  readonly peers: number;
  /** Height that a peer claims and has not shown yet. */
  readonly claimedHeight: number | undefined;
  readonly isAskingHeaders: boolean;
  /** How far headers are that are downloaded twice: first to see their work, then to be stored. */
  readonly headerPass: { readonly number: 1 | 2; readonly height: number } | undefined;
  /** Our best header has the network's minimum chain work. */
  readonly hasMinimumWork: boolean;
  /** The block that is due next and that some peer has. */
  readonly nextMissing: HeaderEntry | undefined;
  /** Why blocks cannot be stored; empty if they can. */
  readonly pausedReason: string;
  readonly wasAtTip: boolean;
  /** Since headers or blocks last came. */
  readonly quietMs: number;
  readonly blocksPerSecond: number;
  readonly bytesPerSecond: number;
};

export function describeSync(facts: SyncFacts): SyncStatus {
  const { phase, reason } = phaseOf(facts);
  const { tip, bestHeader, blocksPerSecond } = facts;
  const isMoving = phase === 'blocks' && blocksPerSecond >= 0.001;
  return {
    phase,
    reason,
    height: tip.height,
    headerHeight: bestHeader.height,
    progress: progressOf(phase, facts),
    blocksPerSecond,
    bytesPerSecond: facts.bytesPerSecond,
    secondsLeft: isMoving ? (bestHeader.height - tip.height) / blocksPerSecond : phase === 'at-tip' ? 0 : undefined,
    peers: facts.peers,
  };
}

function phaseOf(facts: SyncFacts): { readonly phase: SyncPhase; readonly reason: string } {
  const { tip, bestHeader, claimedHeight, nextMissing, headerPass } = facts;
  const slack = facts.wasAtTip ? TIP_SLACK_BLOCKS : 0;
  if (facts.pausedReason !== '') return { phase: 'stalled', reason: facts.pausedReason };
  if (facts.peers === 0) return { phase: 'waiting-for-peers', reason: 'no peer is connected' };
  if (claimedHeight !== undefined && claimedHeight > bestHeader.height + slack) {
    return { phase: 'headers', reason: headersReason(facts) };
  }
  if (headerPass !== undefined && (claimedHeight !== undefined || !facts.hasMinimumWork)) {
    return { phase: 'headers', reason: headersReason(facts) };
  }
  if (nextMissing !== undefined) {
    if (bestHeader.height - tip.height <= slack) return { phase: 'at-tip', reason: '' };
    const seconds = Math.floor(facts.quietMs / 1000);
    const isQuiet = facts.quietMs >= STALLED_AFTER_MS;
    if (!isQuiet) return { phase: 'blocks', reason: '' };
    return { phase: 'stalled', reason: `block ${nextMissing.height} has not come for ${seconds} s` };
  }
  if (bestHeader.chainWork > tip.chainWork && bestHeader.height - tip.height > slack) {
    const reason = `headers reach ${bestHeader.height}, but no connected peer serves the blocks after ${tip.height}`;
    return { phase: 'waiting-for-peers', reason };
  }
  if (!facts.hasMinimumWork) {
    return { phase: 'waiting-for-peers', reason: 'no connected peer has a chain with the minimum chain work' };
  }
  return { phase: 'at-tip', reason: '' };
}

/** Whole per cent only: listeners hear of each change of it. */
function headersReason({ isAskingHeaders, headerPass, claimedHeight }: SyncFacts): string {
  if (!isAskingHeaders) return 'waiting before asking for headers again';
  if (headerPass?.number !== 1) return '';
  const percent = claimedHeight === undefined ? '' : `: ${Math.floor(100 * ratio(headerPass.height, claimedHeight))}%`;
  return `checking the work of the headers before they are stored${percent}`;
}

function progressOf(phase: SyncPhase, { tip, bestHeader, claimedHeight, headerPass }: SyncFacts): number {
  if (phase === 'at-tip') return 1;
  if (phase === 'headers') {
    const height = headerPass?.height ?? bestHeader.height;
    const share = ratio(height, claimedHeight ?? height);
    return headerPass === undefined ? share : (headerPass.number - 1 + share) / 2;
  }
  return ratio(tip.height, Math.max(bestHeader.height, claimedHeight ?? 0));
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, part / whole) : 0;
}

/** Tells listeners of changes of phase or reason at once, of moving heights at most once a second. */
export class StatusFeed {
  readonly #clock: Clock;
  readonly #listeners = new Set<(status: SyncStatus) => void>();
  #last: SyncStatus | undefined;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(listener: (status: SyncStatus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  update(status: SyncStatus): void {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#last;
    const isNews = last?.phase !== status.phase || last.reason !== status.reason;
    const isMoved = last?.height !== status.height || last.headerHeight !== status.headerHeight;
    if (!isNews && !(isMoved && nowMs - this.#toldMs >= NOTIFY_EVERY_MS)) return;
    this.#last = status;
    this.#toldMs = nowMs;
    for (const listener of this.#listeners) listener(status);
  }
}
