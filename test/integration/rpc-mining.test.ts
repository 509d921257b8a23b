/** The miners' calls, each on a real regtest node. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compactToTarget } from '#consensus';
import { Block, BlockHeader, Transaction, txidFromBytes } from '#primitives';
import { encodeAddress } from '#script';
import { fromHex, fromReversedHex, toHex } from '#util';
import { assembleBlock } from '../../src/mempool/assemble-block.ts';
import { grindSlice } from '../../src/miner/grind.ts';
import { regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { buildTx, pay, type TestCoin } from '../support/tx-builder.ts';

const SCRIPT = testKey(0).p2pkh;
const ADDRESS = encodeAddress(SCRIPT, regtest().address) ?? assert.fail();
const RULES = { rules: ['segwit'] };
const FEE = 10_000n;

type Json = Record<string, unknown>;
type Template = {
  readonly version: number;
  readonly previousblockhash: string;
  readonly curtime: number;
  readonly bits: string;
  readonly height: number;
  readonly coinbasevalue: number;
  readonly longpollid: string;
  readonly default_witness_commitment: string;
  readonly transactions: readonly {
    readonly data: string;
    readonly depends: readonly number[];
    readonly fee: number;
  }[];
};

const template = async (rpc: RpcNode): Promise<Template> => (await rpc.call('getblocktemplate', RULES)) as Template;

/** What a miner makes of a template; `extraNonce` tells blocks apart. */
function blockFrom(given: Template, extraNonce = 0): Block {
  return assembleBlock({
    version: given.version,
    prevHash: txidFromBytes(fromReversedHex(given.previousblockhash)) as string as Block['hash'],
    time: given.curtime,
    bits: Number.parseInt(given.bits, 16),
    height: given.height,
    coinbase: { scriptPubKey: SCRIPT, value: BigInt(given.coinbasevalue), extraNonce },
    commitWitness: true,
    transactions: given.transactions.map(({ data }) => Transaction.fromBytes(fromHex(data))),
  });
}

/** With a nonce that does, or with one that does not. */
function ground(block: Block, isGood = true): Block {
  const { version, prevHash, merkleRoot, time, bits } = block.header;
  const { target } = compactToTarget(bits);
  for (let nonce = 0; ; nonce++) {
    const header = BlockHeader.fromFields({ version, prevHash, merkleRoot, time, bits, nonce });
    if (grindSlice(header, target, 1).solved === isGood) return Block.fromParts(header, block.transactions);
  }
}

const mine = async (rpc: RpcNode, count: number): Promise<string[]> =>
  (await rpc.call('generatetoaddress', count, ADDRESS)) as string[];

/** The output of the coinbase at a height. */
async function coinAt(rpc: RpcNode, height: number): Promise<TestCoin> {
  const { hash } = rpc.node.chain.activeAt(height) ?? assert.fail();
  const [coinbase] = Block.fromBytes((await rpc.node.chain.readBlock(hash)) ?? assert.fail()).transactions;
  const output = coinbase?.outputs[0];
  assert.ok(coinbase !== undefined && output !== undefined);
  return { txid: coinbase.txidBytes, index: 0, output };
}

const spend = async (rpc: RpcNode, height: number): Promise<Transaction> => {
  const coin = await coinAt(rpc, height);
  return buildTx([coin], [pay(coin.output.value - FEE)]);
};

describe('blocks at once', () => {
  it('pay to an address, or to a descriptor', async () => {
    await using rpc = await startRpcNode();
    const hashes = await mine(rpc, 3);
    assert.deepEqual(
      hashes,
      [1, 2, 3].map((height) => rpc.node.chain.activeAt(height)?.hash),
    );
    const [fourth] = (await rpc.call('generatetodescriptor', 1, `addr(${ADDRESS})`)) as string[];
    assert.equal(rpc.node.chain.tip().hash, fourth);
    assert.equal(toHex((await coinAt(rpc, 4)).output.scriptPubKey), toHex(SCRIPT));
    const key = toHex(testKey(0).publicKey);
    await rpc.call('generatetodescriptor', 1, `combo(${key})`);
    assert.match(toHex((await coinAt(rpc, 5)).output.scriptPubKey), /^0014/, 'P2WPKH of a combo');
    assert.deepEqual(await rpc.call('generatetoaddress', 1, ADDRESS, 0), [], 'no try, no block');
    assert.deepEqual(await rpc.refuse('generatetoaddress', 1, 'x'), [-5, 'Error: Invalid address']);
    assert.equal((await rpc.refuse('generatetodescriptor', 1, 'x()'))[0], -5);
  });

  it('hold the transactions that they are told to', async () => {
    await using rpc = await startRpcNode();
    await mine(rpc, 102);
    const [waiting, other] = [await spend(rpc, 1), await spend(rpc, 2)];
    await rpc.call('sendrawtransaction', toHex(waiting.raw));
    const kept = (await rpc.call('generateblock', ADDRESS, [], false)) as Json;
    assert.deepEqual(Object.keys(kept), ['hash', 'hex']);
    assert.equal(Block.fromBytes(fromHex(String(kept['hex']))).hash, kept['hash']);
    assert.equal(rpc.node.chain.tip().height, 102);
    const { hash } = (await rpc.call('generateblock', ADDRESS, [waiting.txid, toHex(other.raw)])) as Json;
    assert.equal(rpc.node.chain.tip().hash, hash);
    assert.deepEqual(await rpc.call('getrawmempool'), []);
    const refused = (txs: readonly string[]): Promise<unknown> => rpc.refuse('generateblock', ADDRESS, txs);
    assert.deepEqual(await refused([waiting.txid]), [-5, `Transaction ${waiting.txid} not in mempool.`]);
    assert.deepEqual(await refused(['00']), [
      -22,
      'Transaction decode failed for 00. Make sure the tx has at least one input.',
    ]);
    const [code, message] = (await refused([toHex(other.raw)])) as [number, string];
    assert.equal(code, -25);
    // Core looks for what would be overwritten before it looks for inputs.
    assert.match(message, /^TestBlockValidity failed: bad-txns-BIP30/);
    assert.deepEqual(await rpc.refuse('generateblock', 'x', []), [-5, 'Error: Invalid address or descriptor']);
  });
});

