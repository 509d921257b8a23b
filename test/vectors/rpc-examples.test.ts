/**
 * Calls that were made to Bitcoin Core 27.0, made to a node of ours whose chain has the same shape: the answers have the same
 * fields in the same order with values of the same types, and errors have the same code and message.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { sha256 } from '#crypto';
import { txidFromBytes } from '#primitives';
import { convertPositional, type JsonValue, RPC_METHODS, writeJson } from '#rpc';
import { toHex } from '#util';
import { FeeEstimator } from '../../src/mempool/fee-estimator/estimator.ts';
import { recordedPsbt } from '../support/recorded-psbt.ts';
import { feedRpcChain, type RpcChain } from '../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { undocumented } from '../support/rpc-results.ts';
import { sharedPath } from '../support/shared.ts';
import { addressesOf, createTestNodes, statusWhen } from '../support/test-nodes.ts';

type Example = {
  readonly method: string;
  /** As words of a command line, but numbers. */
  readonly params: readonly (string | number)[];
  /** An empty text where the command line printed nothing. */
  readonly result?: unknown;
  /** What the command line printed. */
  readonly error?: readonly string[];
};

/** Methods of the examples that are not compared, and why. */
const NOT_COMPARED: Readonly<Record<string, string>> = {};

/** Fields that we add to Core's. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  getmemoryinfo: ['process'],
  getnetworkinfo: ['peerid', 'multiaddrs', 'reachability'],
  getpeerinfo: [
    'peerid',
    'multiaddr',
    'protocols',
    'streams',
    'mesh',
    'gossipscore',
    'penaltypoints',
    'relayed',
    'phase',
    'netgroup',
  ],
};

/** Keys that are data, and not the same data. */
const FREE_KEYS: readonly string[] = ['bytessent_per_msg', 'bytesrecv_per_msg'];

const path = sharedPath('data/core27-rpc-examples.json');
const examples: readonly Example[] = path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8'));
const handled = new Set(RPC_METHODS.map(({ name }) => name));

test('answers have the shape of Core’s', { skip: path === undefined && 'no recorded answers' }, async (t) => {
  await using rpc = await startRpcNode({
    indexes: { txIndex: true, blockFilterIndex: true, coinStatsIndex: true },
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });
  rpc.node.mempool.fees.load(someFeeEstimates());
  await using peers = await createTestNodes(rpc.node.chain.params);
  await peers.start('peer', { connect: await addressesOf(rpc.node), listen: [] });
  await statusWhen(rpc.node, ({ net }) => net.peers.length > 0);
  await rpc.call('ping');
  const chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const compared = new Set<string>();
  for (const example of examples) {
    if (!isCompared(example)) continue;
    compared.add(example.method);
    await compare(rpc, chain, example);
  }
  t.diagnostic(`compared: ${[...compared].sort().join(' ')}`);
  for (const { method } of examples) {
    if (handled.has(method)) assert.ok(compared.has(method) || method in NOT_COMPARED, `${method} is compared`);
  }
  assert.ok(compared.size >= 20);
});

/** Those of methods that we have, and those of methods that Core has not. */
function isCompared({ method, error }: Example): boolean {
  const isUnknown = error?.includes('Method not found') === true;
  return (handled.has(method) || isUnknown) && !(method in NOT_COMPARED);
}

async function compare(rpc: RpcNode, chain: RpcChain, { method, params, result, error }: Example): Promise<void> {
  const words = params.map((param) => ourParam(chain, String(param)));
  const what = `${method} ${words.join(' ').slice(0, 100)}`;
  const row = RPC_METHODS.find(({ name }) => name === method);
  let converted: readonly JsonValue[];
  try {
    converted = convertPositional(row, words);
  } catch (failure) {
    assert.deepEqual([`error: ${(failure as Error).message}`], error, what);
    return;
  }
  const reply = await rpc.reply(method, converted);
  if (reply.kind === 'error') {
    const printed = `error code: ${reply.code}\nerror message:\n${reply.message}`;
    assert.deepEqual(printed.trimEnd().split('\n'), error, what);
    return;
  }
  assert.equal(error, undefined, `${what} is refused`);
  const ours: unknown = JSON.parse(writeJson(reply.result));
  assert.deepEqual(undocumented(method, ours), [], `${what} answers what its row says`);
  assertSameShape(ours ?? '', result, what, ADDED[method] ?? []);
}

/** Of 60 blocks that confirmed everything at once. */
function someFeeEstimates(): Uint8Array {
  const estimator = new FeeEstimator();
  for (let height = 1; height <= 60; height++) {
    const txs = Array.from({ length: 10 }, (_, at) => {
      const txid = txidFromBytes(sha256(Uint8Array.of(height, at)));
      return { txid, fee: 1_000n, vsize: 100, height: height - 1, isValidForEstimates: true };
    });
    for (const tx of txs) estimator.processTransaction(tx);
    estimator.processBlock(height, txs);
  }
  return estimator.encode();
}

/** What the recorded chain's hashes, transactions and addresses are in ours. Long ones were cut. */
function ourParam({ builder, busyBlock, confirmed, unconfirmed, address }: RpcChain, word: string): string {
  const replacements: readonly (readonly [RegExp, string])[] = [
    [/309b8757[0-9a-f]{56}/, builder.tip.hash],
    [/09f7bdda[0-9a-f]{56}/, busyBlock.hash],
    [/fbed39f4[0-9a-f]{56}/, confirmed.txid],
    [/a108eeb3[0-9a-f]{56}/, unconfirmed.txid],
    [/bcrt1qgk9skyxswv73l7334v82z4we6s7pcvgs5e5v60/, address],
    [/^\["0200000001e2910a89.*$/, JSON.stringify([toHex(unconfirmed.raw)])],
    [/^0200000001e2910a89.*$/, toHex(unconfirmed.raw)],
    [/^02000000000101877888.*$/, toHex(confirmed.raw)],
    [/^cHNidP8BAHECAAAAAcwC.*$/, psbt],
  ];
  return replacements.reduce((text, [from, to]) => text.replace(from, to), word);
}

/** The recorded one: what is decoded does not have to be in a chain. */
const decodedPsbt = examples.find(({ method }) => method === 'decodepsbt')?.result;
const psbt = decodedPsbt === undefined ? '' : recordedPsbt(decodedPsbt);

/** Keys that are data. */
const HASH_KEY = /^[0-9a-f]{64}$/;

function assertSameShape(ours: unknown, theirs: unknown, where: string, added: readonly string[]): void {
  assert.equal(kindOf(ours), kindOf(theirs), `the type of ${where}`);
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    assert.equal(ours.length > 0, theirs.length > 0, `whether ${where} is empty`);
    if (ours.length > 0) assertSameShape(ours[0], theirs[0], `${where}[0]`, added);
    return;
  }
  if (!isRecord(ours) || !isRecord(theirs)) return;
  const keys = Object.keys(ours).filter((key) => !added.includes(key));
  const [first] = Object.keys(theirs);
  if (first !== undefined && HASH_KEY.test(first)) {
    assert.match(keys[0] ?? '', HASH_KEY, `the keys of ${where}`);
    assertSameShape(ours[keys[0] ?? ''], theirs[first], `${where}.${first}`, added);
    return;
  }
  assert.deepEqual(keys, Object.keys(theirs), `the fields of ${where}`);
  for (const key of keys)
    if (!FREE_KEYS.includes(key)) assertSameShape(ours[key], theirs[key], `${where}.${key}`, added);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return kindOf(value) === 'object';
}
