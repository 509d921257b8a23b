/** Core's REST interface on a real node: every path in every form, beside what the RPC says; its bounds, what it refuses. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MANUAL_PRUNE_BYTES } from '#chain';
import { idToBytes, Writer, writeTxOutput } from '#primitives';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { feedRpcChain, type RpcChain } from '../support/rpc-chain.ts';
import { type HttpAnswer, httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { buildTx, outputOf } from '../support/tx-builder.ts';

const ZERO_HASH = '0'.repeat(64);
const FORMATS = 'output format not found (available: .bin, .hex, .json)\r\n';
const MEMPOOL_HEIGHT = 0x7fff_ffff;

let rpc: RpcNode;
let chain: RpcChain;

before(async () => {
  rpc = await startRpcNode({ indexes: { txIndex: true, blockFilterIndex: true } }, { rest: true });
  chain = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
});
after(() => rpc[Symbol.asyncDispose]());

function get(path: string, { address } = rpc): Promise<HttpAnswer> {
  return httpRequest(address, { method: 'GET', path: `/rest/${path}` });
}

async function json(path: string): Promise<unknown> {
  const { status, headers, text } = await get(`${path}`);
  assert.deepEqual([status, headers['content-type']], [200, 'application/json'], text);
  assert.ok(text.endsWith('\n'));
  return JSON.parse(text);
}

/** Checks that hex and bytes say the same, and gives the bytes. `query` goes behind the form. */
async function bytes(path: string, query = ''): Promise<Uint8Array> {
  const [bin, hex] = [await get(`${path}.bin${query}`), await get(`${path}.hex${query}`)];
  assert.deepEqual([bin.status, bin.headers['content-type']], [200, 'application/octet-stream']);
  assert.deepEqual([hex.status, hex.headers['content-type']], [200, 'text/plain']);
  assert.equal(hex.text, `${Buffer.from(bin.bytes).toString('hex')}\n`);
  return bin.bytes;
}

/** Each path, and how it is refused. */
async function refused(cases: readonly (readonly [path: string, status: number, message: string])[]): Promise<void> {
  for (const [path, status, message] of cases) {
    const answer = await get(path);
    assert.deepEqual([answer.status, answer.text], [status, `${message}\r\n`], path);
    assert.equal(answer.headers['content-type'], 'text/plain', path);
  }
}

test('nothing is served without the option', async () => {
  await using plain = await startRpcNode();
  assert.equal((await get('chaininfo.json', plain)).status, 404);
});

test('transactions of the mempool and of blocks', async () => {
  const { busyBlock, confirmed, unconfirmed } = chain;
  assert.deepEqual(await bytes(`tx/${unconfirmed.txid}`), Buffer.from(unconfirmed.raw));
  assert.deepEqual(await bytes(`tx/${confirmed.txid}`), Buffer.from(confirmed.raw));
  const waiting = (await json(`tx/${unconfirmed.txid}.json`)) as Record<string, unknown>;
  assert.deepEqual(waiting, await rpc.call('getrawtransaction', unconfirmed.txid, 1));
  const mined = (await json(`tx/${confirmed.txid}.json`)) as Record<string, unknown>;
  assert.equal(mined['blockhash'], busyBlock.hash);
  assert.deepEqual(Object.keys(mined).slice(-2), ['blockhash', 'hex'], 'in the order of TxToUniv');
  await refused([
    [`tx/${ZERO_HASH}.json`, 404, `${ZERO_HASH} not found`],
    ['tx/abc.hex', 400, 'Invalid hash: abc'],
    [`tx/${unconfirmed.txid}.xml`, 400, `Invalid hash: ${unconfirmed.txid}.xml`],
  ]);
  assert.equal((await get(`tx/${unconfirmed.txid}`)).text, FORMATS);
});

test('blocks, with and without their transactions', async () => {
  const { hash, raw } = chain.busyBlock;
  assert.deepEqual(await bytes(`block/${hash}`), Buffer.from(raw));
  assert.deepEqual(await bytes(`block/notxdetails/${hash}`), Buffer.from(raw));
  assert.deepEqual(await json(`block/${hash}.json`), await rpc.call('getblock', hash, 3));
  assert.deepEqual(await json(`block/${hash.toUpperCase()}.json`), await rpc.call('getblock', hash, 3));
  assert.deepEqual(await json(`block/notxdetails/${hash}.json`), await rpc.call('getblock', hash, 1));
  await refused([
    [`block/${ZERO_HASH}.bin`, 404, `${ZERO_HASH} not found`],
    ['block/notxdetails/x.json', 400, 'Invalid hash: x'],
    [`block/${hash}`, 404, FORMATS.trimEnd()],
  ]);
});

