/** The network's calls between two real regtest nodes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VERSION } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { addressesOf, createTestNodes, statusWhen } from '../support/test-nodes.ts';

const NOBODY = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';

type Json = Record<string, unknown>;

type Two = AsyncDisposable & {
  readonly rpc: RpcNode;
  /** Multiaddr of the other node, and its id. */
  readonly address: string;
  readonly id: string;
  readonly peers: () => Promise<Json[]>;
};

/** The one with the server listens; the other calls it, unless told not to. */
async function startTwo({ connected = true } = {}): Promise<Two> {
  await using stack = new AsyncDisposableStack();
  const rpc = stack.use(await startRpcNode({ listen: ['/ip4/127.0.0.1/tcp/0'] }));
  const nodes = stack.use(await createTestNodes(regtest()));
  const other = await nodes.start('other', { connect: connected ? await addressesOf(rpc.node) : [] });
  if (connected) await statusWhen(rpc.node, ({ net }) => net.peers.length === 1);
  const { peerId, listenAddresses } = (await other.status()).net;
  const resources = stack.move();
  return {
    rpc,
    address: listenAddresses[0] ?? assert.fail(),
    id: peerId,
    peers: async () => (await rpc.call('getpeerinfo')) as Json[],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

describe('who is connected', () => {
  it('is told with Core’s fields and what libp2p knows', async () => {
    await using two = await startTwo();
    const { rpc, id } = two;
    const [peer] = await two.peers();
    assert.ok(peer);
    const { addr, services, servicesnames, subver, inbound, connection_type, network } = peer;
    assert.match(String(addr), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual([services, servicesnames], ['0000000000000409', ['NETWORK', 'WITNESS', 'NETWORK_LIMITED']]);
    assert.deepEqual([subver, inbound, connection_type], [`/Starling:${VERSION}/`, true, 'inbound']);
    assert.equal(network, 'not_publicly_routable');
    assert.equal(peer['peerid'], id);
    assert.ok(Array.isArray(peer['protocols']) && peer['protocols'].length > 0);
    assert.equal(await rpc.call('getconnectioncount'), 1);
    const info = (await rpc.call('getnetworkinfo')) as Json;
    assert.deepEqual([info['connections'], info['connections_in'], info['connections_out']], [1, 1, 0]);
    assert.deepEqual([info['version'], info['protocolversion'], info['relayfee']], [270000, 70016, 0.00001]);
    const totals = (await rpc.call('getnettotals')) as Json;
    assert.ok(Number(totals['totalbytesrecv']) > 0 && Number(totals['totalbytessent']) > 0);
    assert.equal(await rpc.call('ping'), null);
    assert.ok(Array.isArray(await rpc.call('getnodeaddresses', 0)));
    assert.deepEqual(await rpc.refuse('getnodeaddresses', -1), [-8, 'Address count out of range']);
    assert.deepEqual(await rpc.refuse('getnodeaddresses', 1, 'x'), [-8, 'Network not recognized: x']);
  });

  it('ends by the operator’s word, by number or by address', async () => {
    await using two = await startTwo();
    const { rpc, id } = two;
    const [first] = await two.peers();
    assert.equal(await rpc.call('disconnectnode', '', Number(first?.['id'])), null);
    // It comes back by itself, as another one.
    const again = await statusWhen(rpc.node, ({ net }) => net.peers.length === 1);
    assert.equal(again.net.peers[0]?.id, id);
    const gone = [-29, 'Node not found in connected nodes'];
    assert.deepEqual(await rpc.refuse('disconnectnode', '', Number(first?.['id'])), gone);
    assert.equal(await rpc.call('disconnectnode', id), null);
    assert.deepEqual(await rpc.refuse('disconnectnode', NOBODY), gone);
    const one = 'Only one of address and nodeid should be provided.';
    assert.deepEqual(await rpc.refuse('disconnectnode'), [-32602, one]);
    assert.deepEqual(await rpc.refuse('disconnectnode', 'x', 1), [-32602, one]);
  });
});

describe('who shall be connected', () => {
  it('is added and removed', async () => {
    await using two = await startTwo({ connected: false });
    const { rpc, address, id } = two;
    assert.deepEqual(await rpc.call('getaddednodeinfo'), []);
    assert.equal(await rpc.call('addnode', address, 'add'), null);
    assert.deepEqual(await rpc.refuse('addnode', address, 'add'), [-23, 'Error: Node already added']);
    await statusWhen(rpc.node, ({ net }) => net.peers.length === 1);
    const [added] = (await rpc.call('getaddednodeinfo', address)) as Json[];
    assert.deepEqual([added?.['addednode'], added?.['connected'], added?.['peerid']], [address, true, id]);
    const [peer] = await two.peers();
    assert.deepEqual([peer?.['connection_type'], peer?.['inbound']], ['manual', false]);
    assert.equal(await rpc.call('addnode', address, 'remove'), null);
    const notAdded = 'Error: Node could not be removed. It has not been added previously.';
    assert.deepEqual(await rpc.refuse('addnode', address, 'remove'), [-24, notAdded]);
    assert.deepEqual(await rpc.refuse('getaddednodeinfo', address), [-24, 'Error: Node has not been added.']);
    const [code, message] = await rpc.refuse('addnode', address, 'x');
    assert.equal(code, -1);
    assert.match(message, /^addnode "node" "command"/);
    assert.equal((await rpc.refuse('addnode', '1.2.3.4:8333', 'add'))[0], -8);
  });

  it('is called once', async () => {
    await using two = await startTwo({ connected: false });
    assert.equal(await two.rpc.call('addnode', two.address, 'onetry'), null);
    await statusWhen(two.rpc.node, ({ net }) => net.peers.length === 1);
    assert.deepEqual(await two.rpc.call('getaddednodeinfo'), []);
  });
});

describe('who must stay out', () => {
  it('is listed until the ban is lifted', async () => {
    await using two = await startTwo();
    const { rpc } = two;
    assert.equal(await rpc.call('setban', '192.0.2.0/24', 'add', 1000), null);
    assert.deepEqual(await rpc.refuse('setban', '192.0.2.0/24', 'add'), [-23, 'Error: IP/Subnet already banned']);
    assert.equal(await rpc.call('setban', NOBODY, 'add', 0, false, 'no reason'), null);
    const bans = (await rpc.call('listbanned')) as Json[];
    assert.deepEqual(
      bans.map((ban) => [ban['address'], ban['ban_duration'], ban['ban_reason']]).sort(),
      [
        [NOBODY, 86_400, 'no reason'],
        ['192.0.2.0/24', 1_000, undefined],
      ].sort(),
    );
    assert.equal(await rpc.call('setban', NOBODY, 'remove'), null);
    const lifted = 'Error: Unban failed. Requested address/subnet was not previously manually banned.';
    assert.deepEqual(await rpc.refuse('setban', NOBODY, 'remove'), [-30, lifted]);
    assert.equal(await rpc.call('clearbanned'), null);
    assert.deepEqual(await rpc.call('listbanned'), []);
    assert.deepEqual(await rpc.refuse('setban', 'x', 'add'), [-30, 'Error: Invalid IP/Subnet']);
    const past = 'Error: Absolute timestamp is in the past';
    assert.deepEqual(await rpc.refuse('setban', '192.0.2.1', 'add', 1_000, true), [-8, past]);
    assert.match((await rpc.refuse('setban', '192.0.2.1', 'x'))[1], /^setban "subnet" "command"/);
  });

  it('is disconnected', async () => {
    await using two = await startTwo();
    assert.equal(await two.rpc.call('setban', two.id, 'add'), null);
    await statusWhen(two.rpc.node, ({ net }) => net.peers.length === 0);
  });
});

it('the network is switched off, and on again', async () => {
  await using two = await startTwo();
  const { rpc } = two;
  assert.equal(await rpc.call('setnetworkactive', false), false);
  await statusWhen(rpc.node, ({ net }) => net.peers.length === 0);
  assert.equal(((await rpc.call('getnetworkinfo')) as Json)['networkactive'], false);
  assert.equal(await rpc.call('setnetworkactive', true), true);
  assert.equal(((await rpc.call('getnetworkinfo')) as Json)['networkactive'], true);
});
