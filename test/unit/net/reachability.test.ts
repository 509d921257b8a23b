/** When relays are asked, which ones, and how often. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection, PeerId, Topology } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { Reachability } from '../../../src/net/reachability.ts';
import { nullLogger } from '../../../src/util/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const RELAYS = [
  '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE',
  '12D3KooWGRUz1RzyZJzcbsVdVrnBLsSTMF5Wzvz2gFp6xkgbSFQf',
  '12D3KooWDa4C9yzfmy1iQtefJF4BwoFMwTj5ocAF7CaTk2k94scH',
] as const;
const PATIENCE_MS = 60_000;
const OWN = multiaddr('/ip4/1.2.3.4/tcp/1');

async function scene(listen: readonly string[], refuses = false) {
  const clock = createManualClock();
  let addresses: Multiaddr[] = [];
  let topology: Topology | undefined;
  const asked: string[] = [];
  const relays = new Set<string>();
  const reachability = new Reachability(
    {
      addressManager: { getAddresses: () => addresses },
      transportManager: {
        listen: async ([address]) => {
          asked.push(String(address));
          if (refuses) throw new Error('no room');
          if (address !== undefined) addresses = [...addresses, address];
        },
      },
      registrar: {
        register: async (_protocol, given) => {
          topology = given;
          return 'id';
        },
        unregister: () => {},
      },
    },
    { clock, log: nullLogger, isProbe: ({ id }) => id === 'probe', relays },
    { listen, reachLookMs: 5_000, relayPatienceMs: PATIENCE_MS },
  );
  await reachability.start();
  const connect = (relay: string, changed: Partial<Connection> = {}): void => {
    const remoteAddr = multiaddr(`/ip4/9.9.9.9/tcp/1/p2p/${relay}`);
    const connection = { direction: 'outbound', status: 'open', limits: undefined, remoteAddr, ...changed };
    topology?.onConnect?.({ toString: () => relay } as PeerId, connection as Connection);
  };
  const setAddresses = (given: Multiaddr[]): void => {
    addresses = given;
  };
  return { clock, reachability, asked, relays, connect, setAddresses };
}

suite('net reachability', () => {
  test('who has no verified address after a while asks two relays', async () => {
    const { clock, reachability, asked, relays, connect } = await scene(['/ip4/0.0.0.0/tcp/1']);
    for (const relay of RELAYS) connect(relay);
    await clock.advance(PATIENCE_MS);
    assert.equal(reachability.state(), 'unverified');
    assert.deepEqual(asked, []);
    await clock.advance(10_000);
    assert.deepEqual(
      asked,
      RELAYS.slice(0, 2).map((relay) => `/ip4/9.9.9.9/tcp/1/p2p/${relay}/p2p-circuit`),
    );
    assert.equal(reachability.state(), 'relayed');
    assert.deepEqual([...relays], RELAYS.slice(0, 2));
    await clock.advance(600_000);
    assert.equal(asked.length, 2);
    reachability.stop();
    assert.equal(clock.pending(), 0);
  });

  test('who can be called, or listens nowhere, asks none', async () => {
    for (const listen of [['/ip4/0.0.0.0/tcp/1'], []]) {
      const { clock, reachability, asked, connect, setAddresses } = await scene(listen);
      connect(RELAYS[0]);
      if (listen.length > 0) setAddresses([OWN]);
      await clock.advance(600_000);
      assert.equal(reachability.state(), listen.length > 0 ? 'direct' : 'none');
      assert.deepEqual(asked, []);
    }
  });

  test('by relays alone: at once', async () => {
    const { asked, connect, clock } = await scene(['/p2p-circuit']);
    connect(RELAYS[0]);
    await clock.advance(0);
    assert.equal(asked.length, 1);
  });

  test('only those that we called, directly, and not to try an address', async () => {
    const { clock, asked, connect } = await scene(['/p2p-circuit']);
    connect(RELAYS[0], { direction: 'inbound' });
    connect(RELAYS[1], { limits: { bytes: 1n } });
    connect(RELAYS[2], { id: 'probe' });
    await clock.advance(600_000);
    assert.deepEqual(asked, []);
  });

  test('one that refuses is asked again after ten minutes', async () => {
    const { clock, asked, relays, connect } = await scene(['/p2p-circuit'], true);
    connect(RELAYS[0]);
    await clock.advance(590_000);
    assert.equal(asked.length, 1);
    assert.equal(relays.size, 0, 'it may bring nobody');
    await clock.advance(20_000);
    assert.equal(asked.length, 2);
  });
});
