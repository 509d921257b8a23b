/** The dashboard of a real node: what it tells and what is looked up agree with the RPC, and it follows what happens. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DashboardServer, type LogSource, startDashboard } from '#dashboard';
import { nullLogger, systemClock } from '#util';
import { startNodeDashboard } from '../../src/cli/dashboard-settings.ts';
import { createLogging } from '../../src/cli/logging.ts';
import { BUCKET_BOUNDS } from '../../src/dashboard/watch/feerate-histogram.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { openPage } from '../support/feed-model.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { addressesOf, createTestNodes, gossipFlows } from '../support/test-nodes.ts';
import { buildTx, outputOf, pay } from '../support/tx-builder.ts';

type Json = Record<string, unknown>;

const SECRET = 'S3CR3T';
const NO_LOGS: LogSource = { recent: () => [], listen: () => () => {} };

function show({ node }: RpcNode, logs = NO_LOGS): Promise<DashboardServer> {
  const options = { endpoint: { host: '127.0.0.1', port: 0 }, allowHosts: [] };
  return startDashboard(node, options, { clock: systemClock, log: nullLogger, logs });
}

/** With coins to spend. */
async function withCoins(rpc: RpcNode): Promise<ChainBuilder> {
  const builder = createChainBuilder(regtest());
  builder.mineMany(110);
  for (const { raw } of builder.blocks) await rpc.node.submitBlock(raw);
  return builder;
}

async function lookUp({ address }: DashboardServer, path: string): Promise<Json & { readonly status: number }> {
  const { status, text } = await httpRequest(address, { method: 'GET', path: `/api/${path}` });
  return { status, ...(JSON.parse(text) as Json) };
}

test('the state agrees with the RPC', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode({ indexes: { txIndex: true } });
  const builder = await withCoins(rpc);
  const fees = [1_500n, 30_000n, 250_000n];
  const inBlock = buildTx([builder.coin(1)], [pay(50_0000_0000n - 70_000n)]);
  builder.mine({ transactions: [inBlock] });
  await rpc.node.submitBlock(builder.tip.block.raw);
  // Before the dashboard is there, and after.
  const txs = fees.map((fee, at) => buildTx([builder.coin(at + 2)], [pay(50_0000_0000n - fee)]));
  const [early, ...later] = txs.map(({ raw }) => raw);
  await rpc.node.submitTransaction(early ?? assert.fail());
  await using server = await show(rpc);
  for (const raw of later) await rpc.node.submitTransaction(raw);
  using page = await openPage(server.address);
  const { overview, mempool, blocks } = await page.when(({ blocks: [tip] }) => tip?.feesSats !== null);

  const chain = (await rpc.call('getblockchaininfo')) as Json;
  const { tip } = overview;
  assert.deepEqual(
    [overview.chain, tip.height, tip.hash, tip.timeSeconds, tip.medianTimeSeconds, tip.chainWork, tip.difficulty],
    ['chain', 'blocks', 'bestblockhash', 'time', 'mediantime', 'chainwork', 'difficulty'].map((key) => chain[key]),
  );
  assert.equal(overview.sync.headerHeight, chain['headers']);
  assert.equal(overview.isInitialDownload, chain['initialblockdownload']);
  assert.deepEqual(overview.indexes, ['txindex']);
  const network = (await rpc.call('getnetworkinfo')) as Json;
  // The RPC begins with the version of Core whose calls it has.
  assert.equal(`/Satoshi:27.0.0${overview.userAgent}`, network['subversion']);
  assert.equal(overview.networkHashesPerSecond, await rpc.call('getnetworkhashps'));

  const pool = (await rpc.call('getmempoolinfo')) as Json;
  assert.deepEqual(
    [mempool.txCount, mempool.vsizeBytes, mempool.usageBytes, mempool.maxBytes, mempool.totalFeeSats / 1e8],
    ['size', 'bytes', 'usage', 'maxmempool', 'total_fee'].map((key) => pool[key]),
  );
  assert.equal(mempool.minFeerateSatPerVb, Number(pool['mempoolminfee']) * 1e5);
  const entries = Object.values(
    (await rpc.call('getrawmempool', true)) as Record<string, { fees: { base: number }; vsize: number }>,
  );
  const rates = entries.map(({ fees: { base }, vsize }) => (base * 1e8) / vsize);
  const counts = BUCKET_BOUNDS.map(
    (from, at) =>
      rates.filter((rate) => rate >= from && !(rate >= (BUCKET_BOUNDS[at + 1] ?? Number.POSITIVE_INFINITY))).length,
  );
  assert.deepEqual(
    mempool.histogram.map(({ txCount }) => txCount),
    counts,
  );
  const template = (await rpc.call('getblocktemplate', { rules: ['segwit'] })) as {
    transactions: readonly { fee: number }[];
  };
  const [next, ...others] = mempool.projectedBlocks;
  assert.deepEqual(others, []);
  assert.deepEqual([next?.txCount, next?.isEstimate], [template.transactions.length, false]);
  assert.equal(
    next?.feesSats,
    template.transactions.reduce((sum, { fee }) => sum + fee, 0),
  );
  assert.equal(next?.maxFeerateSatPerVb, Math.round(Math.max(...rates) * 1_000) / 1_000);
  assert.equal(mempool.latest[0]?.txid, txs.at(-1)?.txid);

  const [newest] = blocks;
  const stats = (await rpc.call('getblockstats', newest?.hash ?? '')) as Json;
  const block = (await rpc.call('getblock', newest?.hash ?? '', 1)) as Json;
  assert.deepEqual(
    [newest?.height, newest?.timeSeconds, newest?.txCount, newest?.feesSats, newest?.feeratePercentiles],
    ['height', 'time', 'txs', 'totalfee', 'feerate_percentiles'].map((key) => stats[key]),
  );
  assert.deepEqual([newest?.sizeBytes, newest?.weight], [block['size'], block['weight']]);
  assert.equal(newest?.feesSats, 70_000);
  assert.equal(newest?.origin, 'own');
});

