/** What the network counts: names are bounded whatever peers say, and what runs is told apart from what is over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dhtProtocol, protocolId } from '#protocol';
import { ExchangeMeter } from '../../../src/net/exchange-meter.ts';
import { GossipMeter } from '../../../src/net/gossip-meter.ts';
import { NetMeter } from '../../../src/net/net-meter.ts';
import { PROTOCOL_NAMES, protocolNamer } from '../../../src/net/protocol-names.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const NETWORK = '6fe28c0a';

test('protocols have short names, and those that nobody here speaks share one', () => {
  const nameOf = protocolNamer(NETWORK);
  const cases: readonly (readonly [string, string])[] = [
    [protocolId(NETWORK, 'blocks'), 'blocks'],
    [protocolId(NETWORK, 'blocks', 'kept'), 'blocks'],
    [protocolId('fabfb5da', 'blocks'), 'other'],
    [dhtProtocol(NETWORK), 'dht'],
    ['/ipfs/id/1.0.0', 'identify'],
    ['/ipfs/id/push/1.0.0', 'identify-push'],
    ['/ipfs/ping/1.0.0', 'ping'],
    ['/meshsub/1.2.0', 'gossipsub'],
    ['/libp2p/autonat/2/dial-request', 'autonat'],
    ['/libp2p/circuit/relay/0.2.0/hop', 'relay'],
    ['/libp2p/dcutr', 'dcutr'],
    ['/made/up/1', 'other'],
  ];
  for (const [id, name] of cases) {
    assert.equal(nameOf(id), name, id);
    assert.ok(PROTOCOL_NAMES.includes(name));
  }
});

test('an exchange counts as running until it is over, and its time with it', async () => {
  const clock = createManualClock();
  const meter = new ExchangeMeter(clock);
  const ended = meter.begin('headers');
  meter.begin('headers')('STREAM_RESET');
  await clock.advance(20);
  assert.equal(meter.figures().headers.running, 1);
  ended('answered');
  const { running, results, seconds } = meter.figures().headers;
  assert.equal(running, 0);
  assert.deepEqual(results, { answered: 1, aborted: 0, disconnected: 0, 'stream-reset': 1, timeout: 0 });
  assert.equal(seconds.sum, 0.02);
  assert.equal(meter.figures().blocks.results['answered'], 0);
});

test('dials count by what they were for, streams and bytes by protocol', async () => {
  const clock = createManualClock();
  const meter = new NetMeter(NETWORK, clock);
  assert.equal(await meter.dialled('feeler', async () => true), true);
  assert.equal(await meter.dialled('feeler', async () => false), false);
  meter.protocol('/made/up/1').bytesIn += 7;
  meter.protocol('/made/up/2').bytesIn += 1;
  meter.protocol(protocolId(NETWORK, 'txs')).openedOut += 1;
  const { dials, protocols } = meter.figures();
  assert.deepEqual([dials.feeler.connected, dials.feeler.failed, dials.manual.connected], [1, 1, 0]);
  assert.equal(protocols['other']?.bytesIn, 8);
  assert.equal(protocols['txs']?.openedOut, 1);
  assert.equal(Object.keys(protocols).length, PROTOCOL_NAMES.length);
});

test('control messages of gossip count by what they carry', () => {
  const meter = new GossipMeter();
  const ids = [new Uint8Array(20), new Uint8Array(20)];
  meter.control('in', {
    ...{ ihave: [{ messageIDs: ids }, { messageIDs: ids }], iwant: [{ messageIDs: ids }], idontwant: [] },
    ...{ graft: [{}], prune: [{ peers: [] }] },
  });
  meter.control('out', undefined);
  meter.control('out', { graft: [{}, {}] });
  const none = { ihave: 0, iwant: 0, idontwant: 0, graft: 0, prune: 0 };
  assert.deepEqual(meter.controlFigures(), {
    in: { ...none, ihave: 4, iwant: 2, graft: 1, prune: 1 },
    out: { ...none, graft: 2 },
  });
});
