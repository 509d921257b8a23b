/**
 * What tools read from a node, asked of Bitcoin Core itself (0.11.99) and of this node with the same blocks: by RPC and by
 * REST, where Core's answers have stayed what they were. Times and sizes of answers that grew are left out by name.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Block, Transaction } from '#primitives';
import { type JsonValue, writeJson } from '#rpc';
import { encodeAddress, encodeWif, witnessProgram } from '#script';
import { fromHex, seededRandom, toHex } from '#util';
import { type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { type CoreProgram, coreLacks, startCore } from '../support/core-program.ts';
import { testKey } from '../support/keys.ts';
import { OLD_OPCODES, oddSpend } from '../support/odd-spends.ts';
import { randomScript } from '../support/random-script.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { buildTx, type Lock, lockScript, outputOf, pay, rawTx, type TestCoin } from '../support/tx-builder.ts';

const skip = await coreLacks();
const BLOCKS = 130;
/** P2SH came into force in April 2012. */
const START_SECONDS = 1_400_000_000;
const FEE = 20_000n;

let core: CoreProgram;
let rpc: RpcNode;
let builder: ChainBuilder;

const KEYS = [1, 2, 3].map((index) => testKey(index));
const REDEEM: Lock = { kind: 'multisig', required: 1, keys: KEYS };
const LOCKS: readonly Lock[] = [
  ...KEYS.map((key) => ({ kind: 'p2pkh', key }) as const),
  { kind: 'p2pk', key: testKey(4) },
  { kind: 'multisig', required: 2, keys: KEYS },
  { kind: 'p2sh', redeem: REDEEM },
  { kind: 'anyone' },
];

/** What the RPC said, as plain JSON. */
function plain(value: JsonValue): unknown {
  return JSON.parse(writeJson(value));
}

async function both(method: string, ours: readonly JsonValue[], theirs = ours): Promise<[unknown, unknown]> {
  return [await rpc.call(method, ...ours), plain(await core.call(method, ...theirs))];
}

async function same(method: string, ours: readonly JsonValue[], theirs = ours): Promise<void> {
  const [own, other] = await both(method, ours, theirs);
  assert.deepEqual(own, other, `${method} ${writeJson(ours).slice(0, 200)}`);
}

/** All that Core said must stand in our answer, but for these members. */
async function contains(method: string, params: readonly JsonValue[], without: readonly string[] = []): Promise<void> {
  const [own, other] = await both(method, params);
  const wanted = Object.fromEntries(Object.entries(other as object).filter(([name]) => !without.includes(name)));
  assert.partialDeepStrictEqual(own, wanted, `${method} ${writeJson(params).slice(0, 200)}`);
  assert.ok(Object.keys(wanted).length > 0, `${method} says something`);
}

async function everywhere(blocks: readonly { readonly raw: Uint8Array }[]): Promise<void> {
  for (const { raw } of blocks) {
    const [own, other] = await both('submitblock', [toHex(raw)]);
    assert.deepEqual(own, other);
  }
}

if (skip === undefined) {
  before(async () => {
    core = await startCore(['-par=1', '-txindex=1', '-rest=1']);
    rpc = await startRpcNode({ indexes: { txIndex: true } }, { rest: true });
    builder = createChainBuilder(regtest());
    builder.mine({ time: START_SECONDS });
    builder.mineMany(BLOCKS - 1);
    // Outputs of every kind, and spends of them.
    const { value } = builder.coin(1).output;
    const outputs = LOCKS.map((lock) => pay(value / 10n, lock));
    const funding = buildTx([builder.coin(1), builder.coin(2)], [...outputs, pay(value)]);
    builder.mine({ transactions: [funding] });
    const spends = LOCKS.slice(0, -2).map((lock, at) =>
      buildTx([{ coin: outputOf(funding, at), lock }], [pay(value / 20n), pay(value / 20n - FEE, lock)]),
    );
    builder.mine({ transactions: spends });
    await everywhere(builder.blocks);
    for (const coin of [builder.coin(3), builder.coin(4)]) {
      await same('sendrawtransaction', [toHex(buildTx([coin], [pay(coin.output.value - FEE)]).raw)]);
    }
  });
  after(async () => {
    await rpc[Symbol.asyncDispose]();
    await core[Symbol.asyncDispose]();
  });
}