test('what is looked up agrees with the RPC', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode({ indexes: { txIndex: true } });
  const builder = await withCoins(rpc);
  const parent = buildTx([builder.coin(1)], [pay(50_0000_0000n - 70_000n)]);
  builder.mine({ transactions: [parent] });
  const { hash, height, block } = builder.tip;
  await rpc.node.submitBlock(block.raw);
  await using server = await show(rpc);

  for (const name of [hash, String(height)]) {
    const { status, block: shown, ...answer } = await lookUp(server, `block/${name}`);
    const { tx: txids, ...expected } = (await rpc.call('getblock', hash, 1)) as Json;
    assert.deepEqual([status, shown], [200, expected]);
    const rows = answer['transactions'] as readonly Json[];
    assert.deepEqual(
      rows.map(({ txid }) => txid),
      txids,
    );
    assert.deepEqual(
      rows.map(({ feeSats, isCoinbase }) => [feeSats, isCoinbase]),
      [
        [null, true],
        [70_000, false],
      ],
    );
    assert.deepEqual([answer['feesSats'], answer['subsidySats'], answer['pageCount']], [70_000, 50_0000_0000, 1]);
  }
  assert.deepEqual((await lookUp(server, `block/${hash}?page=1`))['transactions'], []);
  assert.equal((await lookUp(server, `block/${hash}?page=-1`)).status, 400);
  for (const name of ['999', 'f'.repeat(64), 'zz']) assert.equal((await lookUp(server, `block/${name}`)).status, 404);

  const { tx, feeSats, block: place } = await lookUp(server, `tx/${parent.txid}`);
  const {
    hex: _,
    blockhash,
    confirmations,
    time,
    blocktime,
    fee,
    ...raw
  } = (await rpc.call('getrawtransaction', parent.txid, 2)) as Json;
  assert.deepEqual(tx, raw);
  assert.deepEqual([feeSats, place], [70_000, { hash: blockhash, height, timeSeconds: blocktime, confirmations }]);
  assert.deepEqual([Number(fee) * 1e8, time], [70_000, blocktime]);

  const child = buildTx([outputOf(parent)], [pay(49_9990_0000n)]);
  const grandchild = buildTx([outputOf(child)], [pay(49_9980_0000n)]);
  for (const each of [child, grandchild]) await rpc.node.submitTransaction(each.raw);
  const pooled = await lookUp(server, `tx/${child.txid}`);
  const entry = (await rpc.call('getmempoolentry', child.txid)) as Json;
  const { ancestorCount, descendantCount, isReplaceable, depends, spentBy } = pooled['mempool'] as Json;
  assert.deepEqual(
    [ancestorCount, descendantCount, isReplaceable, depends, spentBy],
    ['ancestorcount', 'descendantcount', 'bip125-replaceable', 'depends', 'spentby'].map((key) => entry[key]),
  );
  const prevouts = async (txid: string): Promise<readonly unknown[]> => {
    const { vin } = (await lookUp(server, `tx/${txid}`))['tx'] as { readonly vin: readonly { prevout?: Json }[] };
    return vin.map(({ prevout }) => prevout?.['height']);
  };
  assert.deepEqual(await prevouts(child.txid), [height]);
  assert.deepEqual(await prevouts(grandchild.txid), [0x7fff_ffff], 'of the mempool');
  assert.equal((await lookUp(server, `tx/${child.txid}?block=${hash}`)).status, 404);
  assert.equal((await lookUp(server, `tx/${'0'.repeat(64)}`)).status, 404);
  assert.equal((await lookUp(server, 'tx/zz')).status, 400);
});

