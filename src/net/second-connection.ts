/** Which of two connections to one peer goes. Pure; both ends see the same two and must decide alike. */
import type { Connection } from '@libp2p/interface';
import type { PeerIdText } from './port.ts';

/** Connections opened closer together than this crossed on the wire: nobody meant to replace the other. */
const CROSSING_MS = 5_000;

type Side = Pick<Connection, 'direction' | 'timeline'>;

/**
 * Crossing dials: the one that the smaller peer id opened stays. Otherwise the newer, since the older may be dead
 * without our knowing.
 */
export function surplusOf<C extends Side>(older: C, newer: C, self: PeerIdText, peer: PeerIdText): C {
  const isCrossing = older.direction !== newer.direction && newer.timeline.open - older.timeline.open < CROSSING_MS;
  const preferred = self < peer ? 'outbound' : 'inbound';
  return isCrossing && older.direction === preferred ? newer : older;
}
