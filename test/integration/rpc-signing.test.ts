/**
 * Raw transactions and PSBTs through the RPC of a node: every kind of output that a descriptor can name is paid to, signed
 * for with the descriptor's keys, and the mempool takes the spend. And what is wrong is said as Core says it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HDKey } from '@scure/bip32';
import { hash160, sha256 } from '#crypto';
import { descriptorChecksum } from '#descriptor';
import { Transaction } from '#primitives';
import { decodeAddress, encodeWif, templates } from '#script';
import { fromHex, toHex } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { feedRpcChain, type RpcChain, WITNESS_SCRIPT } from '../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { rawTx } from '../support/tx-builder.ts';

const PREFIXES = regtest().address;
const VALUE = 1_000_000n;
const FEE = 2_000n;

const wif = (index: number): string => encodeWif({ secret: testKey(index).secret, compressed: true }, PREFIXES);
const publicKey = (index: number): string => toHex(testKey(index).publicKey);
const versions = { public: PREFIXES.extPublicKey, private: PREFIXES.extSecretKey };
const XPRV = HDKey.fromMasterSeed(sha256(Buffer.from('rpc signing test')), versions).privateExtendedKey;

/** Descriptors with enough secrets. */
const SIGNABLE: readonly string[] = [
  `pkh(${wif(1)})`,
  `wpkh(${wif(2)})`,
  `sh(wpkh(${wif(3)}))`,
  `sh(multi(2,${wif(1)},${publicKey(2)},${wif(3)}))`,
  `wsh(multi(1,${publicKey(4)},${wif(5)}))`,
  `wsh(pk(${wif(6)}))`,
  `wsh(pkh(${wif(6)}))`,
  `sh(wsh(sortedmulti(2,${wif(7)},${wif(8)},${publicKey(9)})))`,
  `tr(${wif(10)})`,
  `tr(${wif(11)},{pk(${wif(12)}),multi_a(2,${wif(13)},${wif(14)},${wif(15)})})`,
  `tr(${publicKey(16).slice(2)},{pk(${publicKey(17).slice(2)}),pk(${wif(18)})})`,
  `tr(${publicKey(16).slice(2)},multi_a(2,${wif(13)},${publicKey(14).slice(2)},${wif(15)}))`,
  `rawtr(${wif(19)})`,
  `wpkh([01234567/84h]${XPRV}/0h/1/2)`,
  `tr(${XPRV}/86h/0/7)`,
];

/** A transaction in the mempool that pays each descriptor once, from output 0 on. */
async function fund(rpc: RpcNode, { builder }: RpcChain): Promise<Transaction> {
  const outputs = [];
  for (const descriptor of SIGNABLE) {
    const [address = ''] = (await rpc.call(
      'deriveaddresses',
      `${descriptor}#${descriptorChecksum(descriptor)}`,
    )) as string[];
    const decoded = decodeAddress(address, PREFIXES);
    assert.ok(decoded.kind === 'valid', descriptor);
    outputs.push({ value: VALUE, scriptPubKey: decoded.scriptPubKey });
  }
  const funding = rawTx([{ coin: builder.coin(30), witness: [WITNESS_SCRIPT] }], outputs);
  assert.deepEqual((await rpc.node.submitTransaction(funding.raw)).kind, 'accepted');
  return funding;
}

const outputTo = (address: string): [{ [address: string]: string }] => [{ [address]: '0.00998' }];

test('what descriptors name can be signed for, as PSBT and as raw transaction', async () => {
  await using rpc = await startRpcNode();
  const chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const funding = await fund(rpc, chain);
  for (const [vout, descriptor] of SIGNABLE.entries()) {
    const input = [{ txid: funding.txid, vout }];
    const blank = await rpc.call('createpsbt', input, outputTo(chain.address));
    // Keys do not sign while they are hidden.
    const updated = (await rpc.call('utxoupdatepsbt', blank as string, [descriptor])) as string;
    const analysis = (await rpc.call('analyzepsbt', updated)) as { next: string; fee: number };
    assert.equal(analysis.fee, Number(FEE) / 1e8, descriptor);
    assert.match(analysis.next, /^(?:signer|updater)$/, descriptor);
    const open = (await rpc.call('descriptorprocesspsbt', updated, [descriptor], 'DEFAULT', true, false)) as {
      psbt: string;
      complete: boolean;
    };
    assert.equal(open.complete, false, descriptor);
    const finished = (await rpc.call('finalizepsbt', open.psbt)) as { hex: string; complete: boolean };
    assert.equal(finished.complete, true, descriptor);
    const direct = (await rpc.call('descriptorprocesspsbt', blank as string, [descriptor])) as {
      hex: string;
      complete: boolean;
    };
    assert.equal(direct.complete, true, descriptor);
    // Signing leaves nothing to chance.
    assert.equal(direct.hex, finished.hex, descriptor);
    assert.deepEqual(await rpc.node.submitTransaction(fromHex(direct.hex)), {
      kind: 'accepted',
      txid: Transaction.fromBytes(fromHex(direct.hex)).txid,
    });
  }
});

