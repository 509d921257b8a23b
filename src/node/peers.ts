/**
 * Hello: who is connected and what it claims. The dialling side says hello first; a peer counts (for sync, for the
 * address book) once its hello has passed. Repeated every five minutes, and soon after our tip moved by other means
 * than gossip or old blocks were removed, so that peers know what there is to be had.
 */
import type { ChainReader } from '#chain';
import type { ConnectionKind, Net, PeerIdText, PeerInfo } from '#net';
import type { BlockHash } from '#primitives';
import { checkHello, type Hello, PROTOCOL_REVISION, SERVICES } from '#protocol';
import type { Sync } from '#sync';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import { claimsOf, type PeerClaims } from './peer-claims.ts';
import type { Requests } from './requests.ts';

const REPEAT_MS = 5 * 60_000;
/** Waits this long after the tip moved, for it may move again at once. */
const TIP_SETTLE_MS = 1_000;
/** Hellos to one peer come no closer than this: five at once, then one in three seconds is what peers allow. */
const MIN_INTERVAL_MS = 6_000;

export type PeersDeps = {
  readonly chain: ChainReader;
  readonly net: Pick<Net, 'charge' | 'confirmPeer' | 'disconnect'>;
  readonly requests: Pick<Requests, 'hello'>;
  readonly sync: Pick<Sync, 'peerReady' | 'peerUpdated' | 'peerGone'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly nonce: bigint;
  readonly userAgent: string;
  /** False during initial sync: transactions would only be dropped. */
  readonly wantsTransactions: () => boolean;
  /** What a transaction must pay to be wanted. */
  readonly feeFilterSatPerKvb: () => bigint;
};

type Peer = {
  readonly info: PeerInfo;
  isReady: boolean;
  tipHash?: BlockHash;
  /** Undefined before its first hello. */
  claims?: PeerClaims;
};

/** A peer whose hello has passed. */
export type ReadyPeer = {
  readonly id: PeerIdText;
  readonly isOutbound: boolean;
  readonly kind: ConnectionKind;
  /** As it last said. */
  readonly tipHash: BlockHash | undefined;
};

