import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection, IdentifyResult, PeerId } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { ObservedAddresses } from '../../../src/net/observed-addresses.ts';
import { recordKey } from '../../support/peer-record.ts';

const PEERS = await Promise.all(Array.from({ length: 18 }, async (_, n) => peerIdFromPrivateKey(await recordKey(n))));
const [SELF] = PEERS as [PeerId];

function open(isFromListeningPort = true) {
  const events = new EventTarget();
  const observed = new ObservedAddresses({
    events: events as never,
    self: SELF,
    isFromListeningPort: () => isFromListeningPort,
  });
  const tell = (
    witness: number,
    address: string,
    connection: Partial<Connection> = { direction: 'outbound' },
  ): void => {
    const detail = { peerId: PEERS[witness], observedAddr: multiaddr(address), connection };
    events.dispatchEvent(new CustomEvent('peer:identify', { detail: detail as unknown as IdentifyResult }));
  };
  return { tell, told: () => observed.list().map(String) };
}

test('what most peers see comes first, with our peer id; two at most', () => {
  const { tell, told } = open();
  tell(1, '/ip4/11.0.0.1/tcp/1');
  tell(2, '/ip4/11.0.0.1/tcp/2');
  tell(3, `/ip4/11.0.0.1/tcp/2/p2p/${SELF}`);
  tell(4, '/ip4/11.0.0.1/tcp/3');
  assert.deepEqual(told(), [`/ip4/11.0.0.1/tcp/2/p2p/${SELF}`, `/ip4/11.0.0.1/tcp/1/p2p/${SELF}`]);
});

test('a peer has one word, its last; a crowd of them replaces the oldest', () => {
  const { tell, told } = open();
  tell(1, '/ip4/11.0.0.1/tcp/1');
  tell(1, '/ip4/11.0.0.1/tcp/2');
  assert.deepEqual(told(), [`/ip4/11.0.0.1/tcp/2/p2p/${SELF}`]);
  for (let witness = 2; witness < 18; witness++) tell(witness, '/ip4/11.0.0.1/tcp/9');
  assert.deepEqual(told(), [`/ip4/11.0.0.1/tcp/9/p2p/${SELF}`]);
});

test('not asked: who called us, who is reached by a relay, what is no public TCP address, calls from other ports', () => {
  const { tell, told } = open();
  tell(1, '/ip4/11.0.0.1/tcp/1', { direction: 'inbound' });
  tell(2, '/ip4/11.0.0.1/tcp/1', { direction: 'outbound', limits: {} });
  tell(3, '/ip4/192.168.0.1/tcp/1');
  tell(4, '/ip4/11.0.0.1/udp/1');
  assert.deepEqual(told(), []);
  const other = open(false);
  other.tell(1, '/ip4/11.0.0.1/tcp/1');
  assert.deepEqual(other.told(), []);
});