test('signrawtransactionwithkey: complete, in parts, and what stops it', async () => {
  await using rpc = await startRpcNode();
  const chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const funding = await fund(rpc, chain);
  const spend = async (vout: number): Promise<string> =>
    (await rpc.call('createrawtransaction', [{ txid: funding.txid, vout }], outputTo(chain.address))) as string;
  const sign = async (...params: Parameters<RpcNode['call']> extends [string, ...infer Rest] ? Rest : never) =>
    (await rpc.call('signrawtransactionwithkey', ...params)) as {
      hex: string;
      complete: boolean;
      errors?: readonly { error: string; txid: string; vout: number }[];
    };

  // A key is enough where no script is hidden.
  for (const [vout, key] of [
    [0, 1],
    [1, 2],
  ] as const) {
    const signed = await sign(await spend(vout), [wif(key)]);
    assert.deepEqual([signed.complete, signed.errors], [true, undefined]);
  }

  // 2 of 3 behind P2SH, by two signers who do not know each other's keys.
  const redeemScript = toHex(
    templates.multisig(
      2,
      [1, 2, 3].map((index) => testKey(index).publicKey),
    ),
  );
  const scriptPubKey = toHex(funding.outputs[3]?.scriptPubKey ?? new Uint8Array(0));
  const prevout = { txid: funding.txid, vout: 3, scriptPubKey, redeemScript };
  const unsigned = await spend(3);
  const first = await sign(unsigned, [wif(1)], [prevout]);
  const second = await sign(unsigned, [wif(3)], [prevout]);
  assert.equal(first.complete, false);
  assert.equal(
    first.errors?.[0]?.error,
    'CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)',
  );
  const combined = (await rpc.call('combinerawtransaction', [first.hex, second.hex])) as string;
  assert.equal((await sign(first.hex, [wif(3)], [prevout])).hex, combined);
  assert.equal((await rpc.node.submitTransaction(fromHex(combined))).kind, 'accepted');

  const elsewhere = { ...prevout, txid: 'ab'.repeat(32) };
  // An id that names nothing, and one that names a transaction with its witness: outputs are not named so.
  for (const txid of ['ab'.repeat(32), funding.wtxid]) {
    const hex = (await rpc.call('createrawtransaction', [{ txid, vout: 0 }], outputTo(chain.address))) as string;
    const lost = await sign(hex, [wif(1)]);
    assert.equal(lost.errors?.[0]?.error, 'Input not found or already spent');
  }
  const refusals: readonly (readonly [params: Parameters<typeof sign>, code: number, message: string])[] = [
    [['00', []], -22, 'TX decode failed. Make sure the tx has at least one input.'],
    [[unsigned, ['nonsense']], -5, 'Invalid private key'],
    [[unsigned, [], null, 'EVERYTHING'], -8, "'EVERYTHING' is not a valid sighash parameter."],
    [[unsigned, [], [{}]], -3, 'Missing txid'],
    [
      [unsigned, [], [{ ...elsewhere, vout: 'x' }]],
      -3,
      'JSON value of type string for field vout is not of expected type number',
    ],
    [[unsigned, [], [{ ...elsewhere, vout: -1 }]], -22, 'vout cannot be negative'],
    [
      [unsigned, [], [{ ...elsewhere, redeemScript: '51' }]],
      -8,
      'redeemScript/witnessScript does not match scriptPubKey',
    ],
    [
      [unsigned, [], [{ txid: funding.txid, vout: 3, scriptPubKey: '51' }]],
      -22,
      `Previous output scriptPubKey mismatch:\nOP_HASH160 ${scriptPubKey.slice(4, 44)} OP_EQUAL\nvs:\n1`,
    ],
  ];
  for (const [params, code, message] of refusals) {
    assert.deepEqual(await rpc.refuse('signrawtransactionwithkey', ...params), [code, message]);
  }
});

