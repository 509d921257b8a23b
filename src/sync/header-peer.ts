/** What `HeaderSync` remembers of each peer, and of the run of requests to it. */
import type { BlockHash } from '#primitives';
import type { TimerHandle } from '#util';
import { Backoff } from './backoff.ts';
import type { HeaderRun } from './header-run.ts';
import type { HeaderOptions } from './options.ts';
import type { PeerId } from './port.ts';

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

/** A run of requests to one peer. */
export type HeaderSession = {
  readonly peer: PeerId;
  readonly controller: AbortController;
  readonly run: HeaderRun;
  readonly isCheck: boolean;
  readonly startedMs: number;
  /** How long it may be in presync before others need not wait for it. */
  readonly turnMs: number;
  askedMs: number;
  timer: TimerHandle | undefined;
};

export type HeaderPeer = {
  /** When it said its first hello. */
  readonly readyMs: number;
  readonly backoff: Backoff;
  /** After a presync that came to nothing. */
  readonly rest: Backoff;
  session: HeaderSession | undefined;
  /** A block that the peer announced and whose header we lack. */
  news: BlockHash | undefined;
  vainNews: number;
  timeouts: number;
  /** We have asked for the end of the connection. */
  isDropped: boolean;
};

export function newHeaderPeer(readyMs: number, { minRestMs, maxRestMs }: HeaderOptions): HeaderPeer {
  return {
    readyMs,
    backoff: new Backoff(MIN_BACKOFF_MS, MAX_BACKOFF_MS),
    rest: new Backoff(minRestMs, maxRestMs),
    session: undefined,
    news: undefined,
    vainNews: 0,
    timeouts: 0,
    isDropped: false,
  };
}
