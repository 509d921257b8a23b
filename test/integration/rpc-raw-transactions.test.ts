/** Transactions, scripts, addresses and descriptors through the RPC of a node: answers, and refusals in Core's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { hash160, sha256 } from '#crypto';
import { encodeAddress, encodeWif, templates } from '#script';
import { toHex } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { feedRpcChain } from '../support/rpc-chain.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';

type Params = Parameters<RpcNode['call']> extends [string, ...infer Rest] ? Rest : never;
type Refusal = readonly [method: string, params: Params, code: number, message: string];

const PREFIXES = regtest().address;
const key = (index: number): Uint8Array => testKey(index).publicKey;
const addressOf = (script: Uint8Array): string => encodeAddress(script, PREFIXES) ?? '';
const TXID = 'ab'.repeat(32);

async function assertRefused(rpc: RpcNode, refusals: readonly Refusal[]): Promise<void> {
  for (const [method, params, code, message] of refusals) {
    assert.deepEqual(await rpc.refuse(method, ...params), [code, message], `${method} ${JSON.stringify(params)}`);
  }
}

test('getrawtransaction: in the mempool, in a block that is named, in the index', async () => {
  await using rpc = await startRpcNode({ indexes: { txIndex: true } });
  const { busyBlock, confirmed, unconfirmed, builder } = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  type Answer = Readonly<Record<string, unknown>> & { readonly vin: readonly { readonly prevout?: unknown }[] };
  assert.equal(await rpc.call('getrawtransaction', unconfirmed.txid), toHex(unconfirmed.raw));
  const pooled = (await rpc.call('getrawtransaction', unconfirmed.txid, 2)) as Answer;
  assert.deepEqual([pooled['blockhash'], pooled['fee'], pooled['hex']], [undefined, undefined, toHex(unconfirmed.raw)]);
  const named = (await rpc.call('getrawtransaction', confirmed.txid, true, busyBlock.hash)) as Answer;
  assert.deepEqual(Object.keys(named).slice(0, 2), ['in_active_chain', 'txid']);
  assert.deepEqual([named['in_active_chain'], named['blockhash'], named['confirmations']], [true, busyBlock.hash, 10]);
  assert.equal(named.vin[0]?.prevout, undefined);
  const full = (await rpc.call('getrawtransaction', confirmed.txid, 2)) as Answer;
  assert.equal(full['fee'], 0.000015);
  assert.notEqual(full.vin[0]?.prevout, undefined);
  // A coinbase spends nothing.
  const coinbase = busyBlock.transactions[0];
  const minted = (await rpc.call('getrawtransaction', coinbase?.txid ?? '', 2)) as Answer;
  assert.equal(minted['fee'], undefined);
  const genesis = builder.params.genesis.transactions[0]?.txid ?? '';
  await assertRefused(rpc, [
    ['getrawtransaction', ['00'], -8, "parameter 1 must be of length 64 (not 2, for '00')"],
    [
      'getrawtransaction',
      [genesis],
      -5,
      'The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved',
    ],
    ['getrawtransaction', [TXID, 0, TXID], -5, 'Block hash not found'],
    ['getrawtransaction', [TXID, 0, 'x'], -8, "parameter 3 must be of length 64 (not 1, for 'x')"],
    [
      'getrawtransaction',
      [TXID, 0, busyBlock.hash],
      -5,
      'No such transaction found in the provided block. Use gettransaction for wallet transactions.',
    ],
    [
      'getrawtransaction',
      [TXID],
      -5,
      'No such mempool or blockchain transaction. Use gettransaction for wallet transactions.',
    ],
  ]);
});

test('getrawtransaction without the index', async () => {
  await using rpc = await startRpcNode();
  await assertRefused(rpc, [
    [
      'getrawtransaction',
      [TXID],
      -5,
      'No such mempool transaction. Use -txindex or provide a block hash to enable blockchain transaction queries. Use gettransaction for wallet transactions.',
    ],
  ]);
});

test('createrawtransaction and createpsbt read inputs and outputs as Core does', async () => {
  await using rpc = await startRpcNode();
  const address = addressOf(testKey(1).p2pkh);
  const input = { txid: TXID, vout: 1 };
  const script = `1976a914${toHex(hash160(key(1)))}88ac`;
  const make = (...params: Params): Promise<unknown> => rpc.call('createrawtransaction', ...params);
  const body = (sequence: string, locktime = '00000000'): string =>
    `0200000001${TXID}0100000000${sequence}01${'c800000000000000'}${script}${locktime}`;
  const outputs = { [address]: 0.000002 };
  assert.equal(await make([input], outputs), body('fdffffff'));
  assert.equal(await make([input], [outputs], 0, false), body('ffffffff'));
  assert.equal(await make([input], [outputs], 7, false), body('feffffff', '07000000'));
  assert.equal(await make([{ ...input, sequence: 5 }], [outputs]), body('05000000'));
  assert.equal(await make([], [{ data: '0102' }]), '02000000000100000000000000000'.concat('46a02010200000000'));
  assert.match(String(await rpc.call('createpsbt', [], [])), /^cHNidP8B/);
  await assertRefused(rpc, [
    ['createrawtransaction', [[{}], []], -3, 'JSON value of type null is not of expected type string'],
    ['createrawtransaction', [[{ txid: 'foo' }], {}], -8, "txid must be of length 64 (not 3, for 'foo')"],
    ['createrawtransaction', [[{ txid: TXID }], {}], -8, 'Invalid parameter, missing vout key'],
    ['createrawtransaction', [[{ txid: TXID, vout: 'x' }], {}], -8, 'Invalid parameter, missing vout key'],
    ['createrawtransaction', [[{ txid: TXID, vout: -1 }], {}], -8, 'Invalid parameter, vout cannot be negative'],
    [
      'createrawtransaction',
      [[{ ...input, sequence: -1 }], {}],
      -8,
      'Invalid parameter, sequence number is out of range',
    ],
    ['createrawtransaction', [[], {}, -1], -8, 'Invalid parameter, locktime out of range'],
    ['createrawtransaction', [[], {}, 4294967296], -8, 'Invalid parameter, locktime out of range'],
    [
      'createrawtransaction',
      [[], [{ a: 1, b: 2 }]],
      -8,
      'Invalid parameter, key-value pair must contain exactly one key',
    ],
    ['createrawtransaction', [[], ['x']], -8, 'Invalid parameter, key-value pair not an object as expected'],
    ['createrawtransaction', [[], { data: 'foo' }], -8, "Data must be hexadecimal string (not 'foo')"],
    ['createrawtransaction', [[], { foo: 0 }], -5, 'Invalid Bitcoin address: foo'],
    ['createrawtransaction', [[], { [address]: 'foo' }], -3, 'Invalid amount'],
    ['createrawtransaction', [[], { [address]: -1 }], -3, 'Amount out of range'],
    ['createrawtransaction', [[], [outputs, outputs]], -8, `Invalid parameter, duplicated address: ${address}`],
    ['createrawtransaction', [[], [{ data: '99' }, { data: '99' }]], -8, 'Invalid parameter, duplicate key: data'],
    [
      'createrawtransaction',
      [[{ ...input, sequence: 0xffffffff }], {}, 0, true],
      -8,
      'Invalid parameter combination: Sequence number(s) contradict replaceable option',
    ],
  ]);
});

test('decoderawtransaction takes the reading that makes sense', async () => {
  await using rpc = await startRpcNode();
  // No inputs, one output: with BIP144 in mind, a marker and a flag.
  const noInputs = '02000000000100000000000000000'.concat('46a02010200000000');
  const decoded = (await rpc.call('decoderawtransaction', noInputs)) as {
    vin: unknown[];
    vout: unknown[];
    size: number;
  };
  assert.deepEqual([decoded.vin.length, decoded.vout.length, decoded.size], [0, 1, noInputs.length / 2]);
  await assertRefused(rpc, [
    ['decoderawtransaction', [noInputs, true], -22, 'TX decode failed'],
    ['decoderawtransaction', [`${noInputs}00`], -22, 'TX decode failed'],
    ['decoderawtransaction', ['xyz'], -22, 'TX decode failed'],
    ['converttopsbt', ['00'], -22, 'TX decode failed'],
  ]);
  assert.equal(await rpc.call('converttopsbt', noInputs), await rpc.call('createpsbt', [], [{ data: '0102' }]));
});

test('decodescript wraps what can be wrapped', async () => {
  await using rpc = await startRpcNode();
  const decode = async (script: Uint8Array): Promise<Record<string, unknown>> =>
    (await rpc.call('decodescript', toHex(script))) as Record<string, unknown>;
  const multisig = templates.multisig(1, [key(1), key(2)]);
  const decoded = await decode(multisig);
  assert.deepEqual(Object.keys(decoded), ['asm', 'desc', 'type', 'p2sh', 'segwit']);
  const inner = `multi(1,${toHex(key(1))},${toHex(key(2))})`;
  assert.match(String(decoded['desc']), new RegExp(`^${inner.replace(/[()]/g, '\\$&')}#`));
  const segwit = decoded['segwit'] as Record<string, unknown>;
  assert.deepEqual(Object.keys(segwit), ['asm', 'desc', 'hex', 'address', 'type', 'p2sh-segwit']);
  assert.ok(String(segwit['desc']).startsWith(`wsh(${inner})#`));
  assert.equal(segwit['hex'], toHex(templates.payToWitness(0, sha256(multisig))));
  const forKey = (await decode(templates.payToPubKey(key(1))))['segwit'] as Record<string, unknown>;
  assert.equal(forKey['hex'], toHex(templates.payToWitness(0, hash160(key(1)))));
  // Nothing to wrap: data, hashes of scripts, taproot, what only tapscript knows.
  for (const hex of ['6a0102', toHex(templates.payToScriptHash(multisig)), `5120${'11'.repeat(32)}`, 'ba', '50', '']) {
    const { p2sh, segwit: wrapped } = (await rpc.call('decodescript', hex)) as Record<string, unknown>;
    assert.deepEqual([hex, p2sh !== undefined, wrapped !== undefined], [hex, hex === '', hex === '']);
  }
  await assertRefused(rpc, [['decodescript', ['xyz'], -8, "argument must be hexadecimal string (not 'xyz')"]]);
});

test('validateaddress and createmultisig', async () => {
  await using rpc = await startRpcNode();
  const isValid = async (script: Uint8Array): Promise<unknown> => rpc.call('validateaddress', addressOf(script));
  const pkh = testKey(1).p2pkh;
  assert.deepEqual(await isValid(pkh), {
    isvalid: true,
    address: addressOf(pkh),
    scriptPubKey: toHex(pkh),
    isscript: false,
    iswitness: false,
  });
  const future = templates.payToWitness(2, new Uint8Array(2));
  assert.deepEqual(await isValid(future), {
    isvalid: true,
    address: addressOf(future),
    scriptPubKey: toHex(future),
    iswitness: true,
    witness_version: 2,
    witness_program: '0000',
  });
  const keys = [1, 2, 3].map((index) => toHex(key(index)));
  const script = templates.multisig(2, [1, 2, 3].map(key));
  const made = (await rpc.call('createmultisig', 2, keys)) as Record<string, unknown>;
  assert.deepEqual(Object.keys(made), ['address', 'redeemScript', 'descriptor']);
  assert.equal(made['address'], addressOf(templates.payToScriptHash(script)));
  assert.equal(made['redeemScript'], toHex(script));
  assert.ok(String(made['descriptor']).startsWith(`sh(multi(2,${keys.join(',')}))#`));
  const nested = (await rpc.call('createmultisig', 2, keys, 'p2sh-segwit')) as Record<string, unknown>;
  assert.ok(String(nested['descriptor']).startsWith('sh(wsh(multi(2,'));
  await assertRefused(rpc, [
    ['createmultisig', [0, keys], -8, 'a multisignature address must require at least one key to redeem'],
    ['createmultisig', [4, keys], -8, 'not enough keys supplied (got 3 keys, but need at least 4 to redeem)'],
    [
      'createmultisig',
      [1, Array(21).fill(keys[0])],
      -8,
      'Number of keys involved in the multisignature address creation > 20\nReduce the number',
    ],
    ['createmultisig', [1, Array(16).fill(keys[0])], -8, 'redeemScript exceeds size limit: 547 > 520'],
    ['createmultisig', [1, ['xy']], -5, 'Invalid public key: xy\n.'],
    ['createmultisig', [1, ['05'.repeat(33)]], -5, `Invalid public key: ${'05'.repeat(33)}`],
    ['createmultisig', [1, keys, 'bech32m'], -5, 'createmultisig cannot create bech32m multisig addresses'],
    ['createmultisig', [1, keys, 'p2pk'], -5, "Unknown address type 'p2pk'"],
  ]);
});

test('getdescriptorinfo and deriveaddresses', async () => {
  await using rpc = await startRpcNode();
  const wif = encodeWif({ secret: testKey(1).secret, compressed: true }, PREFIXES);
  const text = `pkh(${wif})`;
  const info = (await rpc.call('getdescriptorinfo', text)) as Record<string, string>;
  assert.deepEqual(Object.keys(info), ['descriptor', 'checksum', 'isrange', 'issolvable', 'hasprivatekeys']);
  assert.deepEqual([info['isrange'], info['issolvable'], info['hasprivatekeys']], [false, true, true]);
  assert.ok(info['descriptor']?.startsWith(`pkh(${toHex(key(1))})#`));
  assert.deepEqual(await rpc.call('deriveaddresses', `${text}#${info['checksum']}`), [addressOf(testKey(1).p2pkh)]);
  const combo = `combo(${toHex(key(1))})`;
  const { checksum = '' } = (await rpc.call('getdescriptorinfo', combo)) as Record<string, string>;
  assert.equal(((await rpc.call('deriveaddresses', `${combo}#${checksum}`)) as string[]).length, 3);
  const tpub =
    'tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B';
  const ranged = `wpkh(${tpub}/1/*)`;
  const rangedSum = ((await rpc.call('getdescriptorinfo', ranged)) as Record<string, string>)['checksum'] ?? '';
  const derived = (await rpc.call('deriveaddresses', `${ranged}#${rangedSum}`, [1, 3])) as string[];
  const all = (await rpc.call('deriveaddresses', `${ranged}#${rangedSum}`, 3)) as string[];
  assert.deepEqual(derived, all.slice(1));
  const hardened = `wpkh(${tpub}/1h/*)`;
  const hardenedSum = ((await rpc.call('getdescriptorinfo', hardened)) as Record<string, string>)['checksum'] ?? '';
  const bare = `pk(${toHex(key(1))})`;
  const bareSum = ((await rpc.call('getdescriptorinfo', bare)) as Record<string, string>)['checksum'] ?? '';
  await assertRefused(rpc, [
    ['getdescriptorinfo', ['nonsense'], -5, "'nonsense' is not a valid descriptor function"],
    ['deriveaddresses', [combo], -5, 'Missing checksum'],
    ['deriveaddresses', [`${combo}#${checksum}`, 1], -8, 'Range should not be specified for an un-ranged descriptor'],
    ['deriveaddresses', [`${ranged}#${rangedSum}`], -8, 'Range must be specified for a ranged descriptor'],
    ['deriveaddresses', [`${ranged}#${rangedSum}`, [-1, 1]], -8, 'Range should be greater or equal than 0'],
    [
      'deriveaddresses',
      [`${ranged}#${rangedSum}`, [2, 1]],
      -8,
      'Range specified as [begin,end] must not have begin after end',
    ],
    ['deriveaddresses', [`${hardened}#${hardenedSum}`, 1], -5, 'Cannot derive script without private keys'],
    ['deriveaddresses', [`${bare}#${bareSum}`], -5, 'Descriptor does not have a corresponding address'],
  ]);
});

test('signed messages', async () => {
  await using rpc = await startRpcNode();
  const { secret } = testKey(1);
  for (const compressed of [true, false]) {
    const wif = encodeWif({ secret, compressed }, PREFIXES);
    const signature = (await rpc.call('signmessagewithprivkey', wif, 'tree')) as string;
    const address = addressOf(templates.payToPubKeyHash(hash160(secp256k1.getPublicKey(secret, compressed))));
    assert.equal(await rpc.call('verifymessage', address, signature, 'tree'), true);
    assert.equal(await rpc.call('verifymessage', address, signature, 'treE'), false);
    assert.equal(await rpc.call('verifymessage', addressOf(testKey(2).p2pkh), signature, 'tree'), false);
  }
  // Core's own (rpc_signmessagewithprivkey.py).
  assert.equal(
    await rpc.call(
      'signmessagewithprivkey',
      'cUeKHd5orzT3mz8P9pxyREHfsWtVfgsfDjiZZBcjUBAaGk1BTj7N',
      'This is just a test message',
    ),
    'INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=',
  );
  assert.equal(
    await rpc.call(
      'verifymessage',
      'mpLQjfK79b7CCV4VMJWEWAj5Mpx8Up5zxB',
      'INbVnW4e6PeRmsv2Qgu8NuopvrVjkcxob+sX8OcZG0SALhWybUjzMLPdAsXI46YZGb0KQTRii+wWIQzRpG/U+S0=',
      'This is just a test message',
    ),
    true,
  );
  const address = addressOf(testKey(1).p2pkh);
  await assertRefused(rpc, [
    ['signmessagewithprivkey', ['nonsense', ''], -5, 'Invalid private key'],
    ['verifymessage', ['nonsense', '', ''], -5, 'Invalid address'],
    ['verifymessage', [addressOf(templates.payToScriptHash(key(1))), '', ''], -3, 'Address does not refer to key'],
    ['verifymessage', [address, '#', ''], -3, 'Malformed base64 encoding'],
  ]);
  assert.equal(await rpc.call('verifymessage', address, '', ''), false);
});

test('an output that is named twice in one object is refused, not left out', async () => {
  await using rpc = await startRpcNode();
  const { address } = (await rpc.call('decodescript', `0020${'11'.repeat(32)}`)) as { readonly address: string };
  const ask = async (params: string): Promise<unknown> => {
    const body = `{"method":"createrawtransaction","params":${params},"id":1}`;
    return JSON.parse((await httpRequest(rpc.address, { login: rpc.login, body })).text).error;
  };
  const message = `Invalid parameter, duplicated address: ${address}`;
  assert.deepEqual(await ask(`[[],{"${address}":1,"${address}":2}]`), { code: -8, message });
  assert.deepEqual(await ask('[[],{"data":"00","data":"01"}]'), {
    code: -8,
    message: 'Invalid parameter, duplicate key: data',
  });
  assert.deepEqual(await ask('{"inputs":[],"outputs":[],"inputs":[]}'), {
    code: -8,
    message: 'Parameter inputs specified multiple times',
  });
  assert.equal(await ask(`[[],{"${address}":1,"data":"00"}]`), null);
});