test('a segwit amount that nobody told', async () => {
  await using rpc = await startRpcNode();
  const txid = 'cd'.repeat(32);
  const scriptPubKey = toHex(templates.payToWitness(0, fromHex('11'.repeat(20))));
  const hex = (await rpc.call('createrawtransaction', [{ txid, vout: 0 }], [{ data: '00' }])) as string;
  const own = toHex(templates.payToWitness(0, hash160(testKey(1).publicKey)));
  assert.deepEqual(
    await rpc.refuse('signrawtransactionwithkey', hex, [wif(1)], [{ txid, vout: 0, scriptPubKey: own }]),
    [-3, `Missing amount for CTxOut(nValue=21000000.00000000, scriptPubKey=${own.slice(0, 30)})`],
  );
  const signed = (await rpc.call(
    'signrawtransactionwithkey',
    hex,
    [wif(1)],
    [{ txid, vout: 0, scriptPubKey: own, amount: 1 }],
  )) as { complete: boolean };
  assert.equal(signed.complete, true);
  const other = (await rpc.call(
    'signrawtransactionwithkey',
    hex,
    [wif(1)],
    [{ txid, vout: 0, scriptPubKey, amount: 1 }],
  )) as { complete: boolean; errors: readonly { error: string }[] };
  assert.equal(other.errors[0]?.error, 'Witness program hash mismatch');
});

test('PSBTs of several: combined, joined, converted, and what cannot be', async () => {
  await using rpc = await startRpcNode();
  const chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const funding = await fund(rpc, chain);
  const create = async (vout: number): Promise<string> =>
    (await rpc.call('createpsbt', [{ txid: funding.txid, vout }], outputTo(chain.address))) as string;
  const process = async (psbt: string, descriptor: string): Promise<string> =>
    ((await rpc.call('descriptorprocesspsbt', psbt, [descriptor], 'ALL', true, false)) as { psbt: string }).psbt;

  // 2 of 3 behind P2SH: the first two names of the keys, each with one secret.
  const blank = await create(3);
  const keys = [1, 2, 3].map(publicKey);
  const halves = await Promise.all(
    [1, 3].map((index) =>
      process(blank, `sh(multi(2,${keys.map((key, at) => (at + 1 === index ? wif(index) : key)).join(',')}))`),
    ),
  );
  const combined = (await rpc.call('combinepsbt', halves)) as string;
  assert.equal(await rpc.call('combinepsbt', halves.toReversed()), combined);
  const { inputs } = (await rpc.call('decodepsbt', combined)) as {
    inputs: readonly { partial_signatures: Readonly<Record<string, string>> }[];
  };
  assert.equal(Object.keys(inputs[0]?.partial_signatures ?? {}).length, 2);
  const half = (await rpc.call('finalizepsbt', halves[0] ?? '')) as { complete: boolean; psbt: string };
  assert.equal(half.complete, false);
  const kept = (await rpc.call('finalizepsbt', combined, false)) as { complete: boolean; psbt: string };
  const { next, inputs: finished } = (await rpc.call('analyzepsbt', kept.psbt)) as {
    next: string;
    inputs: readonly { is_final: boolean }[];
  };
  assert.deepEqual([kept.complete, next, finished[0]?.is_final], [true, 'extractor', true]);
  const { hex } = (await rpc.call('finalizepsbt', combined)) as { hex: string };
  assert.equal((await rpc.node.submitTransaction(fromHex(hex))).kind, 'accepted');
  assert.equal(await rpc.call('converttopsbt', hex, true), blank);

  // Joined, each input still knows what it is.
  const parts = [await create(0), await create(1)];
  const joined = (await rpc.call('joinpsbts', parts)) as string;
  const both = (await rpc.call('descriptorprocesspsbt', joined, SIGNABLE.slice(0, 2))) as {
    complete: boolean;
    hex: string;
  };
  assert.equal(both.complete, true);
  assert.equal((await rpc.node.submitTransaction(fromHex(both.hex))).kind, 'accepted');

  const refusals: readonly (readonly [string, Parameters<RpcNode['call']>[1], number, string])[] = [
    ['combinepsbt', [], -8, "Parameter 'txs' cannot be empty"],
    ['combinepsbt', parts, -8, 'PSBTs not compatible (different transactions)'],
    ['combinepsbt', ['#'], -22, 'TX decode failed invalid base64'],
    ['joinpsbts', [blank], -8, 'At least two PSBTs are required to join PSBTs.'],
    ['joinpsbts', [blank, blank], -8, `Input ${funding.txid}:3 exists in multiple PSBTs`],
    ['converttopsbt', hex, -22, 'Inputs must not have scriptSigs and scriptWitnesses'],
    ['decodepsbt', 'cHNidA==', -22, 'TX decode failed DataStream::read(): end of data: iostream error'],
  ];
  for (const [method, param = null, code, message] of refusals) {
    assert.deepEqual(await rpc.refuse(method, param), [code, message], method);
  }
});
