/**
 * Headers-first: asks the peer that claims most work for headers until it has no more, then the next one that still
 * claims more than we know. One request at a time; a slow one is joined by a second and a third peer.
 * Invariants: at most one request a peer, at most `maxSessions` in all; a claim is asked for once, and is void if the
 * headers do not lead to it; each full answer must lead to more work than the one before, so every session ends.
 */
import type { HeaderEntry } from '#chain';
import type { BlockHash, BlockHeader } from '#primitives';
import type { OffenceName } from '#protocol';
import { AssertionFailure, errorText, type TimerHandle } from '#util';
import { Backoff } from './backoff.ts';
import { isTimeout } from './errors.ts';
import type { HeaderOptions } from './options.ts';
import type { Peers } from './peers.ts';
import type { PeerId, SyncDeps } from './port.ts';

const MIN_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** Announcements that a peer may fail to connect in a row: its chain may have been reorganised meanwhile. */
const MAX_VAIN_ANNOUNCEMENTS = 3;
/** Broken exchanges in a row after which a claim counts as nothing until the peer says hello again. */
const MAX_FAILURES = 5;

/** A run of requests to one peer. */
type Session = {
  readonly peer: PeerId;
  readonly controller: AbortController;
  /** The last header that the peer gave; undefined before its first answer. */
  from: HeaderEntry | undefined;
  askedMs: number;
  added: number;
  timer: TimerHandle | undefined;
};

type PeerTask = {
  readonly backoff: Backoff;
  session: Session | undefined;
  /** A block that the peer announced and whose header we lack. */
  news: BlockHash | undefined;
  vainNews: number;
  timeouts: number;
};

type HeaderDeps = Pick<
  SyncDeps,
  'chain' | 'requestHeaders' | 'charge' | 'judge' | 'fatal' | 'clock' | 'random' | 'log'
> & {
  readonly peers: Peers;
  /** Something changed that others should look at. */
  readonly poke: () => void;
};

export class HeaderSync {
  readonly #deps: HeaderDeps;
  readonly #options: HeaderOptions;
  readonly #tasks = new Map<PeerId, PeerTask>();