describe('getblocktemplate', () => {
  it('gives work that makes a valid block, with the transactions of now', async () => {
    await using rpc = await startRpcNode();
    await mine(rpc, 102);
    const parent = await spend(rpc, 1);
    const output = parent.outputs[0] ?? assert.fail();
    const child = buildTx([{ txid: parent.txidBytes, index: 0, output }], [pay(output.value - FEE)]);
    for (const tx of [parent, child]) await rpc.call('sendrawtransaction', toHex(tx.raw));
    const given = await template(rpc);
    assert.deepEqual(
      given.transactions.map(({ depends, fee }) => [depends, fee]),
      [
        [[], Number(FEE)],
        [[1], Number(FEE)],
      ],
    );
    assert.equal(given.coinbasevalue, 50_0000_0000 + 2 * Number(FEE));
    const block = ground(blockFrom(given));
    assert.equal(given.default_witness_commitment, toHex(block.transactions[0]?.outputs[1]?.scriptPubKey ?? SCRIPT));
    const { currentblocktx: count, pooledtx } = (await rpc.call('getmininginfo')) as Json;
    assert.deepEqual([count, pooledtx], [2, 2]);
    assert.equal(await rpc.call('submitblock', toHex(block.raw)), null);
    assert.equal(rpc.node.chain.tip().hash, block.hash);
    assert.deepEqual(await rpc.call('getrawmempool'), []);
  });

  it('asks for what the client must understand', async () => {
    await using rpc = await startRpcNode();
    const segwit = 'getblocktemplate must be called with the segwit rule set (call with {"rules": ["segwit"]})';
    assert.deepEqual(await rpc.refuse('getblocktemplate', {}), [-8, segwit]);
    assert.deepEqual(await rpc.refuse('getblocktemplate', { ...RULES, mode: 'x' }), [-8, 'Invalid mode']);
    assert.deepEqual(await rpc.refuse('getblocktemplate', { ...RULES, mode: 1 }), [-8, 'Invalid mode']);
  });

  it('checks proposals', async () => {
    await using rpc = await startRpcNode();
    await mine(rpc, 2);
    const propose = (block: Block): Promise<unknown> =>
      rpc.call('getblocktemplate', { ...RULES, mode: 'proposal', data: toHex(block.raw) });
    const given = await template(rpc);
    const good = ground(blockFrom(given), false);
    assert.equal(await propose(good), null);
    assert.equal(await propose(blockFrom({ ...given, coinbasevalue: given.coinbasevalue + 1 })), 'bad-cb-amount');
    assert.equal(await propose(blockFrom({ ...given, height: 99 })), 'bad-cb-height');
    const first = rpc.node.chain.activeAt(1)?.hash ?? assert.fail();
    assert.equal(await propose(blockFrom({ ...given, previousblockhash: first })), 'inconclusive-not-best-prevblk');
    const tip = Block.fromBytes((await rpc.node.chain.readBlock(rpc.node.chain.tip().hash)) ?? assert.fail());
    assert.equal(await propose(tip), 'duplicate');
    assert.equal(rpc.node.chain.tip().height, 2);
    const proposal = { ...RULES, mode: 'proposal' };
    assert.deepEqual(await rpc.refuse('getblocktemplate', proposal), [-3, 'Missing data String key for proposal']);
    assert.deepEqual(await rpc.refuse('getblocktemplate', { ...proposal, data: '00' }), [-22, 'Block decode failed']);
  });

  it('answers a long poll when the tip has moved, and at once with an old id', async () => {
    await using rpc = await startRpcNode();
    await mine(rpc, 1);
    const { longpollid } = await template(rpc);
    let isAnswered = false;
    const polled = rpc.call('getblocktemplate', { ...RULES, longpollid }).then((answer) => {
      isAnswered = true;
      return answer as Template;
    });
    // The server takes calls in turn: this one came later.
    await rpc.call('getblockcount');
    assert.equal(isAnswered, false);
    const [hash] = await mine(rpc, 1);
    assert.equal((await polled).previousblockhash, hash);
    const stale = (await rpc.call('getblocktemplate', { ...RULES, longpollid })) as Template;
    assert.equal(stale.previousblockhash, hash);
    assert.deepEqual(await rpc.refuse('getblocktemplate', { ...RULES, longpollid: 'x' }), [
      -8,
      "longpollid must be of length 64 (not 1, for 'x')",
    ]);
  });
});

