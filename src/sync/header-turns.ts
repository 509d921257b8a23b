/**
 * Whose turn it is to be asked for headers, and whose presync has lasted long enough. A flood of cheap headers can go
 * on for days, so a peer in presync is soon no reason for others to wait (`HeaderSync` lets them in beside it), and
 * after its turn it may lose its place.
 */
import type { Random } from '#util';
import type { HeaderRun } from './header-run.ts';
import type { PeerId } from './port.ts';

export type Candidate = { readonly id: PeerId; readonly isOutbound: boolean; readonly claimedWork: bigint };

/** Of the sessions that there are. */
type Asked = {
  readonly isOutboundAsked: boolean;
  /** A peer has claimed much and not shown it yet. */
  readonly isPresyncing: boolean;
};

/**
 * Most claimed work first, outbound before inbound among equals, chance among those. But while no outbound peer is being
 * asked the next one is outbound: whoever connected to us may claim anything, and there may be many of them. And beside
 * a presync chance alone decides: whoever floods claims more than those who are honest.
 */
export function chooseNext(
  candidates: readonly Candidate[],
  { isOutboundAsked, isPresyncing }: Asked,
  random: Random,
): PeerId | undefined {
  const outbound = candidates.filter(({ isOutbound }) => isOutbound);
  const allowed = outbound.length > 0 && !isOutboundAsked ? outbound : candidates;
  if (isPresyncing && allowed.length > 0) return allowed[random.below(allowed.length)]?.id;
  const most = allowed.reduce((work, { claimedWork }) => (claimedWork > work ? claimedWork : work), 0n);
  const best = allowed.filter(({ claimedWork }) => claimedWork === most);
  const bestOutbound = best.filter(({ isOutbound }) => isOutbound);
  const pool = bestOutbound.length > 0 ? bestOutbound : best;
  return pool.length === 0 ? undefined : pool[random.below(pool.length)]?.id;
}

type Turn = {
  readonly run: Pick<HeaderRun, 'presync'>;
  readonly startedMs: number;
  readonly turnMs: number;
};

type Circumstances = {
  /** Our own headers have the minimum chain work: what comes by presync is a deep fork, and most likely nothing. */
  readonly hasMinimumWork: boolean;
  /** All places are taken, and another peer has something to tell. */
  readonly isAnyWaiting: () => boolean;
};

/**
 * With the minimum work at hand all whose turn is over. Else, if somebody waits, the one of them that has shown least
 * work, but never the one that is ahead of all in presync: a chain with real work outgrows cheap ones soon, and it must
 * not be begun anew again and again.
 */
export function dueToEnd<T extends Turn>(sessions: readonly T[], nowMs: number, circumstances: Circumstances): T[] {
  const inPresync = sessions.filter(({ run }) => run.presync?.phase === 'presync');
  const isOver = ({ startedMs, turnMs }: T): boolean => nowMs - startedMs >= turnMs;
  const over = inPresync.filter(isOver);
  if (over.length === 0 || circumstances.hasMinimumWork) return over;
  if (!circumstances.isAnyWaiting()) return [];
  const least = inPresync.toSorted(compareWork).slice(0, -1).find(isOver);
  return least === undefined ? [] : [least];
}

function compareWork(a: Turn, b: Turn): number {
  const [workA, workB] = [a.run.presync?.work ?? 0n, b.run.presync?.work ?? 0n];
  return workA < workB ? -1 : workA > workB ? 1 : 0;
}
