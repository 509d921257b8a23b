/** The blockchain methods of the RPC on a real node: what they answer, what they change, what they refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANUAL_PRUNE_BYTES } from '#chain';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { testKey } from '../support/keys.ts';
import { COINBASE_SCRIPT, feedRpcChain } from '../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';

const ZERO_HASH = '0'.repeat(64);
const HELP = /^\w+ .*\n\n/;

type Block = {
  hash: string;
  height: number;
  confirmations: number;
  nTx: number;
  tx: unknown[];
  nextblockhash?: string;
};

async function submit(rpc: RpcNode, blocks: readonly { readonly raw: Uint8Array }[]): Promise<void> {
  for (const { raw } of blocks) assert.deepEqual(await rpc.node.submitBlock(raw), { kind: 'accepted' });
}

test('blocks and headers, on the chain and beside it', async () => {
  await using rpc = await startRpcNode();
  const builder = createChainBuilder(regtest());
  builder.mineMany(3);
  const side = builder.fork(1);
  side.mine();
  await submit(rpc, [...builder.blocks, ...side.blocks.slice(1)]);
  const { hash } = builder.at(2);
  const block = (await rpc.call('getblock', hash)) as Block;
  assert.equal(block.confirmations, 2);
  assert.equal(block.nextblockhash, builder.tip.hash);
  assert.deepEqual(block.tx, [builder.at(2).block.transactions[0]?.txid]);
  const beside = (await rpc.call('getblockheader', side.tip.hash)) as Block;
  assert.deepEqual([beside.confirmations, beside.height, beside.nextblockhash], [-1, 2, undefined]);
  assert.equal(await rpc.call('getblock', hash, 0), Buffer.from(builder.at(2).block.raw).toString('hex'));
  assert.equal(await rpc.call('getblock', hash, false), await rpc.call('getblock', hash, 0));
  assert.equal(
    await rpc.call('getblockheader', hash, false),
    Buffer.from(builder.at(2).block.header.raw).toString('hex'),
  );
  const genesis = regtest().genesis.hash;
  assert.equal(((await rpc.call('getblock', genesis, 3)) as Block).tx.length, 1);
  assert.deepEqual(await rpc.call('getchaintips'), [
    { height: 3, hash: builder.tip.hash, branchlen: 0, status: 'active' },
    { height: 2, hash: side.tip.hash, branchlen: 1, status: 'valid-headers' },
  ]);
  assert.deepEqual(await rpc.refuse('getblock', ZERO_HASH), [-5, 'Block not found']);
  assert.deepEqual(await rpc.refuse('getblock', 'ab'), [-8, "blockhash must be of length 64 (not 2, for 'ab')"]);
  assert.deepEqual(await rpc.refuse('getblockhash', 4), [-8, 'Block height out of range']);
  assert.deepEqual(await rpc.refuse('getblockhash', -1), [-8, 'Block height out of range']);
});

test('statistics of a block are those of its transactions', async () => {
  await using rpc = await startRpcNode();
  const { builder, busyBlock } = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const stats = (await rpc.call('getblockstats', 131)) as Record<string, unknown>;
  assert.deepEqual(await rpc.call('getblockstats', busyBlock.hash), stats);
  const [, first] = busyBlock.transactions;
  assert.ok(first);
  const rate = Math.floor((1500 * 4) / first.weight);
  assert.deepEqual(
    [stats['avgfee'], stats['medianfee'], stats['minfee'], stats['maxfee'], stats['totalfee']],
    [1500, 1500, 1500, 1500, 30_000],
  );
  assert.deepEqual(stats['feerate_percentiles'], [rate, rate, rate, rate, rate]);
  assert.deepEqual([stats['ins'], stats['outs'], stats['txs'], stats['swtxs']], [20, 42, 21, 20]);
  assert.equal(stats['total_out'], 20 * 5_000_000_000 - 30_000);
  // 22 coins more, of which the commitment of the coinbase is none.
  assert.deepEqual([stats['utxo_increase'], stats['utxo_increase_actual']], [22, 21]);
  assert.deepEqual(await rpc.call('getblockstats', 131, ['txs', 'height', 'txs']), { height: 131, txs: 21 });
  assert.deepEqual(await rpc.refuse('getblockstats', 131, ['nope']), [-8, "Invalid selected statistic 'nope'"]);
  assert.deepEqual(await rpc.refuse('getblockstats', 999), [-8, 'Target block height 999 after current tip 140']);
  assert.deepEqual(await rpc.refuse('getblockstats', -1), [-8, 'Target block height -1 is negative']);
  const genesis = (await rpc.call('getblockstats', 0)) as Record<string, unknown>;
  assert.deepEqual([genesis['utxo_increase'], genesis['utxo_increase_actual'], genesis['avgfee']], [1, 0, 0]);
  const window = (await rpc.call('getchaintxstats', 10, builder.tip.hash)) as Record<string, unknown>;
  assert.deepEqual([window['txcount'], window['window_tx_count'], window['window_interval']], [161, 30, 10]);
  assert.deepEqual(await rpc.refuse('getchaintxstats', 140), [
    -8,
    "Invalid block count: should be between 0 and the block's height - 1",
  ]);
});

test('coins in the chain and the mempool, and scans for them', async () => {
  await using rpc = await startRpcNode();
  const { builder, confirmed, unconfirmed, address } = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  type TxOut = { confirmations: number; value: number; coinbase: boolean };
  const coin = (await rpc.call('gettxout', confirmed.txid, 0)) as TxOut;
  assert.deepEqual([coin.confirmations, coin.value, coin.coinbase], [10, 25, false]);
  const waiting = (await rpc.call('gettxout', unconfirmed.txid, 0)) as TxOut;
  assert.deepEqual([waiting.confirmations, waiting.value], [0, 49.999985]);
  assert.equal(await rpc.call('gettxout', unconfirmed.txid, 0, false), null);
  const spentInMempool = builder.at(21).block.transactions[0]?.txid ?? '';
  assert.equal(await rpc.call('gettxout', spentInMempool, 0), null);
  assert.equal(((await rpc.call('gettxout', spentInMempool, 0, false)) as TxOut).coinbase, true);
  assert.equal(await rpc.call('gettxout', confirmed.txid, 99), null);

  type Scan = { success: boolean; unspents: { height: number; desc: string }[]; total_amount: number };
  const byAddress = (await rpc.call('scantxoutset', 'start', [`addr(${address})`])) as Scan;
  // 140 coinbases less four to a key and twenty that were spent; and twenty outputs of those.
  assert.equal(byAddress.unspents.length, 136);
  const key = Buffer.from(testKey(0).publicKey).toString('hex');
  const byKey = (await rpc.call('scantxoutset', 'start', [{ desc: `pkh(${key})` }])) as Scan;
  assert.deepEqual(
    byKey.unspents.map(({ height }) => height).sort((a, b) => a - b),
    [21, 22, 23, 24],
  );
  assert.match(byKey.unspents[0]?.desc ?? '', /^pkh\(\[[0-9a-f]{8}\]0[23][0-9a-f]{64}\)#\w{8}$/);
  assert.equal(byKey.total_amount, 200);
  const raw = Buffer.from(COINBASE_SCRIPT).toString('hex');
  assert.equal(((await rpc.call('scantxoutset', 'start', [`raw(${raw})`])) as Scan).unspents.length, 136);
  assert.equal(await rpc.call('scantxoutset', 'status'), null);
  assert.equal(await rpc.call('scantxoutset', 'abort'), false);
  const refused = async (...params: Parameters<RpcNode['refuse']> extends [string, ...infer Rest] ? Rest : never) =>
    (await rpc.refuse('scantxoutset', ...params)).join(' ');
  assert.equal(await refused('nonsense'), "-8 Invalid action 'nonsense'");
  assert.equal(await refused('start'), '-1 scanobjects argument is required for the start action');
  assert.equal(await refused('start', [1]), '-8 Scan object needs to be either a string or an object');
  assert.equal(await refused('start', [{}]), '-8 Descriptor needs to be provided in scan object');
  assert.equal(
    await refused('start', [{ desc: 'x', range: [2, 1] }]),
    '-8 Range specified as [begin,end] must not have begin after end',
  );
  assert.equal(await refused('start', [{ desc: 'x', range: -1 }]), '-8 End of range is too high');
  assert.equal(await refused('start', [{ desc: 'x', range: [0, 2_000_000] }]), '-8 Range is too large');
  assert.match(await refused('start', ['nope(x)']), /^-5 /);
});

test('the set of coins has the same figures by counting and by index', async () => {
  await using rpc = await startRpcNode({ indexes: { coinStatsIndex: true } });
  await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  type Info = Record<string, unknown>;
  const counted = (await rpc.call('gettxoutsetinfo', 'muhash', null, false)) as Info;
  const indexed = (await rpc.call('gettxoutsetinfo', 'muhash')) as Info;
  for (const field of ['height', 'bestblock', 'txouts', 'bogosize', 'muhash', 'total_amount']) {
    assert.equal(indexed[field], counted[field], field);
  }
  assert.equal(((await rpc.call('gettxoutsetinfo', 'none', 10)) as Info)['txouts'], 10);
  assert.deepEqual(await rpc.refuse('gettxoutsetinfo', 'sha1'), [-8, "'sha1' is not a valid hash_type"]);
  assert.deepEqual(await rpc.refuse('gettxoutsetinfo', 'hash_serialized_3', 10), [
    -8,
    'hash_serialized_3 hash type cannot be queried for a specific block',
  ]);
  await using plain = await startRpcNode();
  assert.deepEqual(await plain.refuse('gettxoutsetinfo', 'muhash', 0), [
    -8,
    'Querying specific block heights requires coinstatsindex',
  ]);
  assert.deepEqual(await plain.call('getindexinfo'), {});
});

test('the operator leaves a block, comes back, and prefers one', async () => {
  await using rpc = await startRpcNode();
  const builder = createChainBuilder(regtest());
  builder.mineMany(3);
  const side = builder.fork(2);
  side.mine();
  await submit(rpc, [...builder.blocks, ...side.blocks.slice(2)]);
  const best = (): Promise<unknown> => rpc.call('getbestblockhash');
  assert.equal(await rpc.call('preciousblock', side.tip.hash), null);
  assert.equal(await best(), side.tip.hash);
  assert.equal(await rpc.call('invalidateblock', side.tip.hash), null);
  assert.equal(await best(), builder.tip.hash);
  await rpc.call('invalidateblock', builder.at(2).hash);
  assert.equal(await best(), builder.at(1).hash);
  await rpc.call('reconsiderblock', builder.tip.hash);
  assert.equal(await best(), builder.tip.hash);
  for (const method of ['invalidateblock', 'reconsiderblock', 'preciousblock']) {
    assert.deepEqual(await rpc.refuse(method, ZERO_HASH), [-5, 'Block not found']);
  }
  assert.equal(await rpc.call('verifychain', 4, 0), true);
  assert.deepEqual(await rpc.refuse('pruneblockchain', 1), [
    -1,
    'Cannot prune blocks because node is not in prune mode.',
  ]);
});

test('a pruned node gives up files by height or time, and says what it lacks', async () => {
  await using rpc = await startRpcNode({ pruneBytes: MANUAL_PRUNE_BYTES, hasSmallFiles: true });
  const builder = createChainBuilder(regtest());
  builder.mineMany(700);
  await submit(rpc, builder.blocks);
  assert.deepEqual(await rpc.refuse('pruneblockchain', -1), [-8, 'Negative block height.']);
  assert.deepEqual(await rpc.refuse('pruneblockchain', 701), [
    -8,
    'Blockchain is shorter than the attempted prune height.',
  ]);
  const pruned = (await rpc.call('pruneblockchain', builder.at(400).block.header.time + 7_200)) as number;
  assert.ok(pruned > 0 && pruned <= 400, String(pruned));
  const info = (await rpc.call('getblockchaininfo')) as Record<string, unknown>;
  assert.deepEqual(
    [info['pruned'], info['pruneheight'], info['automatic_pruning'], info['prune_target_size']],
    [true, pruned + 1, false, undefined],
  );
  assert.deepEqual(await rpc.refuse('getblock', builder.at(1).hash), [-1, 'Block not available (pruned data)']);
  assert.deepEqual(await rpc.refuse('getblockstats', 1), [-1, 'Block not available (pruned data)']);
});

test('long polls are answered by a block, by time, by a stop', async () => {
  await using rpc = await startRpcNode();
  const builder = createChainBuilder(regtest());
  builder.mineMany(2);
  const [one, two] = builder.blocks;
  assert.ok(one && two);
  const waiting = rpc.call('waitforblockheight', 2);
  const forHash = rpc.call('waitforblock', builder.tip.hash);
  await rpc.call('waitfornewblock', 1);
  await submit(rpc, [one, two]);
  assert.deepEqual(await waiting, { hash: builder.tip.hash, height: 2 });
  assert.deepEqual(await forHash, { hash: builder.tip.hash, height: 2 });
  assert.deepEqual(await rpc.call('waitforblockheight', 5, 10), { hash: builder.tip.hash, height: 2 });
  assert.deepEqual(await rpc.refuse('waitfornewblock', -1), [-1, 'Negative timeout']);
});

test('a proof of transactions proves them, and nothing else does', async () => {
  await using rpc = await startRpcNode();
  const { busyBlock, confirmed, unconfirmed } = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
  const [coinbase] = busyBlock.transactions;
  assert.ok(coinbase);
  const proof = (await rpc.call('gettxoutproof', [confirmed.txid, coinbase.txid])) as string;
  assert.deepEqual(await rpc.call('verifytxoutproof', proof), [coinbase.txid, confirmed.txid]);
  assert.equal(await rpc.call('gettxoutproof', [coinbase.txid, confirmed.txid], busyBlock.hash), proof);
  // Another leaf: the root is another.
  const at = proof.length - 20;
  const flipped = proof.slice(0, at) + (proof[at] === '0' ? '1' : '0') + proof.slice(at + 1);
  assert.deepEqual(await rpc.call('verifytxoutproof', flipped), []);
  assert.equal((await rpc.refuse('verifytxoutproof', 'abcd'))[0], -1);
  const refuse = (...txids: readonly string[]): Promise<readonly [number, string]> =>
    rpc.refuse('gettxoutproof', txids);
  assert.deepEqual(await refuse(), [-8, "Parameter 'txids' cannot be empty"]);
  assert.deepEqual(await refuse(confirmed.txid, confirmed.txid), [
    -8,
    `Invalid parameter, duplicated txid: ${confirmed.txid}`,
  ]);
  assert.deepEqual(await refuse(unconfirmed.txid), [-5, 'Transaction not yet in block']);
  assert.deepEqual(await refuse(confirmed.txid, unconfirmed.txid), [
    -5,
    'Not all transactions found in specified or retrieved block',
  ]);
});

test('deployments by height, by signals, and of the block asked for', async () => {
  await using rpc = await startRpcNode();
  const builder = createChainBuilder(regtest());
  builder.mineMany(144);
  builder.mineMany(110, { version: 0x30000000 });
  builder.mineMany(40);
  await submit(rpc, builder.blocks);
  type Info = { deployments: Record<string, { active: boolean; bip9?: Record<string, unknown> }> };
  const dummy = async (height: number): Promise<Record<string, unknown> | undefined> =>
    ((await rpc.call('getdeploymentinfo', builder.at(height).hash)) as Info).deployments['testdummy']?.bip9;
  assert.deepEqual([(await dummy(140))?.['status'], (await dummy(143))?.['status_next']], ['defined', 'started']);
  const started = await dummy(200);
  assert.deepEqual([started?.['status'], started?.['since'], started?.['bit']], ['started', 144, 28]);
  assert.deepEqual(started?.['statistics'], { period: 144, elapsed: 57, count: 56, threshold: 108, possible: true });
  assert.equal(started?.['signalling'], `-${'#'.repeat(56)}`);
  assert.deepEqual([(await dummy(287))?.['status_next'], (await dummy(288))?.['status']], ['locked_in', 'locked_in']);
  const { deployments } = (await rpc.call('getdeploymentinfo')) as Info;
  assert.ok(deployments['taproot']?.active && deployments['segwit']?.active);
});

test('the server tells of itself: help of each method, a document, what it does now', async () => {
  await using rpc = await startRpcNode();
  const list = (await rpc.call('help')) as string;
  assert.match(list, /^== Blockchain ==\n/);
  const names = list.split('\n').flatMap((line) => (/^(==|$)/.test(line) ? [] : [line.split(' ')[0] ?? '']));
  assert.ok(names.includes('getblock') && !names.includes('setmocktime'));
  for (const name of names) assert.match((await rpc.call('help', name)) as string, /\n\nResult/, name);
  assert.equal(await rpc.call('help', 'nope'), 'help: unknown command: nope');
  const document = (await rpc.call('rpc.discover')) as { openrpc: string; methods: { name: string }[] };
  assert.deepEqual(document.methods.map(({ name }) => name).sort(), names.sort());
  assert.deepEqual(await rpc.call('echo', 1, 'a', null), [1, 'a', null]);
  const [code, message] = await rpc.refuse('getblockhash');
  assert.equal(code, -1);
  assert.match(message, HELP);
  const named = await rpc.reply('getblockhash', { height: 0 });
  assert.deepEqual(named, { kind: 'result', result: regtest().genesis.hash });
  assert.equal(await rpc.call('stop'), 'Starling stopping');
  await rpc.stopped;
});

test('the clock is set on regtest, within bounds', async () => {
  await using rpc = await startRpcNode();
  assert.equal(await rpc.call('setmocktime', 1_500_000_000), null);
  assert.equal(await rpc.call('setmocktime', 0), null);
  assert.deepEqual(await rpc.refuse('setmocktime', -1), [-8, 'Mocktime must be in the range [0, 4294967295], not -1.']);
  assert.equal(await rpc.call('mockscheduler', 5), null);
  assert.deepEqual(await rpc.refuse('mockscheduler', 3601), [
    -1,
    'delta_time must be between 1 and 3600 seconds (1 hr)',
  ]);
  assert.equal(await rpc.call('syncwithvalidationinterfacequeue'), null);
});
