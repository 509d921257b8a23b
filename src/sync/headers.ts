/**
 * Headers-first: asks the peer that claims most work for headers until it has no more, then the next one that still
 * claims more than we know. One request at a time; a slow one is joined by a second and a third peer. At the end a few
 * others are asked whether something was kept back.
 * Invariants: at most one request a peer, at most `maxSessions` in all, one of them with an outbound peer if any has
 * something to tell; a claim is asked for once, and is void if the headers do not lead to it; every session ends.
 */
import type { HeaderEntry } from '#chain';
import type { BlockHash, BlockHeader } from '#primitives';
import { AssertionFailure, errorText, sleep } from '#util';
import { CrossCheck } from './cross-check.ts';
import { isTimeout } from './errors.ts';
import { type HeaderPeer, type HeaderSession, newHeaderPeer } from './header-peer.ts';
import { HeaderRun, type RunOutcome } from './header-run.ts';
import { type Candidate, chooseNext, dueToEnd } from './header-turns.ts';
import type { HeaderOptions } from './options.ts';
import type { Peers } from './peers.ts';
import type { PeerId, SyncDeps } from './port.ts';

/** Announcements that a peer may fail to connect in a row: its chain may have been reorganised meanwhile. */
const MAX_VAIN_ANNOUNCEMENTS = 3;
/** Broken exchanges in a row after which a claim counts as nothing until the peer says hello again. */
const MAX_FAILURES = 5;

type HeaderDeps = Pick<
  SyncDeps,
  'chain' | 'requestHeaders' | 'charge' | 'judge' | 'disconnect' | 'onNews' | 'fatal' | 'clock' | 'random' | 'log'
> & {
  readonly peers: Peers;
  /** Something changed that others should look at. */
  readonly poke: () => void;
};

export class HeaderSync {
  readonly #deps: HeaderDeps;
  readonly #options: HeaderOptions;
  readonly #tasks = new Map<PeerId, HeaderPeer>();
  readonly #crossCheck: CrossCheck;
  /** Nobody claims more than we have, so that others may be asked all the same. */
  #isCheckTime = false;
  /** Of peers whose exchange broke: what a presync found is not downloaded again. The oldest goes first. */
  readonly #suspended = new Map<PeerId, HeaderSession>();

  constructor(deps: HeaderDeps, options: HeaderOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#crossCheck = new CrossCheck(options.crossChecks, options.crossCheckAfterMs);
  }

  peerReady(id: PeerId): void {
    this.#tasks.set(id, newHeaderPeer(this.#deps.clock.monotonicMs(), this.#options));
  }

  /** False if the peer has lost its credit: what it claims counts as nothing for now. */
  isCredible(id: PeerId): boolean {
    return !this.#isResting(this.#tasks.get(id));
  }

  peerGone(id: PeerId): void {
    const session = this.#tasks.get(id)?.session;
    if (session !== undefined) this.#end(session);
    this.#tasks.delete(id);
    this.#suspended.delete(id);
    this.#crossCheck.peerGone(id);
  }

