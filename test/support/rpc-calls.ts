/** One call of every method, for clients that others wrote: what a server must answer, whoever asks. */

import type { Transaction } from '#primitives';
import type { JsonValue } from '#rpc';
import { encodeWif } from '#script';
import { toHex } from '#util';
import { testKey } from './keys.ts';
import { COINBASE_SCRIPT, type RpcChain, WITNESS_SCRIPT } from './rpc-chain.ts';
import type { RpcNode } from './rpc-node.ts';
import { outputOf, rawTx, type TestCoin } from './tx-builder.ts';

export type Call = readonly [method: string, ...params: JsonValue[]];

/** Methods without one: they end the server, wait for what does not come, or read a file of the server's machine. */
export const NOT_CALLED: readonly string[] = ['stop', 'waitfornewblock', 'importmempool'];

const NOBODY = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';
const NOWHERE = `/ip4/127.0.0.1/tcp/1/p2p/${NOBODY}`;
const FEE = 5_000n;

/** In an order in which each is answered. To be made anew for each client. */
export async function everyCall(rpc: RpcNode, chain: RpcChain): Promise<readonly Call[]> {
  const { busyBlock, confirmed, unconfirmed } = chain;
  return [
    ...(await chainCalls(rpc, chain)),
    ['getmempoolinfo'],
    ['getrawmempool', true],
    ['getmempoolentry', unconfirmed.txid],
    ['getmempoolancestors', unconfirmed.txid],
    ['getmempooldescendants', unconfirmed.txid, true],
    ['gettxspendingprevout', [{ txid: unconfirmed.txid, vout: 0 }]],
    ['savemempool'],
    ['prioritisetransaction', unconfirmed.txid, 0, 1],
    ['getprioritisedtransactions'],
    ['estimatesmartfee', 6],
    ['estimaterawfee', 6],
    ...(await rawCalls(rpc, chain)),
    ...networkCalls(),
    ['getmininginfo'],
    ['getnetworkhashps'],
    ['getblocktemplate', { rules: ['segwit'] }],
    ['submitheader', toHex(busyBlock.header.raw)],
    ['submitblock', toHex(busyBlock.raw)],
    ['generatetoaddress', 1, chain.address],
    ['generatetodescriptor', 1, `addr(${chain.address})`],
    ['generateblock', chain.address, []],
    ['getrawtransaction', confirmed.txid, true, busyBlock.hash],
  ];
}

async function chainCalls(
  rpc: RpcNode,
  { address, busyBlock, confirmed, builder }: RpcChain,
): Promise<readonly Call[]> {
  const tip = builder.tip.hash;
  const proof = String(await rpc.call('gettxoutproof', [confirmed.txid]));
  return [
    ['help'],
    ['help', 'getblock'],
    ['rpc.discover'],
    ['uptime'],
    ['getzmqnotifications'],
    ['getrpcinfo'],
    ['getmemoryinfo'],
    ['logging'],
    ['echo', 'a', 1, null],
    ['echojson', { a: [1.5] }],
    ['syncwithvalidationinterfacequeue'],
    ['setmocktime', 0],
    ['mockscheduler', 1],
    ['getblockchaininfo'],
    ['getblockcount'],
    ['getbestblockhash'],
    ['getblockhash', 1],
    ['getblockheader', tip],
    ['getblock', busyBlock.hash, 2],
    ['getblockstats', 131],
    ['getblockfilter', busyBlock.hash],
    ['getchaintips'],
    ['getchaintxstats'],
    ['getdifficulty'],
    ['getdeploymentinfo'],
    ['getindexinfo'],
    ['gettxout', confirmed.txid, 0],
    ['gettxoutsetinfo', 'muhash'],
    ['gettxoutproof', [confirmed.txid]],
    ['verifytxoutproof', proof],
    ['verifychain', 1, 2],
    ['scantxoutset', 'start', [`addr(${address})`]],
    ['scanblocks', 'start', [`addr(${address})`]],
    ['getchainstates'],
    ['waitforblock', tip, 1],
    ['waitforblockheight', 1, 1],
    ['preciousblock', tip],
    ['invalidateblock', tip],
    ['reconsiderblock', tip],
  ];
}

