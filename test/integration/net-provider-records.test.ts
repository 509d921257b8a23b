/** Provider records in a DHT of real nodes: who provides the network's key is found by who asks for it. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { nullLogger } from '#util';
import type { Host } from '../../src/net/host.ts';
import { ProviderRecords } from '../../src/net/provider-records.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startDhtHost } from './net-host.ts';
import { NETWORK } from './net-support.ts';

const LOOK_MS = 5_000;

/** What it finds; the clock lets its time for the next look come. */
function recordsOf(stack: AsyncDisposableStack, host: Host, network: string, isShort: boolean) {
  const clock = createManualClock();
  const found = new Set<string>();
  const records = new ProviderRecords({
    dht: host.services.dht,
    clock,
    log: nullLogger,
    network,
    isShort: () => isShort,
    hasPeers: () => host.getPeers().length > 0,
    onProviders: (_from, providers) => {
      for (const { id } of providers) found.add(id.toString());
    },
  });
  stack.defer(() => records.stop());
  records.start();
  return { clock, found };
}

suite('net provider records', () => {
  test('a node of the network is found by its record, one of another network is not', async () => {
    await using stack = new AsyncDisposableStack();
    const [hub, provider, stranger, seeker] = [
      await startDhtHost(stack),
      await startDhtHost(stack),
      await startDhtHost(stack),
      await startDhtHost(stack),
    ];
    for (const host of [provider, stranger, seeker]) await host.dial(multiaddr(hub.getMultiaddrs()[0]?.toString()));
    await recordsOf(stack, provider, NETWORK, false).clock.advance(LOOK_MS);
    await recordsOf(stack, stranger, '01020304', false).clock.advance(LOOK_MS);
    const looking = recordsOf(stack, seeker, NETWORK, true);
    for (let look = 0; look < 200 && !looking.found.has(provider.peerId.toString()); look += 1) {
      await looking.clock.advance(60_000);
      // The DHT is real: its answers take real time.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(looking.found.has(provider.peerId.toString()));
    assert.ok(!looking.found.has(stranger.peerId.toString()));
  });
});