test('blocks, headers and the tip', { skip }, async () => {
  for (const method of ['getblockcount', 'getbestblockhash', 'getdifficulty', 'getchaintips']) await same(method, []);
  for (const height of [0, 1, 77, builder.height - 1, builder.height]) {
    await same('getblockhash', [height]);
    const { hash } = builder.at(height);
    await same('getblock', [hash, 0], [hash, false]);
    await same('getblockheader', [hash, false]);
    await contains('getblockheader', [hash]);
    await contains('getblock', [hash]);
  }
  await contains('getblockchaininfo', [], ['softforks', 'verificationprogress']);
});

test('transactions, coins and proofs', { skip }, async () => {
  const ids = [BLOCKS + 1, BLOCKS + 2].flatMap((height) =>
    builder.at(height).block.transactions.map(({ txid }) => txid),
  );
  for (const txid of ids) {
    await same('getrawtransaction', [txid]);
    await contains('getrawtransaction', [txid, 1], ['vin', 'vout']);
    await same('gettxoutproof', [[txid]]);
    for (let index = 0; index < LOCKS.length + 2; index++) {
      const [own, other] = (await both('gettxout', [txid, index])) as Record<string, unknown>[];
      const { version: _version, scriptPubKey, ...rest } = other ?? { scriptPubKey: undefined };
      if (other === null || own === null) assert.equal(own, other);
      else assert.partialDeepStrictEqual(own, { ...rest, scriptPubKey: withoutTypes(scriptPubKey as object) });
    }
  }
  await same('gettxoutproof', [ids.slice(3, 5), builder.tip.hash]);
  const proof = await core.call('gettxoutproof', ids.slice(3, 5));
  await same('verifytxoutproof', [proof]);
  await contains('gettxoutsetinfo', [], ['bytes_serialized', 'hash_serialized']);
  const [own, other] = (await both('getrawmempool', [])) as string[][];
  assert.deepEqual(own?.toSorted(), other?.toSorted());
  await contains('getmempoolinfo', [], ['usage', 'mempoolminfee', 'maxmempool']);
});

/** Since then one address took the place of a list. */
function withoutTypes({ asm, hex, type }: { asm?: unknown; hex?: unknown; type?: unknown }): object {
  return { asm, hex, type };
}

test('scripts in words: what random ones and templates look like', { skip }, async () => {
  const random = seededRandom(5);
  for (let round = 0; round < 300; round++) {
    const { lock, unlock } = oddSpend(random);
    const scriptSig = random.below(3) === 0 ? randomScript(random, OLD_OPCODES) : unlock(() => random.bytes(32));
    const scripts = [lock, randomScript(random, OLD_OPCODES)].filter((each) => witnessProgram(each) === undefined);
    const coin: TestCoin = { txid: random.bytes(32), index: random.below(9), output: pay(5n) };
    const tx = rawTx(
      [{ coin, scriptSig, sequence: random.below(2 ** 32) }],
      scripts.map((scriptPubKey) => ({ value: 7n, scriptPubKey })),
    );
    const [own, other] = (await both('decoderawtransaction', [toHex(tx.raw)])) as Decoded[];
    assert.deepEqual(wordsOf(own), wordsOf(other, 'OP_NOP2'), toHex(tx.raw));
  }
});

type Decoded = {
  readonly txid: string;
  readonly vin: readonly object[];
  readonly vout: readonly { readonly scriptPubKey: object }[];
};

const HASH_TYPES = new Map([
  ...([
    ['ALL', '01'],
    ['NONE', '02'],
    ['SINGLE', '03'],
  ] as const),
  ...([
    ['ALL|ANYONECANPAY', '81'],
    ['NONE|ANYONECANPAY', '82'],
    ['SINGLE|ANYONECANPAY', '83'],
  ] as const),
]);

/** `oldName`: of the opcode that is OP_CHECKLOCKTIMEVERIFY now. */
function wordsOf(decoded: Decoded | undefined, oldName = 'OP_CHECKLOCKTIMEVERIFY'): unknown {
  const outputs = decoded?.vout.map((output) => ({ ...output, scriptPubKey: withoutTypes(output.scriptPubKey) }));
  const words = JSON.stringify([decoded?.txid, decoded?.vin, outputs]);
  // Hash types are words since then.
  const types = [...HASH_TYPES].reduce((text, [word, byte]) => text.replaceAll(`[${word}]`, byte), words);
  return JSON.parse(types.replaceAll(oldName, 'OP_CHECKLOCKTIMEVERIFY'));
}

