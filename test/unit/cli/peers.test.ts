import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peerLines } from '../../../src/cli/commands/peers.ts';

test('a peer is a line: who, which way, how fast, how much', () => {
  const peer = {
    id: 3,
    inbound: false,
    addr: '192.0.2.1:8433',
    pingtime: 0.0421,
    bytesrecv: 1_500_000,
    bytessent: 900,
    subver: '/Starling:0.1.0/',
  };
  const lines = peerLines([peer, { ...peer, id: 12, inbound: true, pingtime: undefined }]);
  assert.deepEqual(lines, [
    'id       address          ping  received   sent  agent',
    ' 3  out  192.0.2.1:8433  42 ms   1.50 MB  900 B  /Starling:0.1.0/',
    '12  in   192.0.2.1:8433          1.50 MB  900 B  /Starling:0.1.0/',
    '2 peers',
  ]);
});
