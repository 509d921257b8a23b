/**
 * Which outbound peer goes again after one more than our number was connected, as Core's EvictExtraOutboundPeers: an extra
 * full-relay peer stays if it brought a block that another did not, a new block-only peer likewise. Pure.
 */
import type { PeerIdText } from '../port.ts';
import type { ConnectionFacts } from './port.ts';

/** Core's MINIMUM_CONNECT_TIME: so long a peer has to show something. */
const LEAST_CONNECTED_MS = 30_000;

/** The full-relay peer that told of a block longest ago, the newest of equals; never one that showed a good chain. */
export function worstFullRelay(peers: readonly ConnectionFacts[], nowMs: number): PeerIdText | undefined {
  let worst: ConnectionFacts | undefined;
  for (const peer of peers) {
    if (peer.hasGoodChain) continue;
    // Oldest first: of equals the later one replaces.
    if (worst === undefined || peer.lastBlockMs <= worst.lastBlockMs) worst = peer;
  }
  return worst !== undefined && nowMs - worst.openedMs >= LEAST_CONNECTED_MS ? worst.id : undefined;
}

/**
 * The younger of the two youngest block-only peers. Core keeps it if it told of a block more recently: an attacker who is
 * quickest with every block would so take all these slots, one every few minutes. Here the other one stays if it has shown a
 * good chain; what the new one told is ours anyway, and who falls behind it is replaced.
 */
export function worseOfYoungest(peers: readonly ConnectionFacts[], nowMs: number): PeerIdText | undefined {
  const [second, youngest] = peers.slice(-2);
  if (second === undefined || youngest === undefined) return undefined;
  const worse = youngest.lastBlockMs > second.lastBlockMs && !second.hasGoodChain ? second : youngest;
  return nowMs - worse.openedMs >= LEAST_CONNECTED_MS ? worse.id : undefined;
}