describe('submitblock', () => {
  it('answers in the words of BIP22', async () => {
    await using rpc = await startRpcNode();
    await mine(rpc, 2);
    const submit = (block: Block): Promise<unknown> => rpc.call('submitblock', toHex(block.raw));
    const given = await template(rpc);
    const [block, beside] = [ground(blockFrom(given, 1)), ground(blockFrom(given, 2))];
    assert.equal(await submit(ground(blockFrom(given), false)), 'high-hash');
    assert.equal(await submit(block), null);
    assert.equal(await submit(block), 'duplicate');
    assert.equal(await submit(beside), 'inconclusive', 'as much work as the tip');
    const lone = ground(blockFrom({ ...(await template(rpc)), previousblockhash: 'ab'.repeat(32) }));
    assert.equal(await submit(lone), 'prev-blk-not-found');
    const next = await template(rpc);
    const greedy = ground(blockFrom({ ...next, coinbasevalue: next.coinbasevalue + 1 }));
    assert.equal(await submit(greedy), 'bad-cb-amount');
    assert.equal(await submit(greedy), 'duplicate-invalid');
    assert.deepEqual(await rpc.refuse('submitblock', '00'), [-22, 'Block decode failed']);
    const empty = toHex(Block.fromParts(block.header, []).raw);
    assert.deepEqual(await rpc.refuse('submitblock', empty), [-22, 'Block does not start with a coinbase']);
  });

  it('adds the reserved value of a coinbase that lacks it', async () => {
    await using rpc = await startRpcNode();
    const block = ground(blockFrom(await template(rpc)));
    const [coinbase, ...others] = block.transactions;
    const bare = Transaction.fromBytes(coinbase?.stripped() ?? assert.fail());
    const stripped = Block.fromParts(block.header, [bare, ...others]);
    assert.equal(await rpc.call('submitblock', toHex(stripped.raw)), null);
    assert.equal(rpc.node.chain.tip().hash, block.hash);
  });
});

describe('what else miners ask', () => {
  it('is to add a header', async () => {
    await using rpc = await startRpcNode();
    const { header } = ground(blockFrom(await template(rpc)));
    assert.equal(await rpc.call('submitheader', toHex(header.raw)), null);
    assert.equal(rpc.node.chain.bestHeader().hash, header.hash);
    assert.equal(rpc.node.chain.tip().height, 0);
    assert.deepEqual(await rpc.refuse('submitheader', 'ff'), [-22, 'Block header decode failed']);
    const lone = ground(blockFrom({ ...(await template(rpc)), previousblockhash: 'ab'.repeat(32) })).header;
    assert.deepEqual(await rpc.refuse('submitheader', toHex(lone.raw)), [
      -25,
      `Must submit previous header (${'ab'.repeat(32)}) first`,
    ]);
    const poor = ground(blockFrom(await template(rpc)), false).header;
    assert.deepEqual(await rpc.refuse('submitheader', toHex(poor.raw)), [-25, 'high-hash, proof of work failed']);
  });

  it('is how fast the network hashes', async () => {
    await using rpc = await startRpcNode();
    assert.equal(await rpc.call('getnetworkhashps'), 0);
    await rpc.call('setmocktime', Math.floor(Date.now() / 1000));
    await mine(rpc, 10);
    const [first, last] = [1, 10].map((height) => rpc.node.chain.activeAt(height) ?? assert.fail());
    assert.ok(first !== undefined && last !== undefined);
    const seconds = last.header.time - first.header.time;
    assert.equal(await rpc.call('getnetworkhashps', 9), seconds === 0 ? 0 : 18 / seconds);
    assert.equal(await rpc.call('getnetworkhashps', -1, 10), await rpc.call('getnetworkhashps', 10));
    const blocks = 'Invalid nblocks. Must be a positive number or -1.';
    for (const bad of [0, -2]) assert.deepEqual(await rpc.refuse('getnetworkhashps', bad), [-8, blocks]);
    assert.deepEqual(await rpc.refuse('getnetworkhashps', 1, 11), [-8, 'Block does not exist at specified height']);
  });
});