  /** The peer announced a block that our headers do not lead to. */
  news(id: PeerId, hash: BlockHash): void {
    const task = this.#tasks.get(id);
    if (task !== undefined && !this.#isResting(task)) task.news = hash;
  }

  /** True while a request is on its way or one is due. */
  get isBusy(): boolean {
    for (const [id, task] of this.#tasks) if (task.session !== undefined || this.#hasReason(id, task)) return true;
    return false;
  }

  get isAsking(): boolean {
    return this.#sessions().length > 0;
  }

  /** Of the sessions that download a chain twice, the one that is furthest. */
  get pass(): HeaderRun['pass'] {
    let best: HeaderRun['pass'];
    for (const { run } of this.#sessions()) {
      const { pass } = run;
      if (pass !== undefined && (best === undefined || isFurther(pass, best))) best = pass;
    }
    return best;
  }

  /** Starts what is due. */
  step(): void {
    const { chain, clock, peers } = this.#deps;
    const nowMs = clock.monotonicMs();
    this.#dropUseless(nowMs);
    const { hash, chainWork } = chain.bestHeader();
    this.#crossCheck.look(hash, nowMs);
    this.#isCheckTime =
      !this.isAsking && chainWork >= chain.params.minimumChainWork && peers.claimedHeight() === undefined;
    this.#endTurns(nowMs);
    this.#forgetSuspended();
    const sessions = this.#sessions();
    if (sessions.length >= this.#options.maxSessions) return;
    if (sessions.some((session) => this.#isPromising(session, nowMs))) return;
    const id = this.#choose(nowMs);
    if (id !== undefined) this.#start(id, nowMs);
  }

  dispose(): void {
    for (const id of [...this.#tasks.keys()]) this.peerGone(id);
  }

  #sessions(): HeaderSession[] {
    return [...this.#tasks.values()].flatMap((task) => task.session ?? []);
  }

  #isResting(task: HeaderPeer | undefined): boolean {
    return task?.rest.isReady(this.#deps.clock.monotonicMs()) === false;
  }

  /** Worth waiting for, instead of asking another peer too. */
  #isPromising({ run, askedMs, startedMs }: HeaderSession, nowMs: number): boolean {
    const { joinAfterMs, presyncJoinAfterMs } = this.#options;
    if (nowMs - askedMs >= joinAfterMs) return false;
    return run.presync?.phase !== 'presync' || nowMs - startedMs < presyncJoinAfterMs;
  }

  #hasReason(id: PeerId, task: HeaderPeer): boolean {
    if (this.#deps.peers.openClaim(id) !== undefined) return true;
    if (this.#isCheckTime && this.#crossCheck.wants(id) && !this.#isResting(task)) return true;
    return this.#isNewsOpen(id, task);
  }

  /** False once the announced header is known: whoever asked for it, its announcer has the block. */
  #isNewsOpen(id: PeerId, task: HeaderPeer): boolean {
    if (task.news === undefined) return false;
    const entry = this.#deps.chain.getHeader(task.news);
    if (entry === undefined) return true;
    this.#deps.peers.showed(id, entry);
    task.news = undefined;
    return false;
  }

  #choose(nowMs: number): PeerId | undefined {
    const { peers, random } = this.#deps;
    const ready: Candidate[] = [];
    for (const [id, task] of this.#tasks) {
      if (task.session !== undefined || !task.backoff.isReady(nowMs) || !this.#hasReason(id, task)) continue;
      const claimedWork = peers.openClaim(id)?.tipChainWork ?? 0n;
      ready.push({ id, isOutbound: peers.isOutbound(id), claimedWork });
    }
    const sessions = this.#sessions();
    const isOutboundAsked = sessions.some(({ peer }) => peers.isOutbound(peer));
    const isPresyncing = sessions.some(({ run }) => run.presync?.phase === 'presync');
    return chooseNext(ready, { isOutboundAsked, isPresyncing }, random);
  }

  #start(peer: PeerId, nowMs: number): void {
    const task = this.#tasks.get(peer);
    if (task === undefined) return;
    const { peers } = this.#deps;
    const before = this.#suspended.get(peer);
    this.#suspended.delete(peer);
    const session: HeaderSession = {
      peer,
      controller: new AbortController(),
      run: before?.run ?? this.#newRun(peer),
      isCheck: before?.isCheck ?? (task.news === undefined && peers.openClaim(peer) === undefined),
      startedMs: before?.startedMs ?? nowMs,
      turnMs: this.#options.presyncTurnMs * 2 ** task.rest.failures,
      askedMs: nowMs,
      timer: undefined,
    };
    if (session.isCheck) this.#crossCheck.asked(peer);
    task.session = session;
    this.#run(session).catch(this.#deps.fatal);
  }

  #newRun(peer: PeerId): HeaderRun {
    const { peers, chain, onNews } = this.#deps;
    const shown = (entry: HeaderEntry, added: number): void => {
      peers.showed(peer, entry);
      if (added > 0 && entry.chainWork > chain.tip().chainWork) onNews?.(peer);
    };
    return new HeaderRun({ ...this.#deps, shown }, this.#options);
  }

  async #run(session: HeaderSession): Promise<void> {
    const { run, controller } = session;
    let answer = this.#ask(session, run.locator());
    for (;;) {
      const headers = await answer;
      if (headers === undefined) return;
      const task = this.#tasks.get(session.peer);
      if (task !== undefined) task.timeouts = 0;
      // The next answer travels while this one is checked.
      const next = run.locatorBehind(headers);
      const early = next && this.#ask(session, next);
      early?.catch(this.#deps.fatal);
      let outcome = run.take(headers);
      while (outcome.kind === 'releasing') {
        this.#headersAdded();
        this.#deps.poke();
        if (!(await this.#pause(session))) return;
        outcome = run.release();
      }
      if (controller.signal.aborted) return;
      this.#headersAdded();
      if (outcome.kind !== 'more') {
        this.#finish(session, outcome);
        return;
      }
      task?.backoff.succeed();
      this.#deps.poke();
      const locator = run.locator();
      const isEarlyWanted = next?.[0] === locator[0];
      // The second pass of a presync begins elsewhere than the first one ended.
      if (early !== undefined && !isEarlyWanted && (await early) === undefined) return;
      answer = early !== undefined && isEarlyWanted ? early : this.#ask(session, locator);
    }
  }

  /** Claims and announcements that the new headers cover are known now. */
  #headersAdded(): void {
    this.#deps.peers.resolveClaims();
    for (const [id, task] of this.#tasks) this.#isNewsOpen(id, task);
  }

  /** One request. Undefined when it brought nothing; the session has ended then. */
  async #ask(session: HeaderSession, locator: readonly BlockHash[]): Promise<readonly BlockHeader[] | undefined> {
    const { requestHeaders, clock } = this.#deps;
    const { peer, controller } = session;
    session.askedMs = clock.monotonicMs();
    session.timer = clock.after(this.#options.requestTimeoutMs, () => this.#timedOut(session));
    try {
      const headers = await requestHeaders(peer, locator, undefined, controller.signal);
      return controller.signal.aborted ? undefined : headers;
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      if (controller.signal.aborted) return undefined;
      if (isTimeout(error)) this.#timedOut(session);
      else this.#failed(session, errorText(error), 'broken');
      return undefined;
    } finally {
      session.timer.cancel();
    }
  }

  /** Lets others run; false when the session ended meanwhile. */
  async #pause({ controller }: HeaderSession): Promise<boolean> {
    try {
      await sleep(this.#deps.clock, 0, controller.signal);
      return true;
    } catch (error) {
      if (controller.signal.aborted) return false;
      throw error;
    }
  }

  #finish(session: HeaderSession, outcome: Exclude<RunOutcome, { kind: 'more' | 'releasing' }>): void {
    const { peer } = session;
    switch (outcome.kind) {
      case 'end':
        this.#ended(session);
        break;
      case 'low-work':
        this.#lowWork(session, outcome);
        break;
      case 'wrong':
        this.#deps.charge(peer, outcome.offence, outcome.detail);
        this.#failed(session, outcome.detail, 'wrong');
        break;
      case 'invalid':
        this.#deps.judge(peer, 'headers', outcome.failure);
        this.#failed(session, outcome.failure.code, 'wrong');
        break;
    }
  }

  /** The peer has told all it knows: what it claimed beyond is void. */
  #ended(session: HeaderSession): void {
    const { peer, run, isCheck } = session;
    const { chain, peers, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const task = this.#tasks.get(peer);
    this.#end(session);
    if (task === undefined) return;
    this.#crossCheck.asked(peer);
    if (isCheck) this.#crossCheck.answered(nowMs);
    const isNewsMissing = task.news !== undefined && chain.getHeader(task.news) === undefined;
    task.news = undefined;
    task.vainNews = isNewsMissing ? task.vainNews + 1 : 0;
    if (task.vainNews >= MAX_VAIN_ANNOUNCEMENTS) {
      task.vainNews = 0;
      this.#deps.charge(peer, 'unconnected-headers', 'announced blocks that its headers do not lead to');
    }
    const isClaimShown = peers.resolveClaim(peer);
    peers.voidClaim(peer);
    if (run.added > 0) task.rest.succeed();
    if (run.added > 0 || (isClaimShown && !isNewsMissing)) task.backoff.succeed();
    else task.backoff.fail(nowMs);
    const known = peers.known(peer);
    if (known !== undefined && known.chainWork < chain.params.minimumChainWork) this.#dropLowWork(peer);
  }

  #lowWork(session: HeaderSession, { detail, wasLong }: Extract<RunOutcome, { kind: 'low-work' }>): void {
    const { peer } = session;
    this.#deps.log.debug('header chain ignored', { peer, reason: detail });
    const task = this.#tasks.get(peer);
    // What it announced may well be there: it was not looked at.
    if (task !== undefined) task.news = undefined;
    if (wasLong) this.#rest(session);
    else this.#ended(session);
    this.#dropLowWork(peer);
  }

  /** Ends a presync that came to nothing: what the peer claims counts as nothing for a good while. */
  #rest(session: HeaderSession): void {
    const task = this.#tasks.get(session.peer);
    this.#end(session);
    if (task === undefined) return;
    task.news = undefined;
    task.rest.fail(this.#deps.clock.monotonicMs());
    this.#deps.peers.voidClaim(session.peer);
  }

  /** What they began is no longer of use to anybody. */
  #forgetSuspended(): void {
    for (const id of this.#suspended.keys()) {
      const task = this.#tasks.get(id);
      if (task === undefined || !this.#hasReason(id, task)) this.#suspended.delete(id);
    }
  }

  #endTurns(nowMs: number): void {
    const { chain, log } = this.#deps;
    const hasMinimumWork = chain.bestHeader().chainWork >= chain.params.minimumChainWork;
    const sessions = this.#sessions();
    const isAnyWaiting = (): boolean =>
      sessions.length >= this.#options.maxSessions && this.#choose(nowMs) !== undefined;
    for (const session of dueToEnd(sessions, nowMs, { hasMinimumWork, isAnyWaiting })) {
      log.debug('presync took too long', { peer: session.peer });
      this.#rest(session);
    }
  }

  /** Peers that say themselves that their chain has too little work; they had time to tell us of others. */
  #dropUseless(nowMs: number): void {
    const { chain, peers } = this.#deps;
    const { minimumChainWork } = chain.params;
    if (chain.bestHeader().chainWork >= minimumChainWork) return;
    for (const [id, { readyMs }] of this.#tasks) {
      const work = peers.claimedWork(id);
      const isOver = nowMs - readyMs >= this.#options.lowWorkGraceMs;
      if (isOver && work !== undefined && work < minimumChainWork) this.#dropLowWork(id);
    }
  }

  /** Until our headers have the minimum work, an outbound slot is for peers that can give it (as Core does). */
  #dropLowWork(peer: PeerId): void {
    const { chain, peers, disconnect } = this.#deps;
    const task = this.#tasks.get(peer);
    if (task === undefined || task.isDropped || !peers.isExpendable(peer)) return;
    if (chain.bestHeader().chainWork >= chain.params.minimumChainWork) return;
    task.isDropped = true;
    disconnect(peer, 'its chain has less than the minimum chain work');
  }

  /** A broken exchange may go well the next time; after a wrong answer the peer is not asked for the same again. */
  #failed(session: HeaderSession, reason: string, kind: 'broken' | 'wrong'): void {
    const { peer } = session;
    const { peers, clock, log } = this.#deps;
    log.debug('headers request failed', { peer, reason });
    const task = this.#tasks.get(peer);
    this.#end(session);
    if (task === undefined) return;
    task.backoff.fail(clock.monotonicMs());
    if (kind === 'broken' && task.backoff.failures < MAX_FAILURES) {
      if (session.run.presync !== undefined) this.#suspend(session);
      return;
    }
    task.news = undefined;
    peers.voidClaim(peer);
  }

  #suspend(session: HeaderSession): void {
    const oldest = this.#suspended.keys().next();
    if (this.#suspended.size >= this.#options.maxSessions && !oldest.done) this.#suspended.delete(oldest.value);
    this.#suspended.set(session.peer, session);
  }

  #timedOut(session: HeaderSession): void {
    const task = this.#tasks.get(session.peer);
    if (task?.session !== session) return;
    task.timeouts += 1;
    if (task.timeouts > 1) this.#deps.charge(session.peer, 'stalled', 'headers requests without an answer');
    this.#failed(session, 'no answer', 'broken');
  }

  #end(session: HeaderSession): void {
    const task = this.#tasks.get(session.peer);
    if (task?.session === session) task.session = undefined;
    session.timer?.cancel();
    session.controller.abort();
    this.#deps.poke();
  }
}

type Pass = NonNullable<HeaderRun['pass']>;

function isFurther(a: Pass, b: Pass): boolean {
  return a.number === b.number ? a.height > b.height : a.number > b.number;
}