export class Peers {
  readonly #deps: PeersDeps;
  readonly #peers = new Map<PeerIdText, Peer>();
  readonly #abort = new AbortController();
  #timer: TimerHandle;
  #lastRoundMs = Number.NEGATIVE_INFINITY;
  #isRoundSoon = false;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
    this.#timer = this.#schedule(REPEAT_MS);
  }

  connected(info: PeerInfo): void {
    this.#peers.set(info.id, { info, isReady: false });
    if (info.direction === 'outbound') void this.#sayHello(info.id);
  }

  /** `reason` is for the log. */
  disconnected(id: PeerIdText, reason: string): void {
    const peer = this.#peers.get(id);
    this.#peers.delete(id);
    if (!peer?.isReady) return;
    this.#deps.log.debug('peer gone', { peer: id, reason });
    this.#deps.sync.peerGone(id);
  }

  /** Whether the operator asked for this peer. */
  isManual(id: PeerIdText): boolean {
    return this.#peers.get(id)?.info.isManual ?? false;
  }

  /** No transactions go over its connection, in neither direction. */
  isBlockOnly(id: PeerIdText): boolean {
    return this.#peers.get(id)?.info.kind === 'block-only';
  }

  /** What its hellos told; undefined before the first valid one. */
  claims(id: PeerIdText): PeerClaims | undefined {
    return this.#peers.get(id)?.claims;
  }

  ready(): readonly ReadyPeer[] {
    return [...this.#peers.values()]
      .filter((peer) => peer.isReady)
      .map(({ info, tipHash }) => {
        const { id, kind, direction } = info;
        return { id, kind, isOutbound: direction === 'outbound', tipHash };
      });
  }

  /** A peer's hello request. Gives ours, or undefined when the peer is refused. */
  received(id: PeerIdText, theirs: Hello): Hello | undefined {
    return this.#judge(id, theirs) ? this.#ours(id) : undefined;
  }

  /** Asks the peer anew what it has. */
  ask(id: PeerIdText): void {
    void this.#sayHello(id);
  }

  /** What we have changed in a way that gossip does not tell (the tip, the lowest block served): peers shall know. */
  tipMoved(): void {
    if (this.#isRoundSoon) return;
    this.#isRoundSoon = true;
    const sinceLast = this.#deps.clock.monotonicMs() - this.#lastRoundMs;
    this.#timer.cancel();
    this.#timer = this.#schedule(Math.max(TIP_SETTLE_MS, MIN_INTERVAL_MS - sinceLast));
  }

  close(): void {
    this.#timer.cancel();
    this.#abort.abort(new Error('the node is stopping'));
  }

  #schedule(delayMs: number): TimerHandle {
    return this.#deps.clock.after(delayMs, () => {
      this.#lastRoundMs = this.#deps.clock.monotonicMs();
      this.#isRoundSoon = false;
      this.#timer = this.#schedule(REPEAT_MS);
      for (const [id, peer] of this.#peers) if (peer.isReady) void this.#sayHello(id);
    });
  }

  async #sayHello(id: PeerIdText): Promise<void> {
    try {
      const theirs = await this.#deps.requests.hello(id, this.#ours(id), this.#abort.signal);
      this.#judge(id, theirs);
    } catch (error) {
      // A peer that says no hello is dropped by its deadline; a later one that fails shows in the next exchange.
      this.#deps.log.debug('hello failed', { peer: id, error: errorText(error) });
    }
  }

  #judge(id: PeerIdText, theirs: Hello): boolean {
    const { sync, net } = this.#deps;
    const verdict = checkHello(this.#ours(id), theirs);
    if (verdict.kind === 'refused') {
      net.charge(id, verdict.offence, verdict.detail);
      return false;
    }
    const peer = this.#peers.get(id);
    if (peer === undefined) return true;
    const { tipHash, tipHeight, tipChainWork } = theirs;
    peer.tipHash = tipHash;
    if (peer.claims?.relaysTransactions !== theirs.relay) net.confirmPeer(id, theirs.relay);
    peer.claims = claimsOf(theirs, peer.claims, this.#deps.clock.now());
    // It is closed now: there is nothing more to be had from it.
    if (peer.info.kind === 'feeler') return true;
    // No blocks go over relays.
    const lowestHeightServed = peer.info.isRelayed ? Number.MAX_SAFE_INTEGER : theirs.lowestHeightServed;
    const claim = { tipHash, tipHeight, tipChainWork, lowestHeightServed };
    if (peer.isReady) {
      sync.peerUpdated(id, claim);
      return true;
    }
    peer.isReady = true;
    this.#deps.log.debug('peer ready', { peer: id, height: tipHeight, agent: theirs.userAgent });
    const { direction, isManual } = peer.info;
    sync.peerReady(id, { ...claim, isOutbound: direction === 'outbound', isManual });
    return true;
  }

  #ours(to: PeerIdText): Hello {
    const { chain, clock, nonce, userAgent, wantsTransactions, feeFilterSatPerKvb } = this.#deps;
    const tip = chain.tip();
    // BIP159: every node has the last 288 blocks; the whole chain only who keeps all.
    const whole = chain.pruneTargetBytes() === undefined ? SERVICES.network : 0n;
    return {
      revision: PROTOCOL_REVISION,
      services: whole | SERVICES.witness | SERVICES.networkLimited,
      genesisHash: chain.params.genesis.hash,
      userAgent,
      time: Math.floor(clock.now() / 1000),
      tipHash: tip.hash,
      tipHeight: tip.height,
      tipChainWork: tip.chainWork,
      lowestHeightServed: chain.lowestStoredHeight(),
      relay: wantsTransactions() && !this.isBlockOnly(to),
      feeFilterSatPerKvb: feeFilterSatPerKvb(),
      nonce,
    };
  }
}
