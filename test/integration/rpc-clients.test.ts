/** Clients that others wrote for Bitcoin Core, unmodified, drive a node: two npm packages, python-bitcoinlib, curl. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { promisify } from 'node:util';
import BitcoinJsonRpc, { type BitcoinJsonRpcError } from 'bitcoin-json-rpc';
import { type JsonValue, RPC_METHODS } from '#rpc';
import { toHex } from '#util';
import { type Call, everyCall, NOT_CALLED, REFUSED_CALLS, witnessPayment } from '../support/rpc-calls.ts';
import { feedRpcChain, type RpcChain } from '../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { outputOf } from '../support/tx-builder.ts';

const run = promisify(execFile);

type Node = AsyncDisposable & { readonly rpc: RpcNode; readonly chain: RpcChain; readonly url: string };

async function start(): Promise<Node> {
  await using stack = new AsyncDisposableStack();
  const rpc = stack.use(
    await startRpcNode({ indexes: { txIndex: true, blockFilterIndex: true, coinStatsIndex: true }, pruneBytes: 0 }),
  );
  const chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const resources = stack.move();
  return {
    rpc,
    chain,
    url: `http://${rpc.login}@${rpc.address}`,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Every method of the table is called once at least, and answered. */
async function callAll({ rpc, chain }: Node, call: (...call: Call) => Promise<unknown>): Promise<void> {
  const called = new Set<string>();
  for (const each of await everyCall(rpc, chain)) {
    called.add(each[0]);
    await call(...each);
  }
  for (const [, , method] of REFUSED_CALLS) called.add(method);
  const missing = RPC_METHODS.map(({ name }) => name).filter((name) => !called.has(name) && !NOT_CALLED.includes(name));
  assert.deepEqual(missing, [], 'methods without a call');
  assert.ok(called.size >= 80);
}

type BitcoinCore = {
  readonly command: (
    method: string | readonly { readonly method: string; readonly parameters: readonly JsonValue[] }[],
    ...params: readonly JsonValue[]
  ) => Promise<unknown>;
};
type BitcoinCoreClass = new (options: {
  readonly host: string;
  readonly username: string;
  readonly password: string;
  readonly version?: string;
}) => BitcoinCore;

function bitcoinCore({ rpc }: Node, version?: string): BitcoinCore {
  const Client: BitcoinCoreClass = createRequire(import.meta.url)('bitcoin-core');
  const [username = '', password = ''] = rpc.login.split(':');
  return new Client({ host: `http://${rpc.address}`, username, password, ...(version && { version }) });
}

test('bitcoin-core calls every method, by place, by name and in a batch', async () => {
  await using node = await start();
  const client = bitcoinCore(node);
  await callAll(node, (method, ...params) => client.command(method, ...params));
  for (const [code, message, method, ...params] of REFUSED_CALLS) {
    await assert.rejects(client.command(method, ...params), { code, message }, method);
  }
  const named = bitcoinCore(node, '27.0.0');
  assert.equal(await named.command('getblockhash', { height: 1 }), node.chain.builder.at(1).hash);
  const [count, failed] = (await client.command([
    { method: 'getblockcount', parameters: [] },
    { method: 'getblockhash', parameters: [99_999] },
  ])) as readonly [number, { readonly code: number }];
  assert.equal(count, node.rpc.node.chain.tip().height);
  assert.equal(failed.code, -8);
});

test('bitcoin-json-rpc calls every method, and finds the shapes that it expects', async () => {
  await using node = await start();
  const { rpc, chain } = node;
  const client = new BitcoinJsonRpc(node.url);
  await callAll(node, (method, ...params) => client.cmd(method, ...params));
  const { height } = rpc.node.chain.tip();
  assert.equal(await client.getBlockCount(), height);
  assert.equal((await client.getBlockchainInfo()).blocks, height);
  assert.equal(await client.getBlockHashFromHeight(1), chain.builder.at(1).hash);
  assert.equal((await client.getBlockFromHash(chain.busyBlock.hash)).tx.length, 21);
  assert.equal((await client.getRawTransactionAsObject(chain.confirmed.txid)).txid, chain.confirmed.txid);
  assert.equal((await client.validateAddress(chain.address)).isvalid, true);
  const outputs = { [chain.address]: '0.1' };
  assert.match(await client.createRawTransaction([{ txid: chain.confirmed.txid, vout: 0 }], outputs, 0), /^02/);
  const tx = witnessPayment(chain.builder.coin(25));
  assert.equal(await client.sendRawTransaction(toHex(tx.raw)), tx.txid);
  assert.ok((await client.getRawMempool()).includes(tx.txid));
  assert.equal((await client.generateToAddress(2, chain.address)).length, 2);
  assert.equal(await client.isReady(), true);
  const refused = await client.getBlockHashFromHeight(99_999).then(
    () => undefined,
    (error: BitcoinJsonRpcError) => error,
  );
  assert.match(refused?.message ?? '', /Block height out of range/);
});

