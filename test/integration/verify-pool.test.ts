/** The verifier with worker threads: the common suite, and what only threads can do wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { ScriptFlag } from '#script';
import { NodeError } from '#util';
import { createPoolVerifier, type ScriptJob } from '#verify';
import { scriptVerifierCompliance } from '../compliance/verifier.ts';
import { corrupted, signedTx } from '../support/signed-tx.ts';

const FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;

scriptVerifierCompliance('pool', () => createPoolVerifier({ workers: 2 }));
scriptVerifierCompliance('pool that the calling thread helps', async () => {
  const pool = await createPoolVerifier({ workers: 1 });
  return {
    verify: (jobs, options) => pool.verify(jobs, { ...options, isUrgent: true }),
    capacity: () => pool.capacity(),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
});

const good = signedTx(Array.from({ length: 300 }, () => 'p2wpkh' as const));
const job: ScriptJob = { ...good, flags: FLAGS };

function badAt(...inputs: readonly number[]): ScriptJob {
  return { ...inputs.reduce(corrupted, good), flags: FLAGS };
}

test('a transaction cut into parts fails at its first bad input, whichever part ends first', async () => {
  await using verifier = await createPoolVerifier({ workers: 2 });
  assert.equal(await verifier.verify([job]), undefined);
  const failure = await verifier.verify([job, badAt(299, 70, 150), badAt(0)]);
  assert.deepEqual([failure?.job, failure?.input], [1, 70]);
});

test('an urgent batch does not wait for workers that are busy', async () => {
  await using verifier = await createPoolVerifier({ workers: 1 });
  const order: string[] = [];
  const done = async (what: string, jobs: readonly ScriptJob[], isUrgent: boolean): Promise<void> => {
    const failure = await verifier.verify(jobs, { isUrgent });
    assert.equal(failure, undefined);
    order.push(what);
  };
  const light = Array.from({ length: 100 }, (_, seed) => ({ ...signedTx(['p2wpkh'], seed), flags: FLAGS }));
  await Promise.all([done('usual', new Array<ScriptJob>(20).fill(job), false), done('urgent', light, true)]);
  assert.deepEqual(order, ['urgent', 'usual']);
});

test('a failure on the calling thread is told with its job and input', async () => {
  await using verifier = await createPoolVerifier({ workers: 1 });
  const light = Array.from({ length: 200 }, (_, seed) => ({ ...signedTx(['p2wpkh', 'p2tr key'], seed), flags: FLAGS }));
  for (const at of [0, 31, 120, 199]) {
    const spend = light[at];
    assert.ok(spend);
    const batch = light.with(at, { ...corrupted(spend, 1), flags: FLAGS });
    const failure = await verifier.verify(batch, { isUrgent: true });
    assert.deepEqual([failure?.job, failure?.input], [at, 1]);
  }
});

test('an abort in flight rejects at once, and later batches are served', async () => {
  await using verifier = await createPoolVerifier({ workers: 1 });
  const abort = new AbortController();
  const running = verifier.verify([job, job, job, job], { signal: abort.signal });
  const waiting = verifier.verify([job]);
  assert.ok(verifier.capacity() < 1024);
  abort.abort(new Error('nobody waits'));
  await assert.rejects(running, /nobody waits/);
  assert.equal(await waiting, undefined);
  assert.equal(verifier.capacity(), 1024);
});

test('disposal rejects what is in flight and what comes after', async () => {
  const verifier = await createPoolVerifier({ workers: 1 });
  const running = assert.rejects(verifier.verify([job, job]), { code: 'ABORTED' });
  await verifier[Symbol.asyncDispose]();
  await running;
  await assert.rejects(verifier.verify([job]), { code: 'ABORTED' });
});

test('one that is there with its first thread serves, and can be disposed of, while the others load', async () => {
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => void workers.push(worker);
  process.on('worker', remember);
  try {
    await using verifier = await createPoolVerifier({ workers: 3, waitsForAll: false });
    while (workers.length < 2) await once(process, 'worker');
    const whenLoaded = new AbortController();
    workers[1]?.once('message', () => whenLoaded.abort());
    assert.equal(await verifier.verify([{ ...signedTx(['p2wpkh']), flags: FLAGS }]), undefined);
    await verifier[Symbol.asyncDispose]();
    assert.ok(whenLoaded.signal.aborted, 'it is not interrupted while it loads a native module: that ends the process');
    assert.equal(workers.length, 2);
    assert.deepEqual(new Set(workers.map(({ threadId }) => threadId)), new Set([-1]), 'none is left');
  } finally {
    process.off('worker', remember);
  }
});

const NO_LINUX = process.platform !== 'linux' && 'elsewhere a priority is the whole process’s';

test('threads that run scripts give way to all others, and no other thread does', { skip: NO_LINUX }, async () => {
  const usual = getPriority();
  const before = niceLevels();
  await using _verifier = await createPoolVerifier({ workers: 2 });
  const patient = Math.min(usual + 10, 19);
  const count = (levels: readonly number[]): number => levels.filter((level) => level === patient).length;
  assert.ok(count(niceLevels()) - count(before) >= 2);
  assert.equal(getPriority(), usual);
});

/** Of each thread of this process (proc(5): the 19th field, behind a name that may hold anything). */
function niceLevels(): readonly number[] {
  return readdirSync('/proc/self/task').map((thread) => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  });
}

test('a worker that dies takes nothing for valid, and is replaced', async () => {
  const workers: Worker[] = [];
  const remember = (worker: Worker): void => {
    workers.push(worker);
  };
  process.on('worker', remember);
  try {
    await using verifier = await createPoolVerifier({ workers: 1 });
    const running = verifier.verify([job, job]);
    const replaced = once(process, 'worker');
    const failed = assert.rejects(running, (error) => error instanceof NodeError && error.code === 'IO');
    await workers[0]?.terminate();
    await failed;
    await replaced;
    const failure = await verifier.verify([job, badAt(5)]);
    assert.deepEqual([failure?.job, failure?.input], [1, 5]);
    assert.equal(workers.length, 2);
  } finally {
    process.off('worker', remember);
  }
});