test('a block whose file was removed is said to be pruned', async () => {
  await using pruned = await startRpcNode({ pruneBytes: MANUAL_PRUNE_BYTES, hasSmallFiles: true }, { rest: true });
  const builder = createChainBuilder(regtest());
  builder.mineMany(700);
  for (const { raw } of builder.blocks) await pruned.node.submitBlock(raw);
  assert.ok(Number(await pruned.call('pruneblockchain', 400)) > 1);
  const { hash } = builder.at(1);
  const answer = await get(`block/${hash}.bin`, pruned);
  assert.deepEqual([answer.status, answer.text], [404, `${hash} not available (pruned data)\r\n`]);
});

test('hashes by height', async () => {
  const { hash } = chain.busyBlock;
  const bin = await get('blockhashbyheight/131.bin');
  assert.deepEqual(bin.bytes, Buffer.from(idToBytes(hash)));
  assert.equal((await get('blockhashbyheight/131.hex')).text, `${hash}\n`, 'as people see it');
  assert.deepEqual(await json('blockhashbyheight/+131.json'), { blockhash: hash });
  await refused([
    ['blockhashbyheight/141.json', 404, 'Block height out of range'],
    ['blockhashbyheight/-1.json', 400, 'Invalid height: -1'],
    ['blockhashbyheight/2147483648.json', 400, 'Invalid height: 2147483648'],
    ['blockhashbyheight/1%3Cb%3E.json', 400, 'Invalid height: 13Cb3E'],
    ['blockhashbyheight/1', 404, FORMATS.trimEnd()],
  ]);
});

test('headers from a block on, as many as asked for', async () => {
  const { builder, busyBlock } = chain;
  const from = (height: number, count: number): Buffer =>
    Buffer.concat(Array.from({ length: count }, (_, at) => builder.at(height + at).block.header.raw));
  const { hash } = busyBlock;
  assert.deepEqual(await bytes(`headers/${hash}`), from(131, 5));
  assert.deepEqual(await bytes(`headers/${hash}`, '?count=2'), from(131, 2));
  assert.deepEqual(await bytes(`headers/2000/${hash}`), from(131, 10));
  assert.deepEqual(await json(`headers/1/${hash}.json`), [await rpc.call('getblockheader', hash)]);
  assert.deepEqual(await json(`headers/${ZERO_HASH}.json`), []);
  const range = 'Header count is invalid or out of acceptable range (1-2000):';
  await refused([
    [`headers/2001/${hash}.json`, 400, `${range} 2001`],
    [`headers/${hash}.json?count=0`, 400, `${range} 0`],
    [`headers/-1/${hash}.json`, 400, `${range} -1`],
    ['headers/1/x.json', 400, 'Invalid hash: x'],
    ['headers/1/2/3.json', 400, 'Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>'],
    [`headers/${hash}.xml?count=1`, 400, `Invalid hash: ${hash}.xml`],
  ]);
});

test('block filters and their headers', async () => {
  const { hash } = chain.busyBlock;
  const { filter, header } = (await rpc.call('getblockfilter', hash)) as { filter: string; header: string };
  const encoded = new Writer().u8(0).bytes(idToBytes(chain.busyBlock.hash)).varBytes(Buffer.from(filter, 'hex'));
  assert.deepEqual(await bytes(`blockfilter/basic/${hash}`), Buffer.from(encoded.finish()));
  assert.deepEqual(await json(`blockfilter/basic/${hash}.json`), { filter });
  const headers = (await json(`blockfilterheaders/basic/${hash}.json?count=3`)) as readonly string[];
  assert.deepEqual([headers.length, headers[0]], [3, header]);
  assert.deepEqual(await json(`blockfilterheaders/basic/3/${hash}.json`), headers);
  assert.equal((await bytes(`blockfilterheaders/basic/${hash}`)).length, 5 * 32);
  await refused([
    [`blockfilter/basic/${ZERO_HASH}.json`, 404, `${ZERO_HASH} not found`],
    [`blockfilter/other/${hash}.json`, 400, 'Unknown filtertype other'],
    ['blockfilter/basic.json', 400, 'Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>'],
    [
      'blockfilterheaders/basic.json',
      400,
      'Invalid URI format. Expected /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>',
    ],
  ]);
  await using plain = await startRpcNode({}, { rest: true });
  const answer = await get(`blockfilter/basic/${hash}.bin`, plain);
  assert.deepEqual([answer.status, answer.text], [400, 'Index is not enabled for filtertype basic\r\n']);
});