test('a text is a height, a block, a transaction, or none of them and why', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode();
  const builder = await withCoins(rpc);
  await using server = await show(rpc);
  const search = async (text: string): Promise<Json> => {
    const { status, ...answer } = await lookUp(server, `search?q=${encodeURIComponent(text)}`);
    assert.equal(status, 200);
    return answer;
  };
  const { hash, height } = builder.at(7);
  assert.deepEqual(await search(' 7 '), { kind: 'block', hash, height });
  assert.deepEqual(await search(hash.toUpperCase()), { kind: 'block', hash, height });
  const coinbaseAt = (at: number): string => builder.at(at).block.transactions[0]?.txid ?? assert.fail();
  assert.deepEqual(await search(coinbaseAt(110)), { kind: 'tx', txid: coinbaseAt(110) });
  const why = async (text: string): Promise<string> => {
    const { kind, reason } = await search(text);
    assert.equal(kind, 'nothing');
    return String(reason);
  };
  assert.match(await why('5000'), /reaches block 110/);
  assert.match(await why(coinbaseAt(7)), /--txindex/, 'too long ago to be looked for without an index');
  const inBlock = await lookUp(server, `tx/${coinbaseAt(7)}?block=${hash}`);
  assert.deepEqual([inBlock.status, (inBlock['block'] as Json)['height']], [200, 7]);
  assert.match(await why('bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080'), /Addresses are not indexed/);
  assert.match(await why('<script>'), /No block, transaction or connected peer/);
  assert.equal((await lookUp(server, `search?q=${'x'.repeat(201)}`)).status, 400);
  assert.equal((await lookUp(server, 'search?q=')).status, 400);
});

