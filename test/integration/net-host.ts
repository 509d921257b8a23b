/** The libp2p node below a network, alone: for tests that look into its stores. */
import { generateKeyPair } from '@libp2p/crypto/keys';
import { nullLogger } from '#util';
import { createHost, type Host, startHost, stopHost } from '../../src/net/host.ts';
import { LocalPeers } from '../../src/net/mdns.ts';
import { completeOptions } from '../../src/net/options.ts';
import { createStreamMeter } from '../../src/net/stream-meter.ts';
import { deps, netOptions } from './net-support.ts';

export async function startDhtHost(stack: AsyncDisposableStack): Promise<Host> {
  const options = completeOptions(netOptions({}));
  const key = await generateKeyPair('Ed25519');
  const host = await createHost(options, {
    key,
    protector: undefined,
    gater: {},
    gossip: {},
    local: new LocalPeers(),
    relays: new Set(),
    isProbe: () => false,
    charge: () => {},
    metrics: createStreamMeter({
      clock: deps.clock,
      trafficOf: () => undefined,
      countsOf: () => ({ bytesIn: 0, bytesOut: 0, openedIn: 0, openedOut: 0 }),
    }),
    ...deps,
  });
  stack.defer(() => stopHost(host, nullLogger));
  await startHost(host, options.listen);
  return host;
}