test('a block that never was connected has no filter', async () => {
  await using other = await startRpcNode({ indexes: { blockFilterIndex: true } }, { rest: true });
  const builder = createChainBuilder(regtest());
  builder.mineMany(2);
  const side = builder.fork(1);
  side.mine();
  for (const { raw } of [...builder.blocks, side.tip.block]) await other.node.submitBlock(raw);
  const answer = await get(`blockfilter/basic/${side.tip.hash}.json`, other);
  assert.equal(answer.text, 'Filter not found. Block was not connected to active chain.\r\n');
  assert.equal(answer.status, 404);
});

test('what methods of the RPC answer', async () => {
  const { hash } = chain.busyBlock;
  assert.deepEqual(await json('chaininfo.json'), await rpc.call('getblockchaininfo'));
  assert.deepEqual(await json('deploymentinfo.json'), await rpc.call('getdeploymentinfo'));
  assert.deepEqual(await json(`deploymentinfo/${hash}.json`), await rpc.call('getdeploymentinfo', hash));
  assert.deepEqual(await json('mempool/info.json'), await rpc.call('getmempoolinfo'));
  assert.deepEqual(await json('mempool/contents.json'), await rpc.call('getrawmempool', true));
  assert.deepEqual(await json('mempool/contents.json?verbose=false'), await rpc.call('getrawmempool'));
  assert.deepEqual(
    await json('mempool/contents.json?verbose=false&mempool_sequence=true'),
    await rpc.call('getrawmempool', false, true),
  );
  const onlyJson = 'output format not found (available: json)';
  const truth = 'must be either "true" or "false".';
  await refused([
    ['chaininfo.bin', 404, onlyJson],
    ['deploymentinfo.hex', 404, onlyJson],
    ['mempool/info', 404, onlyJson],
    [`deploymentinfo/${ZERO_HASH}.json`, 400, 'Block not found'],
    ['deploymentinfo/x.json', 400, 'Invalid hash: x'],
    ['mempool/x.json', 400, 'Invalid URI format. Expected /rest/mempool/<info|contents>.json'],
    ['mempool/contents.json?verbose=1', 400, `The "verbose" query parameter ${truth}`],
    ['mempool/contents.json?mempool_sequence=1', 400, `The "mempool_sequence" query parameter ${truth}`],
    [
      'mempool/contents.json?mempool_sequence=true',
      400,
      'Verbose results cannot contain mempool sequence values. (hint: set "verbose=false")',
    ],
  ]);
});

type Utxos = { chainHeight: number; chaintipHash: string; bitmap: string; utxos: readonly Record<string, unknown>[] };

test('unspent outputs, of the chain alone and with the mempool', async () => {
  const { builder, confirmed, unconfirmed } = chain;
  const [spent] = unconfirmed.inputs;
  assert.ok(spent);
  const spentId = Buffer.from(spent.prevTxid).reverse().toString('hex');
  const wanted = `${confirmed.txid}-0/${spentId}-${spent.prevIndex}/${unconfirmed.txid}-0/${confirmed.txid}-9`;
  const alone = (await json(`getutxos/${wanted}.json`)) as Utxos;
  assert.deepEqual([alone.chainHeight, alone.chaintipHash, alone.bitmap], [140, builder.tip.hash, '1100']);
  const coin = (await rpc.call('gettxout', confirmed.txid, 0)) as Record<string, unknown>;
  assert.deepEqual(alone.utxos[0], { height: 131, value: coin['value'], scriptPubKey: coin['scriptPubKey'] });
  const both = (await json(`getutxos/checkmempool/${wanted}.json`)) as Utxos;
  assert.equal(both.bitmap, '1010');
  assert.deepEqual(
    both.utxos.map(({ height }) => height),
    [131, MEMPOOL_HEIGHT],
  );
  const [first, second] = [confirmed.outputs[0], unconfirmed.outputs[0]];
  assert.ok(first && second);
  const expected = new Writer()
    .i32(140)
    .bytes(idToBytes(builder.tip.hash))
    .varBytes(Uint8Array.of(0b101))
    .compactSize(2);
  writeTxOutput(expected.u32(0).u32(131), first);
  writeTxOutput(expected.u32(0).u32(MEMPOOL_HEIGHT), second);
  assert.deepEqual(await bytes(`getutxos/checkmempool/${wanted}`), Buffer.from(expected.finish()));
});