test('transactions made by hand, and what is signed here is valid there', { skip }, async () => {
  const funding = builder.at(BLOCKS + 1).block.transactions[1];
  assert.ok(funding !== undefined);
  const { p2pkh } = testKey(9);
  const address = encodeAddress(p2pkh, regtest().address) ?? '';
  const outputs = { [address]: 0.01 };
  const inputs = [LOCKS.length - 2, LOCKS.length].map((vout) => ({ txid: funding.txid, vout }));
  // Version 2 is the default since then.
  const made = (await both('createrawtransaction', [inputs, outputs, 0, false], [inputs, outputs])) as string[];
  assert.equal(made[0]?.replace(/^02/, '01'), made[1]);
  const raw = (await rpc.call('createrawtransaction', inputs, outputs)) as string;
  const secrets = [0, 1, 2].map((key) =>
    encodeWif({ secret: testKey(key).secret, compressed: true }, regtest().address),
  );
  const redeemScript = toHex(lockScript(REDEEM));
  const previous = inputs.map(({ txid, vout }) => {
    return { txid, vout, scriptPubKey: toHex(outputOf(funding, vout).output.scriptPubKey), redeemScript, amount: 1 };
  });
  const signed = await rpc.call('signrawtransactionwithkey', raw, secrets, previous.slice(0, 1));
  const { hex, complete } = signed as { readonly hex: string; readonly complete: boolean };
  assert.ok(complete, JSON.stringify(signed));
  await same('sendrawtransaction', [hex, 0], [hex, true]);
});

test('REST: bytes and hexadecimal', { skip }, async () => {
  const { hash, block } = builder.tip;
  const txid = block.transactions[1]?.txid;
  const funding = builder.at(BLOCKS + 1).block.transactions[1]?.txid;
  const paths = [
    ...[`block/${hash}`, `block/notxdetails/${hash}`, `tx/${txid}`, `headers/5/${builder.at(builder.height - 7).hash}`],
    ...[`block/${'0'.repeat(64)}`, 'tx/nothing', `block/${hash.slice(1)}`],
  ];
  for (const path of paths) {
    for (const form of ['bin', 'hex']) {
      const [own, other] = await Promise.all(
        [rpc, core].map(({ address }) => httpRequest(address, { method: 'GET', path: `/rest/${path}.${form}` })),
      );
      assert.deepEqual([own?.status, own?.text], [other?.status, other?.text], `${path}.${form}`);
    }
  }
  // Without the mempool, Core found nothing then. The version of a transaction is 0 since.
  const query = `getutxos/checkmempool/${funding}-0/${funding}-6/${txid}-1.hex`;
  const [own, other] = await Promise.all(
    [rpc, core].map(({ address }) => httpRequest(address, { method: 'GET', path: `/rest/${query}` })),
  );
  const withoutVersions = (text = ''): string => text.replaceAll(/0[012]000000(?=[0-9a-f]{2}000000)/g, '');
  assert.equal(withoutVersions(own?.text), withoutVersions(other?.text));
  assert.ok((own?.text.length ?? 0) > 150, 'coins were found');
});

test('a block that is mined here, of what both have in their mempools, is valid there', { skip }, async () => {
  const address = encodeAddress(testKey(0).p2pkh, regtest().address) ?? '';
  const [hash = ''] = (await rpc.call('generatetoaddress', 1, address)) as string[];
  const raw = (await rpc.call('getblock', hash, 0)) as string;
  const block = Block.fromBytes(fromHex(raw));
  assert.ok(block.transactions.length > 1, 'it holds transactions');
  // The coinbase has a witness, which Core could not read then.
  const stripped = block.transactions.map(({ version, inputs, outputs, lockTime }) => {
    return Transaction.fromFields({
      version,
      inputs: inputs.map((input) => ({ ...input, witness: [] })),
      outputs,
      lockTime,
    });
  });
  assert.equal(await core.call('submitblock', toHex(Block.fromParts(block.header, stripped).raw)), null);
  for (const method of ['getbestblockhash', 'getrawmempool']) await same(method, []);
  builder.append(block);
});

test('branches: tips and what they are', { skip }, async () => {
  const rival = builder.fork(builder.height - 3);
  const blocks = rival.mineMany(2);
  await everywhere(blocks);
  await same('getchaintips', []);
  await everywhere(rival.mineMany(4));
  await same('getbestblockhash', []);
  await same('getchaintips', []);
  await everywhere([rival.build({ coinbaseValue: 50_000_000_000n })]);
  const [own, other] = (await both('getchaintips', [])) as object[][];
  const sorted = (tips: object[] = []): string[] => tips.map((tip) => JSON.stringify(tip)).toSorted();
  assert.deepEqual(sorted(own), sorted(other));
});
