import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { createWorkerNet, RequestError } from '#net';
import { NodeError } from '#util';
import { netCompliance } from '../compliance/net.ts';
import { operatorCompliance } from '../compliance/net-operator.ts';
import { deps, inWorker, netOptions, within } from './net-support.ts';

netCompliance('worker', inWorker);
operatorCompliance('worker', inWorker);

suite('net worker', () => {
  test('a thread that dies fails everything in order, once', async () => {
    await using stack = new AsyncDisposableStack();
    const fatal: Error[] = [];
    const gone: string[] = [];
    const met = Promise.withResolvers<string>();
    const handlers = {
      peerConnected: ({ id }: { id: string }) => met.resolve(id),
      peerDisconnected: (id: string) => gone.push(id),
      serve: async function* () {
        await new Promise(() => {});
        yield* [];
      },
      gossip: async () => 'ignore' as const,
    };
    const threads: Worker[] = [];
    const onWorker = (worker: Worker): void => void threads.push(worker);
    process.on('worker', onWorker);
    stack.defer(() => void process.off('worker', onWorker));
    const other = stack.use(
      await createWorkerNet(netOptions(), { ...handlers, peerConnected: () => {}, peerDisconnected: () => {} }, deps),
    );
    const { listenAddresses } = await other.status();
    const net = stack.use(
      await createWorkerNet(
        netOptions({ bootstrap: [...listenAddresses], onFatal: (error) => fatal.push(error) }),
        handlers,
        deps,
      ),
    );
    const peer = await within(met.promise);
    const pending = net
      .request(peer, 'blocks', new Uint8Array(1), new AbortController().signal)
      [Symbol.asyncIterator]()
      .next();
    const failure = assert.rejects(pending, (error) => error instanceof RequestError && error.code === 'DISCONNECTED');
    await threads[1]?.terminate();
    await within(failure);
    assert.equal(fatal.length, 1);
    assert.ok(fatal[0] instanceof NodeError && /network thread/.test(fatal[0].message));
    assert.deepEqual(gone, [peer]);
    await assert.rejects(net.status(), NodeError);
    await assert.rejects(net.publish('tx', new Uint8Array(1)), NodeError);
    net.charge(peer, 'stalled', 'nobody is there to hear it');
  });
});