test('a block is there as it comes, with who told of it; peers come and go', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode({ listen: ['/ip4/127.0.0.1/tcp/0'] });
  const builder = await withCoins(rpc);
  await using server = await show(rpc);
  using page = await openPage(server.address);
  assert.deepEqual([page.state().peers, page.state().overview.tip.hash], [[], builder.tip.hash]);
  await using nodes = await createTestNodes(regtest());
  const other = await nodes.start('other', { connect: await addressesOf(rpc.node) });
  const id = (await other.status()).net.peerId;
  await gossipFlows(other, [rpc.node], builder);

  // The counts come with the next look at the whole.
  const { peers, overview } = await page.when(
    ({ peers: [first], overview }) =>
      first?.meshTopics.length === 2 && first.height === builder.tip.height && overview.peers.inbound > 0,
  );
  const [info] = (await rpc.call('getpeerinfo')) as readonly Json[];
  const [peer] = peers;
  assert.deepEqual(
    [peer?.id, peer?.address, peer?.agent, peer?.meshTopics, peer?.isRelayed, peer?.phase],
    ['peerid', 'multiaddr', 'subver', 'mesh', 'relayed', 'phase'].map((key) => info?.[key]),
  );
  assert.deepEqual([peer?.id, peer?.direction, peer?.kind], [id, 'inbound', 'inbound']);
  assert.deepEqual([overview.peers.inbound, overview.peers.outbound], [1, 0]);
  const details = await lookUp(server, `peer/${id}`);
  assert.deepEqual(details['protocols'], info?.['protocols']);
  assert.equal((details['claims'] as Json)['startHeight'], info?.['startingheight']);
  assert.deepEqual((await lookUp(server, `search?q=${id}`))['kind'], 'peer');

  const mined = builder.mine();
  await other.submitBlock(mined.raw);
  const { blocks, overview: later } = await page.when(({ blocks: [tip] }) => tip?.hash === mined.hash);
  assert.ok((later.tip.connectedAtMs ?? 0) >= 0);
  const [newest] = blocks;
  assert.deepEqual([newest?.announcements, newest?.origin], [[{ peerId: id, delayMs: 0 }], 'rebuilt']);
  assert.ok((newest?.connectedAtMs ?? 0) >= (newest?.firstHeardAtMs ?? Number.NaN));
  const tx = buildTx([builder.coin(1)], [pay(49_9990_0000n)]);
  await other.submitTransaction(tx.raw);
  const { mempool } = await page.when(({ mempool: { latest } }) => latest[0]?.txid === tx.txid);
  assert.deepEqual([mempool.txCount, mempool.enteredCount], [1, 1]);
  const { bandwidth } = await page.when(({ bandwidth: { samples } }) =>
    samples.some(({ inBytesPerSecond }) => inBytesPerSecond.some((rate) => rate > 0)),
  );
  assert.ok(bandwidth.protocols.some((protocol) => protocol.includes('meshsub')));

  const left = rpc.node.chain.tip().hash;
  await rpc.node.chain.invalidateBlock(mined.hash);
  const reorganised = await page.when(
    ({
      blocks: [tip],
      overview: {
        tip: { hash },
      },
    }) => tip?.hash !== left && hash !== left,
  );
  assert.equal(reorganised.blocks[0]?.height, builder.tip.height - 1);
  await other[Symbol.asyncDispose]();
  await page.when(({ peers: all }) => all.length === 0);
  assert.equal((await lookUp(server, `peer/${id}`)).status, 404);
});

test('log lines so far, then each as it is written', { timeout: 120_000 }, async () => {
  await using rpc = await startRpcNode();
  const logging = createLogging({ level: 'info', format: 'json', print: () => {} });
  logging.log.child('net').info('before', { id: 'a', rpcpassword: SECRET });
  await using server = await show(rpc, logging.lines);
  using page = await openPage(server.address);
  const shown = page.state().logs.map(({ number, level, module, text }) => [number, level, module, text]);
  assert.deepEqual(shown, [[0, 'info', 'net', 'before id=a rpcpassword=[redacted]']]);
  logging.log.warn('after\nforged', { agent: 'x'.repeat(5_000) });
  const { logs } = await page.when((state) => state.logs.length === 2);
  assert.match(logs[1]?.text ?? '', /^after\\u000aforged agent=x+…$/);
  assert.deepEqual([logs[1]?.module, logs[1]?.text.length], [null, 525]);
});

test(
  'where it is shown: behind the RPC port, on a free one where that is taken, where it is said, or nowhere',
  { timeout: 120_000 },
  async () => {
    await using rpc = await startRpcNode();
    const warnings: string[] = [];
    const log = { ...nullLogger, warn: (message: string) => void warnings.push(message) };
    const start = (dashboard: string | undefined, rpcAddress: string | undefined = rpc.address) =>
      startNodeDashboard(rpc.node, { dashboard, dashboardAllowHost: [] }, rpcAddress, { log, logs: NO_LOGS });
    const portOf = (address: string): number => Number(address.split(':').at(-1));
    await using first = await start(undefined);
    assert.ok(first !== undefined);
    if (portOf(first.address) !== portOf(rpc.address) + 1) assert.equal(warnings.length, 1, 'somebody else had it');
    await using second = await start(undefined, `127.0.0.1:${portOf(first.address) - 1}`);
    assert.notEqual(second?.address, first.address);
    assert.match(warnings.at(-1) ?? '', /is taken by another program/);
    await assert.rejects(start(first.address), { code: 'NETWORK', message: /--dashboard cannot listen on/ });
    await assert.rejects(start('nonsense'), { code: 'BAD_CONFIG', message: /Invalid --dashboard address/ });
    await using named = await start('127.0.0.1:0');
    assert.match(named?.url ?? '', /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.equal(await start('off'), undefined);
    assert.equal(
      await startNodeDashboard(rpc.node, { dashboard: undefined, dashboardAllowHost: [] }, undefined, {
        log,
        logs: NO_LOGS,
      }),
      undefined,
    );
  },
);
