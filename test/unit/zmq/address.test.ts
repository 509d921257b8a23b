/** Addresses as libzmq writes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLocal, parseZmqAddress, zmqAddressText } from '../../../src/zmq/address.ts';

test('addresses that a socket can have, as they are shown, and whether they stay on this machine', () => {
  const cases: readonly (readonly [text: string, shown: string, isLocal: boolean])[] = [
    ['tcp://127.0.0.1:28332', 'tcp://127.0.0.1:28332', true],
    ['tcp://127.8.0.1:1', 'tcp://127.8.0.1:1', true],
    ['tcp://localhost:28332', 'tcp://localhost:28332', true],
    ['tcp://[::1]:28332', 'tcp://[::1]:28332', true],
    ['tcp://[fe80::1]:65535', 'tcp://[fe80::1]:65535', false],
    ['tcp://0.0.0.0:28332', 'tcp://0.0.0.0:28332', false],
    ['tcp://*:28332', 'tcp://*:28332', false],
    ['tcp://192.0.2.1:*', 'tcp://192.0.2.1:0', false],
    ['ipc:///run/starling.sock', 'ipc:///run/starling.sock', true],
    ['ipc://relative.sock', 'ipc://relative.sock', true],
    ['unix:/run/starling.sock', 'ipc:///run/starling.sock', true],
    [`ipc:///${'x'.repeat(102)}`, `ipc:///${'x'.repeat(102)}`, true],
  ];
  for (const [text, shown, local] of cases) {
    const address = parseZmqAddress(text, 'zmqpubrawtx');
    assert.deepEqual([zmqAddressText(address), isLocal(address)], [shown, local]);
  }
});

test('what is none is refused, with what would be one', () => {
  const cases = [
    ...['', '127.0.0.1:28332', 'tcp://127.0.0.1', 'tcp://127.0.0.1:65536', 'tcp://:28332', 'tcp://eth0:28332'],
    ...['tcp://::1:28332', 'tcp://[127.0.0.1]:1', 'tcp://127.0.0.1:1/x', 'udp://127.0.0.1:1', 'inproc://x', 'ipc://'],
    ...['ipc://@abstract', 'ipc:///a\0b', `ipc:///${'x'.repeat(103)}`],
  ];
  for (const text of cases) {
    assert.throws(() => parseZmqAddress(text, 'zmqpubrawtx'), {
      code: 'BAD_CONFIG',
      message: `Invalid -zmqpubrawtx address ${text.slice(0, 120)}: tcp://IP:PORT or ipc://PATH (at most 103 bytes) is expected`,
    });
  }
});
