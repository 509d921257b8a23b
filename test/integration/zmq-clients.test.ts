/** What a node publishes by ZMQ, read by libzmq (python3-zmq), beside what its RPC says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Transaction } from '#primitives';
import { systemClock, toHex } from '#util';
import { startZmq, type ZmqOptions, type ZmqServer } from '#zmq';
import { type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { buildTx, pay } from '../support/tx-builder.ts';
import { pythonZmqLacks, startPython, watchSubscriptions, type ZmqMessage } from '../support/zmq-subscriber.ts';

const TOPICS = ['hashblock', 'hashtx', 'rawblock', 'rawtx', 'sequence'];
const FEE = 10_000n;

type Scene = AsyncDisposable & {
  readonly rpc: RpcNode;
  readonly zmq: ZmqServer;
  readonly builder: ChainBuilder;
  readonly subscribed: (count: number) => Promise<void>;
};

/** All topics at one address. */
function everything(address: string): ZmqOptions {
  const topic = { addresses: [address], highWaterMark: 1000 };
  return { hashblock: topic, hashtx: topic, rawblock: topic, rawtx: topic, sequence: topic };
}

async function start(address: string): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const { log, subscribed } = watchSubscriptions();
  const zmq = stack.use(await startZmq(everything(address), { clock: systemClock, log }));
  const rpc = stack.use(await startRpcNode({}, {}, { zmqNotifications: zmq.notifications }));
  const builder = createChainBuilder(regtest(), { seed: 5 });
  const now = Math.floor(Date.now() / 1000) - 3_600;
  for (let at = 0; at < 110; at++) builder.mine({ time: now + at });
  for (const block of builder.blocks) await rpc.node.submitBlock(block.raw);
  stack.use(zmq.follow(rpc.node));
  const resources = stack.move();
  return { rpc, zmq, builder, subscribed, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** A sequence message in words: `A 7 TXID`, `C HASH`. */
function inWords({ body }: ZmqMessage): string {
  const [hash, label] = [toHex(body.subarray(0, 32)), body.toString('latin1', 32, 33)];
  return body.length === 33 ? `${label} ${hash}` : `${label} ${body.readBigUInt64LE(33)} ${hash}`;
}

const skip = await pythonZmqLacks();

for (const kind of ['tcp', 'ipc'] as const) {
  test(`libzmq gets all topics over ${kind}, with what the RPC says`, { skip }, async () => {
    await using folder = await makeTempDir();
    await using scene = await start(kind === 'tcp' ? 'tcp://127.0.0.1:*' : `ipc://${folder.path}/zmq.sock`);
    const { builder, rpc, subscribed, zmq } = scene;
    const [{ address } = { address: '' }] = zmq.notifications;
    const listed = TOPICS.map((topic) => ({ type: `pub${topic}`, address, hwm: 1000 }));
    assert.deepEqual(await rpc.call('getzmqnotifications'), listed);
    await using subscriber = startPython(address, TOPICS);
    await subscribed(TOPICS.length);
    const expect = async (topic: string, sequence: number, body: string): Promise<void> => {
      const message = await subscriber.next();
      const shown = topic === 'sequence' ? inWords(message) : toHex(message.body);
      assert.deepEqual([message.topic, message.sequence, shown], [topic, sequence, body]);
    };

    const tx: Transaction = buildTx([builder.coin(1)], [pay(builder.coin(1).output.value - FEE)]);
    const before = (await rpc.call('getrawmempool', false, true)) as { readonly mempool_sequence: number };
    await rpc.call('sendrawtransaction', toHex(tx.raw));
    await expect('hashtx', 0, tx.txid);
    await expect('rawtx', 0, String(await rpc.call('getrawtransaction', tx.txid)));
    await expect('sequence', 0, `A ${before.mempool_sequence} ${tx.txid}`);
    const after = (await rpc.call('getrawmempool', false, true)) as { readonly mempool_sequence: number };
    assert.equal(after.mempool_sequence, before.mempool_sequence + 1);

    const block = builder.mine({ transactions: [tx] });
    await rpc.call('submitblock', toHex(block.raw));
    const { tx: txs } = (await rpc.call('getblock', block.hash, 2)) as { tx: { txid: string; hex: string }[] };
    for (const [index, { txid, hex }] of txs.entries()) {
      await expect('hashtx', 1 + index, txid);
      await expect('rawtx', 1 + index, hex);
    }
    await expect('sequence', 1, `C ${await rpc.call('getbestblockhash')}`);
    await expect('hashblock', 0, String(await rpc.call('getbestblockhash')));
    await expect('rawblock', 0, String(await rpc.call('getblock', block.hash, 0)));
  });
}

test('libzmq gets just the topics that it asks for, and a full block without a gap', { skip }, async () => {
  await using scene = await start('tcp://[::1]:*');
  const { builder, rpc, subscribed, zmq } = scene;
  await using subscriber = startPython(zmq.notifications[0]?.address ?? '', ['raw']);
  await subscribed(1);
  const { value } = builder.coin(1).output;
  const parts = Array.from({ length: 1500 }, () => pay(value / 1500n));
  const fan = buildTx([builder.coin(1)], parts);
  const spends = parts.map((output, index) => buildTx([{ txid: fan.txidBytes, index, output }], [pay(output.value)]));
  const block = builder.mine({ transactions: [fan, ...spends] });
  await rpc.call('submitblock', toHex(block.raw));
  for (const [sequence, tx] of block.transactions.entries()) {
    const message = await subscriber.next();
    assert.deepEqual([message.topic, message.sequence, toHex(message.body)], ['rawtx', sequence, toHex(tx.raw)]);
  }
  const { topic, body } = await subscriber.next();
  assert.deepEqual([topic, toHex(body)], ['rawblock', toHex(block.raw)]);
});
