/** Two thousand calls of a node at once: answered, or refused as Core does when its work queue is full; none is lost. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { test } from 'node:test';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { type HttpAnswer, httpRequest } from '../support/rpc-client.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';

const CALLS = 2_000;
const [THREADS, WAITING] = [16, 64];
const NUMBERS = Array.from({ length: CALLS }, (_, at) => at);

const ask = ({ address, login }: RpcNode, body: unknown, agent?: Agent): Promise<HttpAnswer> =>
  httpRequest(address, { login, body: JSON.stringify(body), ...(agent && { agent }) });

/** Its answer differs from that of any other. */
const echo = (at: number): unknown => ({ method: 'echo', params: [at], id: at });
const echoed = (at: number): unknown => ({ result: [at], error: null, id: at });

async function isWell(rpc: RpcNode): Promise<void> {
  const { height } = rpc.node.chain.tip();
  assert.equal(await rpc.call('getblockcount'), height);
  const { active_commands: active } = (await rpc.call('getrpcinfo')) as {
    readonly active_commands: readonly unknown[];
  };
  assert.equal(active.length, 1, 'only this call is at work');
}

test('calls that wait fill the threads and the queue; exactly the others are refused, and those answered in the end', async () => {
  await using rpc = await startRpcNode({}, { threads: THREADS, workQueue: WAITING });
  const builder = createChainBuilder(regtest());
  const wait = { method: 'waitforblockheight', params: [1], id: 1 };
  const answers = NUMBERS.map(() => ask(rpc, wait));
  const refused: HttpAnswer[] = [];
  await new Promise<void>((resolve) => {
    for (const answer of answers) {
      void answer.then((each) => {
        if (each.status !== 503) return;
        refused.push(each);
        if (refused.length === CALLS - THREADS - WAITING) resolve();
      });
    }
  });
  assert.deepEqual(new Set(refused.map(({ text }) => text)), new Set(['Work queue depth exceeded']));
  assert.equal((await ask(rpc, echo(1))).status, 503, 'there is room for nobody');
  const block = builder.mine();
  assert.deepEqual(await rpc.node.submitBlock(block.raw), { kind: 'accepted' });
  const answered = (await Promise.all(answers)).filter(({ status }) => status !== 503);
  assert.equal(answered.length, THREADS + WAITING);
  for (const { status, text } of answered) {
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), { result: { hash: block.hash, height: 1 }, error: null, id: 1 });
  }
  await isWell(rpc);
});

test('quick calls over kept connections are all answered, each by its own answer', async () => {
  await using rpc = await startRpcNode({}, { threads: THREADS, workQueue: WAITING });
  // No more at once than work and wait.
  const agent = new Agent({ keepAlive: true, maxSockets: THREADS + WAITING });
  const answers = await Promise.all(NUMBERS.map((at) => ask(rpc, echo(at), agent)));
  agent.destroy();
  for (const [at, { status, text }] of answers.entries()) {
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), echoed(at));
  }
  await isWell(rpc);
});

test('quick calls over connections of their own are answered or refused', async () => {
  await using rpc = await startRpcNode({}, { threads: THREADS, workQueue: WAITING });
  const answers = await Promise.all(NUMBERS.map((at) => ask(rpc, echo(at))));
  const counts = { answered: 0, refused: 0 };
  for (const [at, { status, text }] of answers.entries()) {
    if (status === 503) {
      assert.equal(text, 'Work queue depth exceeded');
      counts.refused++;
      continue;
    }
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), echoed(at));
    counts.answered++;
  }
  assert.equal(counts.answered + counts.refused, CALLS);
  assert.ok(counts.answered >= THREADS + WAITING);
  await isWell(rpc);
});

test('a batch of them is one call, answered in order; twenty batches at once are, too', async () => {
  await using rpc = await startRpcNode({}, { threads: THREADS, workQueue: WAITING });
  const { status, text } = await ask(rpc, NUMBERS.map(echo));
  assert.equal(status, 200);
  assert.deepEqual(JSON.parse(text), NUMBERS.map(echoed));
  const size = CALLS / 20;
  const parts = Array.from({ length: 20 }, (_, part) => NUMBERS.slice(part * size, (part + 1) * size));
  const answers = await Promise.all(parts.map((part) => ask(rpc, part.map(echo))));
  for (const [at, answer] of answers.entries()) {
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.text), parts[at]?.map(echoed));
  }
  await isWell(rpc);
});
