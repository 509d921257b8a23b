/** The watch of a node by a clock that the test moves: what is asked and told when, and that nothing stays behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PeerEvent } from '#node';
import { nullLogger } from '#util';
import type { FeedEventName, LogLine } from '../../../src/dashboard/contract.ts';
import { createNodeSource } from '../../../src/dashboard/node-source.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const builder = createChainBuilder(regtest());
builder.mineMany(2);

function makeStage() {
  const clock = createManualClock(1_000_000_000_000);
  const listeners = new Set<unknown>();
  const heard = { peer: (_event: PeerEvent): void => {}, log: (_line: LogLine): void => {} };
  const hear = (listener: unknown): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const entryAt = (height: number) => {
    const { hash, block } = builder.at(height);
    return { hash, height, header: block.header, chainWork: BigInt(height), medianTimePast: 0 };
  };
  const asked = { status: 0, list: 0, isFailing: false };
  const net = {
    peerId: 'me',
    listenAddresses: [],
    reachability: 'none',
    bytesIn: 0,
    bytesOut: 0,
    knownAddresses: 0,
    isActive: true,
  };
  const node = {
    chain: {
      params: regtest(),
      tip: () => entryAt(1),
      ancestor: () => ({ ...entryAt(1), height: 0 }),
      txCount: () => 1,
      pruneTargetBytes: () => undefined,
      readBlock: async () => undefined,
      readUndo: async () => undefined,
    },
    mempool: {
      entries: () => [].values(),
      observe: () => {},
      version: () => 1,
      minFeeSatPerKvb: () => 1_000,
      syncedTip: () => entryAt(1).hash,
      stats: () => ({ count: 0, vsize: 0, usage: 0, maxBytes: 1, totalFee: 0n }),
    },
    isInitialDownload: () => false,
    indexes: { info: () => [] },
    peers: {
      list: async () => {
        asked.list++;
        return [];
      },
    },
    status: async () => {
      asked.status++;
      if (asked.isFailing) throw new Error('stopping');
      return { sync: { phase: 'at-tip', peers: 0 }, net, announcedBlocks: {} };
    },
    blockOrigin: () => undefined,
    onTip: hear,
    onSync: hear,
    onBlockNews: hear,
    onPeer: (listener: typeof heard.peer) => {
      heard.peer = listener;
      return hear(listener);
    },
  };
  const logs = {
    recent: () => [],
    listen: (listener: typeof heard.log) => {
      heard.log = listener;
      return hear(listener);
    },
  };
  const source = createNodeSource(node as unknown as Parameters<typeof createNodeSource>[0], {
    clock,
    log: nullLogger,
    logs,
  });
  const told: [FeedEventName, unknown][] = [];
  return {
    ...{ clock, source, asked, heard, listeners, told },
    begin: () => source.watch((name, data) => told.push([name, data])),
    take: (): readonly string[] => told.splice(0).map(([name]) => name),
  };
}

test('nothing is asked for nobody; then once a second, and nothing stays behind', async () => {
  const { asked, begin, clock, listeners, source, take } = makeStage();
  await clock.advance(5_000);
  assert.deepEqual([asked.status, asked.list, clock.pending(), listeners.size], [0, 0, 0, 2]);
  const watch = await begin();
  assert.equal(watch.state().overview.tip.height, 1);
  await clock.advance(4_000);
  assert.deepEqual([asked.status, asked.list], [5, 5]);
  assert.ok(take().includes('bandwidth'));
  watch[Symbol.dispose]();
  await clock.advance(10_000);
  assert.deepEqual([asked.status, clock.pending(), listeners.size, take()], [5, 0, 2, []]);
  source[Symbol.dispose]();
  assert.equal(listeners.size, 0);
});

test('whoever joins is looked at soon, also when others join all the time', async () => {
  const { asked, begin, clock, heard } = makeStage();
  using _watch = await begin();
  for (let at = 0; at < 20; at++) {
    heard.peer({ kind: 'joined' } as PeerEvent);
    await clock.advance(100);
  }
  // Two seconds, a look each 200 ms.
  assert.ok(asked.list >= 8 && asked.list <= 12, `${asked.list} looks`);
});

test('a look that fails is left out, and the next one comes', async () => {
  const { asked, begin, clock, take } = makeStage();
  using _watch = await begin();
  asked.isFailing = true;
  await clock.advance(3_000);
  assert.ok(!take().includes('bandwidth'));
  asked.isFailing = false;
  await clock.advance(1_000);
  assert.ok(take().includes('bandwidth'));
});

test('a flood of log lines is counted', async () => {
  const { begin, clock, heard, told } = makeStage();
  using _watch = await begin();
  for (let number = 0; number < 250; number++) {
    heard.log({ number, atMs: 0, level: 'debug', module: 'net', text: 'x' });
  }
  await clock.advance(200);
  const [, data] = told.find(([name]) => name === 'logs') ?? assert.fail();
  const { lines, leftOut } = data as { readonly lines: readonly LogLine[]; readonly leftOut: number };
  assert.deepEqual([lines.length, leftOut], [200, 50]);
});
