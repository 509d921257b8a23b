/**
 * Whom to dial next: what the address manager draws, under the rules of Core's ThreadOpenConnections. Bounded: at most
 * MAX_PICKS addresses are looked at.
 */
import type { PeerAddress } from '../addrman/entry.ts';
import type { PeerIdText } from '../port.ts';
import type { Addresses } from './port.ts';

/** Core's figures. */
const MAX_PICKS = 100;
const RECENT_MS = 10 * 60_000;
/** So many picks must have failed before one that was tried in the last ten minutes is taken. */
const PICKS_BEFORE_RECENT = 30;

export type PickRules = {
  readonly addresses: Pick<Addresses, 'select' | 'lastTryMs' | 'selectTriedCollision'>;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Neither we ourselves, nor connected, nor banned … */
  readonly isFree: (peer: PeerIdText) => boolean;
  readonly isGroupFree: (address: string) => boolean;
};

/** For a connection that stays: its netgroup must be free. */
export function pickPeer(rules: PickRules): PeerAddress | undefined {
  return draw(rules, false);
}

/** For a feeler: an address that a new one wants to displace from the tried table, otherwise one that was never tried. */
export function pickForFeeler(rules: PickRules): PeerAddress | undefined {
  const collision = rules.addresses.selectTriedCollision();
  if (collision !== undefined && rules.isFree(collision.id)) return collision;
  return draw(rules, true);
}

function draw(rules: PickRules, newOnly: boolean): PeerAddress | undefined {
  const { addresses, nowMs, isFree, isGroupFree } = rules;
  let picks = 0;
  const isWanted = (peer: PeerAddress): boolean => {
    if (picks >= MAX_PICKS) return false;
    picks += 1;
    if (!isFree(peer.id) || !isGroupFree(peer.address)) return false;
    return picks >= PICKS_BEFORE_RECENT || nowMs - addresses.lastTryMs(peer) >= RECENT_MS;
  };
  for (let before = -1; picks < MAX_PICKS && picks > before; ) {
    before = picks;
    const peer = addresses.select({ newOnly, isWanted });
    if (peer !== undefined) return peer;
  }
  return undefined;
}
