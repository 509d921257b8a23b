/** Second connections of a peer: dial backs that try an address, relayed ones, and direct ones that take their place. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Connection, IdentifyResult } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { Peers } from '../../../src/net/peers.ts';
import { nullLogger } from '../../../src/util/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const PEER = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';
const DIAL_REQUEST = '/libp2p/autonat/2/dial-request';

type Link = Connection & { readonly streams: { protocol: string }[] };

function scene(self = 'self') {
  const clock = createManualClock();
  const events: string[] = [];
  const closed: Connection[] = [];
  const manual = new Set<string>();
  const peers = new Peers(
    {
      clock,
      log: nullLogger,
      self,
      handlers: {
        peerConnected: ({ isRelayed }) => void events.push(isRelayed ? 'connected over a relay' : 'connected'),
        peerDisconnected: () => void events.push('disconnected'),
      },
      isOurs: () => true,
      isManual: (peer) => manual.has(peer),
      isSeed: () => false,
      kindOf: () => 'query',
      admitInbound: () => true,
      groupOf: () => undefined,
      onGone: () => {},
      socketOf: () => undefined,
      onDropped: () => {},
      onCollapsed: () => {},
    },
    { identifyTimeoutMs: 10_000, confirmTimeoutMs: 10_000 },
  );
  const open = (direction: 'inbound' | 'outbound', limits?: object): Link => {
    const link = {
      remotePeer: { toString: () => PEER },
      remoteAddr: multiaddr(`/ip4/1.2.3.4/tcp/1/p2p/${PEER}`),
      direction,
      limits,
      streams: [],
      status: 'open',
      timeline: { open: clock.now() },
      close: async () => void closed.push(link),
    } as unknown as Link;
    peers.opened(link);
    return link;
  };
  const identify = (connection: Connection): void =>
    peers.identified({
      peerId: connection.remotePeer,
      protocols: [],
      agentVersion: '',
      connection,
    } as unknown as IdentifyResult);
  return { clock, events, closed, manual, peers, open, identify };
}

suite('net peers', () => {
  test('a dial back that one of two asked for is no connection of the peer', async () => {
    const { clock, events, closed, peers, open, identify } = scene();
    const main = open('outbound');
    identify(main);
    peers.confirm(PEER, true);
    main.streams.push({ protocol: DIAL_REQUEST });
    const probe = open('inbound');
    assert.ok(peers.table.isProbe(probe) && !peers.table.isProbe(main));
    assert.equal(peers.table.connectionOf(PEER), main);
    assert.equal(peers.table.connectionsOfPeer(PEER), 2, 'it counts where connections are limited');
    peers.closed(probe);
    assert.equal(peers.table.connectionsOfPeer(PEER), 1);
    const staying = open('inbound');
    await clock.advance(60_000);
    assert.deepEqual(closed, [staying], 'one that stays is closed');
    assert.deepEqual(events, ['connected']);
  });

  test('a dial back does not outlive the peer', () => {
    const { closed, events, peers, open, identify } = scene();
    const main = open('outbound');
    identify(main);
    main.streams.push({ protocol: DIAL_REQUEST });
    const probe = open('inbound');
    peers.closed(main);
    assert.deepEqual(closed, [probe]);
    assert.deepEqual(events, ['connected', 'disconnected']);
  });

  test('without such a request the second connection takes the place of the first', async () => {
    const { clock, closed, peers, open, identify } = scene();
    const first = open('inbound');
    identify(first);
    await clock.advance(6_000);
    const second = open('inbound');
    assert.deepEqual(closed, [first]);
    assert.equal(peers.table.connectionOf(PEER), second);
  });

  test('of two that crossed the one we dialled stays: the peer closes the other when it has that one', async () => {
    const { clock, closed, events, peers, open, identify } = scene('0');
    const theirs = open('inbound');
    identify(theirs);
    peers.confirm(PEER, true);
    await clock.advance(100);
    const ours = open('outbound');
    assert.equal(peers.table.connectionOf(PEER), ours);
    assert.deepEqual(closed, [], 'it may have none but this one yet');
    peers.closed(theirs);
    assert.deepEqual(events, ['connected']);
    const again = open('inbound');
    await clock.advance(29_000);
    assert.deepEqual(closed, []);
    await clock.advance(1_000);
    assert.deepEqual(closed, [again], 'one that it leaves open is closed');
  });

  test('of two that crossed the one that the peer dialled stays: it has that one', async () => {
    const { clock, closed, peers, open, identify } = scene();
    const ours = open('outbound');
    identify(ours);
    await clock.advance(100);
    const theirs = open('inbound');
    assert.deepEqual(closed, [ours]);
    assert.equal(peers.table.connectionOf(PEER), theirs);
  });

  test('a direct connection replaces a relayed one, and the peer comes anew, as one that called us', () => {
    const { closed, events, peers, open, identify } = scene();
    const relayed = open('inbound', { bytes: 1n });
    identify(relayed);
    assert.ok(peers.table.isRelayed(PEER));
    assert.equal(peers.table.ipOf(PEER), undefined, 'the address is the relay’s');
    // We dialled what it had told us over the relay.
    const direct = open('outbound');
    identify(direct);
    peers.closed(relayed);
    assert.deepEqual(closed, [relayed]);
    assert.deepEqual(events, ['connected over a relay', 'disconnected', 'connected']);
    assert.equal(peers.table.connectionOf(PEER), direct);
    assert.equal(peers.table.kindOf(PEER), 'inbound', 'not a query of ours, which would be closed again');
    assert.equal(peers.table.ipOf(PEER), '1.2.3.4');
  });

  test('a relayed connection beside a direct one is closed', () => {
    const { closed, events, peers, open, identify } = scene();
    const direct = open('inbound');
    identify(direct);
    const relayed = open('outbound', { bytes: 1n });
    assert.deepEqual(closed, [relayed]);
    assert.equal(peers.table.connectionOf(PEER), direct);
    assert.deepEqual(events, ['connected']);
  });

  test('who is added by hand while connected is kept as the operator’s from then on', () => {
    const { manual, peers, open, identify } = scene();
    identify(open('inbound'));
    const isManual = (): boolean | undefined => peers.table.facts()[0]?.isManual;
    assert.equal(isManual(), false);
    manual.add(PEER);
    assert.equal(isManual(), true);
    manual.delete(PEER);
    assert.equal(isManual(), false);
  });

  test('switched off, all are dropped without blame, and who comes meanwhile is closed', () => {
    const { closed, peers, open, identify } = scene();
    const first = open('inbound');
    identify(first);
    peers.setActive(false);
    assert.deepEqual(closed, [first]);
    peers.closed(first);
    const second = open('inbound');
    assert.deepEqual(closed, [first, second]);
    peers.setActive(true);
    identify(open('inbound'));
    assert.ok(peers.table.isAnnounced(PEER));
  });
});
