/**
 * What each peer claims and what it has shown. A claim is a hint whom to ask; only headers that our own chain knows
 * (`known`) decide what is downloaded from whom.
 */
import type { HeaderEntry } from '#chain';
import type { PeerClaim, PeerId, SyncChain, SyncPeer } from './port.ts';

type PeerRecord = {
  readonly isOutbound: boolean;
  readonly isManual: boolean;
  claim: PeerClaim;
  /**
   * `open`: not looked into. `void`: the peer was asked and could not show it, so it counts as nothing.
   * `resolved`: its header is in our tree.
   */
  claimState: 'open' | 'void' | 'resolved';
  known: HeaderEntry | undefined;
};

export class Peers {
  readonly #chain: SyncChain;
  readonly #records = new Map<PeerId, PeerRecord>();

  constructor(chain: SyncChain) {
    this.#chain = chain;
  }

  get size(): number {
    return this.#records.size;
  }

  ids(): IterableIterator<PeerId> {
    return this.#records.keys();
  }

  add(id: PeerId, info: SyncPeer): void {
    const { isOutbound, isManual = false } = info;
    this.#records.set(id, { isOutbound, isManual, claim: info, claimState: 'open', known: undefined });
    this.resolveClaim(id);
  }

  /** `isCredible`: whether the claim is worth looking into. */
  update(id: PeerId, claim: PeerClaim, isCredible: boolean): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    // A void claim made again is looked into again: the header may have been a little too new before.
    const isNew = claim.tipHash !== record.claim.tipHash || record.claimState === 'void';
    if (isNew) record.claimState = isCredible ? 'open' : 'void';
    record.claim = claim;
    this.resolveClaim(id);
  }

  remove(id: PeerId): void {
    this.#records.delete(id);
  }

  has(id: PeerId): boolean {
    return this.#records.has(id);
  }

  isOutbound(id: PeerId): boolean {
    return this.#records.get(id)?.isOutbound ?? false;
  }

  /** We chose to connect to it, and may choose another. */
  isExpendable(id: PeerId): boolean {
    const record = this.#records.get(id);
    return record?.isOutbound === true && !record.isManual;
  }

  /** What the peer says, true or not. */
  claimedWork(id: PeerId): bigint | undefined {
    return this.#records.get(id)?.claim.tipChainWork;
  }

  lowestHeightServed(id: PeerId): number {
    return this.#records.get(id)?.claim.lowestHeightServed ?? Number.POSITIVE_INFINITY;
  }

  /** The header with most work that the peer is known to have, unless its chain proved invalid. */
  known(id: PeerId): HeaderEntry | undefined {
    const known = this.#records.get(id)?.known;
    return known === undefined || this.#chain.isInvalid(known.hash) ? undefined : known;
  }

  /** The peer sent or announced this header, so it has its ancestors too. */
  showed(id: PeerId, entry: HeaderEntry): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    const known = this.known(id);
    if (known === undefined || entry.chainWork > known.chainWork) record.known = entry;
  }

  /** Looks the claimed tip up among our headers; true if it is there. */
  resolveClaim(id: PeerId): boolean {
    const record = this.#records.get(id);
    if (record === undefined) return false;
    if (record.claimState === 'resolved') return true;
    const entry = this.#chain.getHeader(record.claim.tipHash);
    if (entry === undefined) return false;
    record.claimState = 'resolved';
    record.known = entry;
    return true;
  }

  /** After headers were added: claims that they cover become known. */
  resolveClaims(): void {
    for (const id of this.#records.keys()) this.resolveClaim(id);
  }

  /** The peer could not show what it claims. */
  voidClaim(id: PeerId): void {
    const record = this.#records.get(id);
    if (record?.claimState === 'open') record.claimState = 'void';
  }

  /**
   * The claim, while its headers are unknown and it promises more work than our tip, and what the network is known to
   * have. Compared with the tip, not with the best header: the heaviest headers may have bodies that nobody serves.
   */
  openClaim(id: PeerId): PeerClaim | undefined {
    const record = this.#records.get(id);
    if (record?.claimState !== 'open') return undefined;
    const { tipChainWork } = record.claim;
    const { params, tip } = this.#chain;
    return tipChainWork > tip().chainWork && tipChainWork >= params.minimumChainWork ? record.claim : undefined;
  }

  /** The greatest height among open claims; undefined without any. */
  claimedHeight(): number | undefined {
    let height: number | undefined;
    for (const id of this.#records.keys()) {
      const claim = this.openClaim(id);
      if (claim !== undefined) height = Math.max(height ?? 0, claim.tipHeight);
    }
    return height;
  }
}