/** What its Proxy has methods for, and a call that it passes on. */
const PYTHON = `
import json, sys
import bitcoin, bitcoin.rpc
from bitcoin.core import b2lx, lx, CTransaction, x
bitcoin.SelectParams('regtest')
url, confirmed, busy, address, raw = sys.argv[1:]
proxy = bitcoin.rpc.Proxy(service_url=url)
tip = proxy.getblockcount()
block = proxy.getblock(lx(busy))
tx = CTransaction.deserialize(x(raw))
answer = {
    'count': tip,
    'best': b2lx(proxy.getbestblockhash()) == b2lx(proxy.getblockhash(tip)),
    'transactions': len(block.vtx),
    'header': b2lx(proxy.getblockheader(lx(busy)).GetHash()),
    'verbose': proxy.getblockheader(lx(busy), True)['confirmations'],
    'raw': b2lx(proxy.getrawtransaction(lx(confirmed)).GetTxid()),
    'sent': b2lx(proxy.sendrawtransaction(tx)),
    'pool': len(proxy.getrawmempool()),
    'pooled': proxy.getrawmempool(True)[b2lx(tx.GetTxid())]['weight'],
    'mining': proxy.getmininginfo()['chain'],
    'valid': proxy.validateaddress(address)['isvalid'],
    'generated': len(list(proxy.generatetoaddress(2, address))),
    'value': proxy.gettxout(bitcoin.core.COutPoint(lx(confirmed), 0))['txout'].nValue,
    'duplicate': proxy.submitblock(block),
    'network': proxy.call('getnetworkinfo')['version'],
}
try:
    proxy.getblockhash(99999)
except IndexError as error:
    answer['refused'] = str(error)
print(json.dumps(answer))
`;

/** The first that has the library: what `python3` names need not be what Debian's packages are for. */
async function findPython(): Promise<string | undefined> {
  for (const program of ['python3', '/usr/bin/python3']) {
    const has = await run(program, ['-c', 'import bitcoin.rpc']).then(
      () => true,
      () => false,
    );
    if (has) return program;
  }
  return undefined;
}

const python = await findPython();
const NO_PYTHON = python === undefined && 'python3-bitcoinlib is not installed';

test('python-bitcoinlib finds its way', { skip: NO_PYTHON }, async () => {
  await using node = await start();
  const { rpc, chain } = node;
  const before = rpc.node.chain.tip().height;
  const tx = witnessPayment(outputOf(chain.unconfirmed));
  const args = [node.url, chain.confirmed.txid, chain.busyBlock.hash, chain.address, toHex(tx.raw)];
  const { stdout } = await run(python ?? '', ['-c', PYTHON, ...args]);
  const { refused, ...answer } = JSON.parse(stdout);
  assert.match(refused, /out of range/);
  assert.deepEqual(answer, {
    count: before,
    best: true,
    transactions: 21,
    header: chain.busyBlock.hash,
    verbose: before - 130,
    raw: chain.confirmed.txid,
    sent: tx.txid,
    pool: 5,
    pooled: tx.weight,
    mining: 'regtest',
    valid: true,
    generated: 2,
    value: Number(chain.confirmed.outputs[0]?.value),
    duplicate: 'duplicate',
    network: 270000,
  });
});

async function curlLacks(): Promise<string | false> {
  return run('curl', ['--version']).then(
    () => false,
    () => 'curl is not installed',
  );
}

test('curl, as the help of each method says', { skip: await curlLacks() }, async () => {
  await using node = await start();
  const { rpc } = node;
  const help = String(await rpc.call('help', 'getblockcount'));
  const [, data = ''] = /--data-binary '([^']+)'/.exec(help) ?? [];
  const [, type = ''] = /-H '([^']+)'/.exec(help) ?? [];
  const options = ['--silent', '--user', rpc.login, '--data-binary', data, '-H', type];
  const { stdout } = await run('curl', [...options, `http://${rpc.address}/`]);
  const expected = { result: rpc.node.chain.tip().height, error: null, id: 'curltest' };
  assert.deepEqual(JSON.parse(stdout), expected);
  const wrong = ['--silent', '--output', '/dev/null', '--write-out', '%{http_code}', '--data-binary', data];
  assert.equal((await run('curl', [...wrong, '--user', 'user:wrong', `http://${rpc.address}/`])).stdout, '401');
});