async function rawCalls(rpc: RpcNode, { address, confirmed, unconfirmed }: RpcChain): Promise<readonly Call[]> {
  const raw = toHex(unconfirmed.raw);
  const { secret, publicKey } = testKey(0);
  const key = encodeWif({ secret, compressed: true }, rpc.node.chain.params.address);
  const unsigned = String(
    await rpc.call('createrawtransaction', [{ txid: confirmed.txid, vout: 0 }], { [address]: 0.1 }),
  );
  const psbt = String(await rpc.call('converttopsbt', unsigned));
  const outputs = [{ txid: confirmed.txid, vout: 0 }];
  const child = witnessPayment(outputOf(unconfirmed));
  const public_ = toHex(publicKey);
  const descriptor = `wpkh(${public_})`;
  const checked = (await rpc.call('getdescriptorinfo', descriptor)) as { readonly descriptor: string };
  return [
    ['createrawtransaction', outputs, { [address]: 0.1 }],
    ['decoderawtransaction', raw],
    ['decodescript', '51'],
    ['combinerawtransaction', [unsigned, unsigned]],
    ['signrawtransactionwithkey', unsigned, [key]],
    ['testmempoolaccept', [toHex(child.raw)]],
    ['sendrawtransaction', raw],
    ['submitpackage', [raw, toHex(child.raw)]],
    ['createpsbt', outputs, { [address]: 0.1 }],
    ['converttopsbt', unsigned],
    ['decodepsbt', psbt],
    ['analyzepsbt', psbt],
    ['combinepsbt', [psbt, psbt]],
    ['finalizepsbt', psbt],
    [
      'joinpsbts',
      [psbt, String(await rpc.call('createpsbt', [{ txid: confirmed.txid, vout: 1 }], { [address]: 0.2 }))],
    ],
    ['utxoupdatepsbt', psbt],
    ['descriptorprocesspsbt', psbt, [checked.descriptor]],
    ['validateaddress', address],
    ['createmultisig', 1, [public_]],
    ['getdescriptorinfo', descriptor],
    ['deriveaddresses', checked.descriptor],
    ['signmessagewithprivkey', key, 'hello'],
    [
      'verifymessage',
      String(await p2pkhAddress(rpc, public_)),
      String(await rpc.call('signmessagewithprivkey', key, 'x')),
      'x',
    ],
  ];
}

async function p2pkhAddress(rpc: RpcNode, publicKey: string): Promise<unknown> {
  const { descriptor } = (await rpc.call('getdescriptorinfo', `pkh(${publicKey})`)) as { readonly descriptor: string };
  return ((await rpc.call('deriveaddresses', descriptor)) as readonly unknown[])[0];
}

function networkCalls(): readonly Call[] {
  return [
    ['getnetworkinfo'],
    ['getpeerinfo'],
    ['getconnectioncount'],
    ['getnettotals'],
    ['getnodeaddresses', 0],
    ['addnode', NOWHERE, 'add'],
    ['getaddednodeinfo'],
    ['addnode', NOWHERE, 'remove'],
    ['setban', '192.0.2.0/24', 'add'],
    ['listbanned'],
    ['setban', '192.0.2.0/24', 'remove'],
    ['clearbanned'],
    ['ping'],
    ['setnetworkactive', false],
    ['setnetworkactive', true],
  ];
}

/** All but a fee, of one of the chain's coins that need no signature. */
export function witnessPayment(coin: TestCoin): Transaction {
  return rawTx(
    [{ coin, witness: [WITNESS_SCRIPT] }],
    [{ value: coin.output.value - FEE, scriptPubKey: COINBASE_SCRIPT }],
  );
}

/** What is refused, as one table for all clients. `disconnectnode` is among them: nobody is connected. */
export const REFUSED_CALLS: readonly (readonly [code: number, message: string, ...call: Call])[] = [
  [-8, 'Block height out of range', 'getblockhash', 99_999],
  [-5, 'Block not found', 'getblock', '00'.repeat(32)],
  [-29, 'Node not found in connected nodes', 'disconnectnode', NOBODY],
  [-22, 'Block decode failed', 'submitblock', '00'],
  [-1, 'Cannot prune blocks because node is not in prune mode.', 'pruneblockchain', 1],
  [-32601, 'Method not found', 'getwalletinfo'],
];
