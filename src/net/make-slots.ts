/** Joins the rules of `slots` with libp2p: who is dialled, who gets a place, what is remembered over a restart. */
import { multiaddr } from '@multiformats/multiaddr';
import type { Clock, Logger, Random } from '#util';
import type { AddressManager } from './addrman/manager.ts';
import { LOCAL_GROUP, type NetGroups } from './addrman/net-groups.ts';
import type { NetFigures } from './figures.ts';
import type { JsonFile } from './json-file.ts';
import type { ManualPeers } from './manual-peers.ts';
import type { CompleteNetOptions } from './options.ts';
import type { PeerIdText } from './port.ts';
import { Anchors } from './slots/anchors.ts';
import { FixedPeers } from './slots/fixed-peers.ts';
import { InboundSlots } from './slots/inbound-slots.ts';
import { OutboundSlots } from './slots/outbound-slots.ts';
import type { Wire } from './slots/port.ts';

export type SlotsDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly wire: Wire;
  readonly addresses: AddressManager;
  readonly groupOf: (address: string) => string | undefined;
  readonly anchorsFile: JsonFile;
  readonly self: PeerIdText;
  readonly isUnwelcome: (peer: PeerIdText) => boolean;
  readonly isActive: () => boolean;
  readonly manual: ManualPeers;
};

export type Slots = {
  readonly outbound: OutboundSlots;
  readonly inbound: InboundSlots;
  readonly places: NetFigures['places'];
};

export async function makeSlots(deps: SlotsDeps, options: CompleteNetOptions): Promise<Slots> {
  const { wire, random, self, anchorsFile } = deps;
  const { maxPeers, targetOutbound, targetBlockOnly, tuning } = options;
  const { dialBusyMs: busyMs, dialIdleMs: idleMs, backoffFirstMs, backoffLastMs } = tuning;
  return {
    outbound: new OutboundSlots(
      {
        ...deps,
        anchors: await Anchors.open(anchorsFile),
        manual: deps.manual.targets,
        seeds: new FixedPeers([...options.bootstrap, ...options.seeds], self, backoffFirstMs),
      },
      {
        fullRelay: targetOutbound,
        blockOnly: targetBlockOnly,
        maxPeers,
        busyMs,
        idleMs,
        backoffFirstMs,
        backoffLastMs,
      },
    ),
    inbound: new InboundSlots(wire, random, { places: inboundPlaces(options), maxPeers }),
    places: { inbound: inboundPlaces(options), 'full-relay': targetOutbound, 'block-only': targetBlockOnly },
  };
}

/** Netgroup of an address without /p2p/ id; undefined for local ones: any number of those is fine. */
export function groupsByText(groups: NetGroups): (address: string) => string | undefined {
  return (address) => {
    const group = groups.of(multiaddr(address));
    return group === LOCAL_GROUP ? undefined : group;
  };
}

/**
 * Inbound peers have what the outbound ones and a feeler leave (Core's 114 of 125), and half of all at least: otherwise
 * small nodes could not meet.
 */
function inboundPlaces({ maxPeers, targetOutbound, targetBlockOnly }: CompleteNetOptions): number {
  const outbound = targetOutbound === 0 ? 0 : targetOutbound + targetBlockOnly + 1;
  return maxPeers - Math.min(outbound, Math.floor(maxPeers / 2));
}
