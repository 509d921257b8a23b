/** How `slots` reaches libp2p: dials with an end, and closes. */
import type { Connection } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type Clock, errorText, type Logger } from '#util';
import type { NetMeter } from './net-meter.ts';
import type { Peers } from './peers.ts';
import type { Wire } from './slots/port.ts';
import { withTimeLimit } from './time-limit.ts';

export type WireDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly peers: Peers;
  readonly dial: (addresses: Multiaddr[], signal: AbortSignal) => Promise<Connection>;
  readonly dialTimeoutMs: number;
  readonly meter: NetMeter;
  /** Ends every dial. */
  readonly signal: AbortSignal;
};

export function createWire(deps: WireDeps): Wire {
  const { peers } = deps;
  return {
    connections: () => peers.table.facts(),
    dial: async ({ id, addresses }, kind) => {
      if (peers.promote(id, kind)) return true;
      const complete = addresses.map((text) => multiaddr(`${text}/p2p/${id}`));
      return deps.meter.dialled(kind, async () => (await dialInTime(deps, complete)) || peers.table.isConnected(id));
    },
    close: (peer, reason) => peers.drop(peer, reason),
  };
}

async function dialInTime({ clock, log, dial, dialTimeoutMs, signal }: WireDeps, to: Multiaddr[]): Promise<boolean> {
  try {
    await withTimeLimit(clock, dialTimeoutMs, signal, (limited) => dial(to, limited));
    return true;
  } catch (error) {
    log.debug('dial failed', { to: to.join(' '), error: errorText(error) });
    return false;
  }
}
