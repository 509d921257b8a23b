/** scanblocks on a real node with its filter index: which blocks it finds, and what it refuses, in Core's words. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { toHex } from '#util';
import { testKey } from '../support/keys.ts';
import { feedRpcChain } from '../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';

type Scan = { from_height: number; to_height: number; relevant_blocks: string[]; completed: boolean };

const scanner =
  (rpc: RpcNode) =>
  async (...params: Parameters<RpcNode['call']> extends [string, ...infer Rest] ? Rest : never): Promise<Scan> =>
    (await rpc.call('scanblocks', 'start', ...params)) as Scan;

suite('scanblocks', () => {
  test('finds where scripts are paid and spent', async () => {
    await using rpc = await startRpcNode({ indexes: { blockFilterIndex: true } });
    const { builder, busyBlock, confirmed, address } = await feedRpcChain(rpc.node, Math.floor(Date.now() / 1000));
    const scan = scanner(rpc);
    const all = await scan([`addr(${address})`]);
    assert.deepEqual([all.from_height, all.to_height, all.completed], [0, builder.height, true]);
    assert.ok(all.relevant_blocks.includes(busyBlock.hash));
    // Blocks 21 to 24 pay to a key.
    const key = `pkh(${toHex(testKey(0).publicKey)})`;
    const own = [21, 22, 23, 24].map((height) => builder.at(height).hash);
    const byKey = await scan([{ desc: key }], 0, null, 'basic', { filter_false_positives: true });
    for (const hash of own) assert.ok(byKey.relevant_blocks.includes(hash));
    const part = await scan([key], 22, 23, 'basic', { filter_false_positives: true });
    assert.deepEqual(part, { from_height: 22, to_height: 23, relevant_blocks: own.slice(1, 3), completed: true });
    const [output] = confirmed.outputs;
    assert.ok(output);
    const raw = await scan([`raw(${toHex(output.scriptPubKey)})`], 131, 131);
    assert.deepEqual(raw.relevant_blocks, [busyBlock.hash]);
    assert.deepEqual((await scan(['raw(6a)'])).relevant_blocks, []);
    assert.equal(await rpc.call('scanblocks', 'status'), null);
    assert.equal(await rpc.call('scanblocks', 'abort'), false);
  });

  test('refuses with the words of Core', async () => {
    await using rpc = await startRpcNode({ indexes: { blockFilterIndex: true } });
    const refused = async (...params: Parameters<RpcNode['refuse']> extends [string, ...infer Rest] ? Rest : never) =>
      (await rpc.refuse('scanblocks', ...params)).join(' ');
    assert.equal(await refused('nonsense'), "-8 Invalid action 'nonsense'");
    assert.equal(await refused('start'), '-3 JSON value of type null is not of expected type array');
    assert.equal(await refused('start', ['raw(51)'], 1), '-1 Invalid start_height');
    assert.equal(await refused('start', ['raw(51)'], -1), '-1 Invalid start_height');
    assert.equal(await refused('start', ['raw(51)'], 0, 1), '-1 Invalid stop_height');
    assert.equal(await refused('start', ['raw(51)'], 0, 0, 'extended'), '-5 Unknown filtertype');
    assert.match(await refused('start', ['nope(x)']), /^-5 /);
    await using plain = await startRpcNode();
    assert.deepEqual(await plain.refuse('scanblocks', 'start', ['raw(51)']), [
      -1,
      'Index is not enabled for filtertype basic',
    ]);
  });

  test('is ended by who aborts it, and one runs at a time', async () => {
    await using rpc = await startRpcNode({ indexes: { blockFilterIndex: true } });
    // Ten thousand scripts are not derived in one go.
    const objects = [
      {
        desc: `combo(${'tpubD6NzVbkrYhZ4WaWSyoBvQwbpLkojyoTZPRsgXELWz3Popb3qkjcJyJUGLnL4qHHoQvao8ESaAstxYSnhyswJ76uZPStJRJCTKvosUCJZL5B'}/*)`,
        range: 10_000,
      },
    ];
    const running = rpc.call('scanblocks', 'start', objects) as Promise<Scan>;
    let status: unknown = null;
    while (status === null) status = await rpc.call('scanblocks', 'status');
    assert.deepEqual(await rpc.refuse('scanblocks', 'start', ['raw(51)']), [
      -8,
      'Scan already in progress, use action "abort" or "status"',
    ]);
    assert.equal(await rpc.call('scanblocks', 'abort'), true);
    assert.deepEqual(await running, { from_height: 0, to_height: 0, relevant_blocks: [], completed: false });
  });
});