test('outpoints in the body are those in the path', async () => {
  const { confirmed } = chain;
  const body = new Writer().u8(1).compactSize(2);
  for (const index of [0, 7]) body.bytes(idToBytes(confirmed.txid)).u32(index);
  const message = body.finish();
  const inPath = await bytes(`getutxos/checkmempool/${confirmed.txid}-0/${confirmed.txid}-7`);
  const post = (form: string, sent: string | Uint8Array): Promise<HttpAnswer> =>
    httpRequest(rpc.address, { path: `/rest/getutxos${form}`, body: sent });
  assert.deepEqual((await post('.bin', message)).bytes, inPath);
  assert.equal(
    (await post('.hex', Buffer.from(message).toString('hex'))).text,
    `${Buffer.from(inPath).toString('hex')}\n`,
  );
  const tooMany = new Writer()
    .u8(0)
    .compactSize(16)
    .bytes(new Uint8Array(16 * 36))
    .finish();
  const cases: readonly (readonly [form: string, sent: string | Uint8Array, message: string])[] = [
    ['.bin', message.slice(0, -1), 'Parse error'],
    ['.bin', Uint8Array.of(0, 0xfe, 0xff, 0xff, 0xff, 0xff), 'Parse error'],
    ['.bin', '', 'Error: empty request'],
    ['.json', message, 'Error: empty request'],
    ['.bin', tooMany, 'Error: max outpoints exceeded (max: 15, tried: 16)'],
    [`/${confirmed.txid}-0.bin`, message, 'Combination of URI scheme inputs and raw post data is not allowed'],
  ];
  for (const [form, sent, text] of cases) {
    const answer = await post(form, sent);
    assert.deepEqual([answer.status, answer.text], [400, `${text}\r\n`]);
  }
  const notHex = await post('.hex', 'xyz');
  assert.deepEqual([notHex.status, notHex.text.length], [200, 2 * (4 + 32 + 1 + 1) + 1], 'as if nothing was asked for');
  assert.equal((await post('', message)).status, 404);
});

test('outpoints in the path are checked and counted', async () => {
  const { txid } = chain.confirmed;
  const many = (count: number): string => Array.from({ length: count }, () => `${txid}-0`).join('/');
  assert.equal(((await json(`getutxos/${many(15)}.json`)) as Utxos).bitmap, '1'.repeat(15));
  assert.equal(((await json('getutxos/checkmempool/ab-0.json')) as Utxos).bitmap, '0', 'short ids are numbers');
  assert.equal(((await json(`getutxos/${txid}--1.json`)) as Utxos).bitmap, '0');
  await refused([
    [`getutxos/${many(16)}.json`, 400, 'Error: max outpoints exceeded (max: 15, tried: 16)'],
    [`getutxos/${txid}-x.json`, 400, 'Parse error'],
    [`getutxos/${txid}-4294967296.json`, 400, 'Parse error'],
    ['getutxos/abc-0.json', 400, 'Parse error'],
    ['getutxos/checkmempool.json', 400, 'Error: empty request'],
    ['getutxos.json', 400, 'Error: empty request'],
    [`getutxos/${txid}-0`, 404, FORMATS.trimEnd()],
  ]);
});

test('a transaction that enters the mempool is read at once, and an unknown path is not there', async () => {
  const coin = outputOf(chain.unconfirmed);
  const child = buildTx([coin], [{ value: coin.output.value - 2_000n, scriptPubKey: coin.output.scriptPubKey }]);
  assert.equal((await get(`tx/${child.txid}.json`)).status, 404);
  for (const path of ['', 'nothing.json', 'block', 'TX/x.json']) {
    const { status, text } = await get(path);
    assert.deepEqual([status, text], [404, ''], path);
  }
});