  constructor(deps: HeaderDeps, options: HeaderOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  peerReady(id: PeerId): void {
    const backoff = new Backoff(MIN_BACKOFF_MS, MAX_BACKOFF_MS);
    this.#tasks.set(id, { backoff, session: undefined, news: undefined, vainNews: 0, timeouts: 0 });
  }

  peerGone(id: PeerId): void {
    const session = this.#tasks.get(id)?.session;
    if (session !== undefined) this.#end(session);
    this.#tasks.delete(id);
  }

  /** The peer announced a block that our headers do not lead to. */
  news(id: PeerId, hash: BlockHash): void {
    const task = this.#tasks.get(id);
    if (task !== undefined) task.news = hash;
  }

  /** True while a request is on its way or one is due. */
  get isBusy(): boolean {
    for (const [id, task] of this.#tasks) if (task.session !== undefined || this.#hasReason(id, task)) return true;
    return false;
  }

  get isAsking(): boolean {
    return this.#sessions().length > 0;
  }

  /** Starts what is due. */
  step(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const sessions = this.#sessions();
    if (sessions.length >= this.#options.maxSessions) return;
    if (sessions.some((session) => nowMs - session.askedMs < this.#options.joinAfterMs)) return;
    const id = this.#choose(nowMs);
    if (id !== undefined) this.#start(id, nowMs);
  }

  dispose(): void {
    for (const id of [...this.#tasks.keys()]) this.peerGone(id);
  }

  #sessions(): Session[] {
    return [...this.#tasks.values()].flatMap((task) => task.session ?? []);
  }

  #hasReason(id: PeerId, task: PeerTask): boolean {
    if (this.#deps.peers.openClaim(id) !== undefined) return true;
    if (task.news === undefined) return false;
    if (this.#deps.chain.getHeader(task.news) === undefined) return true;
    task.news = undefined;
    return false;
  }

  /** Most claimed work first, outbound before inbound among equals, chance among those. */
  #choose(nowMs: number): PeerId | undefined {
    const { peers, random } = this.#deps;
    let best: PeerId[] = [];
    let bestWork = -1n;
    for (const [id, task] of this.#tasks) {
      if (task.session !== undefined || !task.backoff.isReady(nowMs) || !this.#hasReason(id, task)) continue;
      const work = peers.openClaim(id)?.tipChainWork ?? 0n;
      if (work > bestWork) best = [];
      if (work >= bestWork) best.push(id);
      if (work > bestWork) bestWork = work;
    }
    const outbound = best.filter((id) => peers.isOutbound(id));
    const pool = outbound.length > 0 ? outbound : best;
    return pool.length === 0 ? undefined : pool[random.below(pool.length)];
  }

  #start(peer: PeerId, nowMs: number): void {
    const task = this.#tasks.get(peer);
    if (task === undefined) return;
    const controller = new AbortController();
    const session: Session = { peer, controller, from: undefined, askedMs: nowMs, added: 0, timer: undefined };
    task.session = session;
    this.#run(session).catch(this.#deps.fatal);
  }

  async #run(session: Session): Promise<void> {
    const { chain, requestHeaders, clock } = this.#deps;
    const { signal } = session.controller;
    for (;;) {
      session.askedMs = clock.monotonicMs();
      session.timer = clock.after(this.#options.requestTimeoutMs, () => this.#timedOut(session));
      let headers: readonly BlockHeader[];
      try {
        headers = await requestHeaders(session.peer, chain.locator(session.from), undefined, signal);
      } catch (error) {
        if (error instanceof AssertionFailure) throw error;
        if (signal.aborted) return;
        if (isTimeout(error)) this.#timedOut(session);
        else this.#failed(session, errorText(error), 'broken');
        return;
      }
      if (signal.aborted) return;
      session.timer?.cancel();
      if (!this.#take(session, headers)) return;
      this.#deps.poke();
    }
  }

  /** True if the peer has more to give. */
  #take(session: Session, headers: readonly BlockHeader[]): boolean {
    const { chain, peers } = this.#deps;
    const task = this.#tasks.get(session.peer);
    if (task !== undefined) task.timeouts = 0;
    if (headers.length === 0) return this.#finished(session);
    if (headers.length > this.#options.maxHeadersPerRequest) {
      return this.#refused(session, 'wrong-response', `${headers.length} headers in one answer`);
    }
    if (headers.some((header, index) => index > 0 && header.prevHash !== headers[index - 1]?.hash)) {
      return this.#refused(session, 'unconnected-headers', 'headers that do not follow one another');
    }
    const verdict = chain.submitHeaders(headers);
    if (verdict.kind === 'rejected') return this.#rejected(session, headers[verdict.index - 1], verdict.failure);
    peers.showed(session.peer, verdict.last);
    peers.resolveClaims();
    session.added += verdict.added;
    if (headers.length < this.#options.maxHeadersPerRequest) return this.#finished(session);
    if (session.from !== undefined && verdict.last.chainWork <= session.from.chainWork) {
      return this.#refused(session, 'wrong-response', 'headers that were not asked for');
    }
    session.from = verdict.last;
    return true;
  }

  #rejected(session: Session, lastGood: BlockHeader | undefined, failure: Parameters<SyncDeps['judge']>[2]): false {
    const { chain, peers, judge } = this.#deps;
    const shown = lastGood === undefined ? undefined : chain.getHeader(lastGood.hash);
    if (shown !== undefined) peers.showed(session.peer, shown);
    peers.resolveClaims();
    // Our locator ends in genesis, so an answer always connects; a wrong answer is not an invalid header.
    if (failure.kind === 'missing-prev') {
      return this.#refused(session, 'unconnected-headers', 'headers that do not follow the locator');
    }
    judge(session.peer, 'headers', failure);
    this.#failed(session, failure.code, 'wrong');
    return false;
  }

  /** The peer has told all it knows: what it claimed beyond is void. */
  #finished(session: Session): false {
    const { peer } = session;
    const { chain, peers, clock } = this.#deps;
    const task = this.#tasks.get(peer);
    this.#end(session);
    if (task === undefined) return false;
    const isNewsMissing = task.news !== undefined && chain.getHeader(task.news) === undefined;
    task.news = undefined;
    task.vainNews = isNewsMissing ? task.vainNews + 1 : 0;
    if (task.vainNews >= MAX_VAIN_ANNOUNCEMENTS) {
      task.vainNews = 0;
      this.#deps.charge(peer, 'unconnected-headers', 'announced blocks that its headers do not lead to');
    }
    const isClaimShown = peers.resolveClaim(peer);
    peers.voidClaim(peer);
    if (session.added > 0 || (isClaimShown && !isNewsMissing)) task.backoff.succeed();
    else task.backoff.fail(clock.monotonicMs());
    return false;
  }

  #refused(session: Session, offence: OffenceName, detail: string): false {
    this.#deps.charge(session.peer, offence, detail);
    this.#failed(session, detail, 'wrong');
    return false;
  }

  /** A broken exchange may go well the next time; after a wrong answer the peer is not asked for the same again. */
  #failed(session: Session, reason: string, kind: 'broken' | 'wrong'): void {
    const { peer } = session;
    const { peers, clock, log } = this.#deps;
    log.debug('headers request failed', { peer, reason });
    const task = this.#tasks.get(peer);
    this.#end(session);
    if (task === undefined) return;
    task.backoff.fail(clock.monotonicMs());
    if (kind === 'broken' && task.backoff.failures < MAX_FAILURES) return;
    task.news = undefined;
    peers.voidClaim(peer);
  }

  #timedOut(session: Session): void {
    const task = this.#tasks.get(session.peer);
    if (task?.session !== session) return;
    task.timeouts += 1;
    if (task.timeouts > 1) this.#deps.charge(session.peer, 'stalled', 'headers requests without an answer');
    this.#failed(session, 'no answer', 'broken');
  }

  #end(session: Session): void {
    const task = this.#tasks.get(session.peer);
    if (task?.session === session) task.session = undefined;
    session.timer?.cancel();
    session.controller.abort();
    this.#deps.poke();
  }
}
