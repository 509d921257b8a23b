/** One connected peer, with what it said of itself. */
import type { NodePeerDetails, StarlingNode } from '#node';
import { coreIo } from '#rpc';
import type { PeerAnswer } from '../contract.ts';
import { type Answer, found, refused } from '../port.ts';
import { peerRow } from '../watch/peer-rows.ts';

const MAX_PROTOCOLS = 64;

export async function answerPeer({ peers }: Pick<StarlingNode, 'peers'>, id: string): Promise<Answer> {
  const peer = (await peers.list()).find((each) => each.id === id);
  if (peer === undefined) return refused(404, 'No such peer is connected');
  const body: PeerAnswer = {
    peer: peerRow(peer),
    netgroup: peer.netgroup ?? null,
    protocols: peer.protocols.slice(0, MAX_PROTOCOLS),
    bytesByProtocol: Object.entries(peer.bytesByProtocol)
      .slice(0, MAX_PROTOCOLS)
      .map(([protocol, bytes]) => ({ protocol, ...bytes })),
    lastSentAtMs: peer.lastSentAt ?? null,
    lastReceivedAtMs: peer.lastReceivedAt ?? null,
    claims: claimsOf(peer),
  };
  return found(body);
}

function claimsOf({ claims }: NodePeerDetails): PeerAnswer['claims'] {
  if (claims === undefined) return null;
  const { startHeight, tipHeight, lowestHeightServed, userAgent, revision, timeOffsetSeconds } = claims;
  return {
    ...{ startHeight, tipHeight, lowestHeightServed, userAgent, revision, timeOffsetSeconds },
    services: coreIo.servicesNames(claims.services),
    feeFilterSatPerKvb: Number(claims.feeFilterSatPerKvb),
  };
}
