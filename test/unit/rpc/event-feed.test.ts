/** The stream of events by a clock that the test moves: what is gathered, what is left out, who is dropped. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HeaderEntry } from '#chain';
import type { PeerEvent } from '#node';
import type { BlockHash, Transaction } from '#primitives';
import { EventFeed } from '../../../src/rpc/events/event-feed.ts';
import type { EventReader } from '../../../src/rpc/events/event-readers.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

type Told = {
  tip: (tip: HeaderEntry) => void;
  tx: (tx: Transaction) => void;
  peer: (event: PeerEvent) => void;
  news: (hash: BlockHash, peer: string) => void;
};

type Stage = Disposable & {
  readonly feed: EventFeed;
  readonly clock: ManualClock;
  readonly told: Told;
  /** Listeners that the node has. */
  readonly listeners: () => number;
};

type Reader = EventReader & {
  waiting: number;
  isDropped: boolean;
  readonly events: [string, Record<string, unknown>][];
};

const builder = createChainBuilder(regtest());
builder.mineMany(3);
const PEER = { id: 'peer', address: '/ip4/10.0.0.1/tcp/1', direction: 'inbound', kind: 'full-relay', agent: 'x' };

function entryAt(height: number): HeaderEntry {
  const { block, hash } = builder.at(height);
  return { hash, height, header: block.header, chainWork: 2n, medianTimePast: 0 };
}

function makeStage(): Stage {
  const clock = createManualClock(1_000_000);
  const told = {} as Told;
  let listeners = 0;
  const hear = <Name extends keyof Told>(name: Name, listener: Told[Name]): (() => void) => {
    told[name] = listener;
    listeners++;
    return () => {
      listeners--;
    };
  };
  const node = {
    chain: { params: regtest(), tip: () => entryAt(1), txCount: () => 1 },
    mempool: { stats: () => ({ count: 7, vsize: 700 }), get: () => ({ vsize: 100, fee: 250n }) },
    peers: { list: async () => [PEER] },
    status: async () => ({ sync: { phase: 'at-tip', height: 1 } }),
    onTip: (listener: Told['tip']) => hear('tip', listener),
    onTransaction: (listener: Told['tx']) => hear('tx', listener),
    onPeer: (listener: Told['peer']) => hear('peer', listener),
    onBlockNews: (listener: Told['news']) => hear('news', listener),
    onSync: () => () => {},
  } as unknown as ConstructorParameters<typeof EventFeed>[0];
  const feed = new EventFeed(node, clock);
  return { feed, clock, told, listeners: () => listeners, [Symbol.dispose]: () => feed[Symbol.dispose]() };
}

async function join(feed: EventFeed, gone = new AbortController()): Promise<Reader> {
  const reader: Reader = {
    events: [],
    waiting: 0,
    isDropped: false,
    waitingBytes: () => reader.waiting,
    write: (text) => {
      for (const [, name = '', data = ''] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
        reader.events.push([name, JSON.parse(data)]);
      }
      if (text === ':\n\n') reader.events.push(['', {}]);
    },
    drop: () => {
      reader.isDropped = true;
      gone.abort();
    },
  };
  await feed.add(reader, gone.signal);
  return reader;
}

const namesOf = ({ events }: Reader): readonly string[] => events.map(([name]) => name);

test('a reader gets the state, then what happens, gathered for a tenth of a second', async () => {
  using stage = makeStage();
  const { clock, feed, told } = stage;
  told.tip(entryAt(1));
  const reader = await join(feed);
  assert.deepEqual(namesOf(reader), ['state'], 'nothing from before');
  const [[, state = {}] = []] = reader.events;
  assert.deepEqual(state['mempool'], { transactions: 7, vsize: 700 });
  assert.deepEqual(state['peers'], [PEER]);
  told.news(builder.at(2).hash, 'peer');
  await clock.advance(40);
  told.tip(entryAt(2));
  told.tip(entryAt(3));
  told.tx({ txid: 'ab' } as Transaction);
  told.peer({ kind: 'left', id: 'peer', reason: 'x' } as PeerEvent);
  assert.deepEqual(namesOf(reader), ['state']);
  await clock.advance(100);
  assert.deepEqual(namesOf(reader), ['state', 'blocks', 'transactions', 'peers']);
  const [, [, { blocks } = {}] = [], [, transactions] = [], [, peers] = []] = reader.events;
  const [second, third] = blocks as readonly Record<string, unknown>[];
  assert.deepEqual([second?.['firstPeer'], second?.['delayMs']], ['peer', 40]);
  assert.deepEqual([third?.['height'], third?.['firstPeer']], [3, undefined]);
  assert.deepEqual(transactions, { transactions: [{ txid: 'ab', vsize: 100, fee: 0.0000025 }], leftOut: 0 });
  assert.deepEqual(peers, { peers: [{ event: 'left', id: 'peer' }], leftOut: 0 });
});

test('what is too much for one event is counted: of transactions the last, of blocks the first', async () => {
  using stage = makeStage();
  const { clock, feed, told } = stage;
  const reader = await join(feed);
  for (let at = 0; at < 1_010; at++) told.tx({ txid: String(at) } as Transaction);
  for (let at = 0; at < 105; at++) told.tip({ ...entryAt(2), height: at });
  await clock.advance(100);
  const [, [, blocks = {}] = [], [, transactions = {}] = []] = reader.events;
  assert.equal((transactions['transactions'] as readonly unknown[]).length, 1_000);
  assert.equal(transactions['leftOut'], 10);
  const listed = blocks['blocks'] as readonly { readonly height: number }[];
  assert.deepEqual([listed.length, listed[0]?.height, blocks['leftOut']], [100, 5, 5]);
});

test('a reader that lags is dropped, the others go on', async () => {
  using stage = makeStage();
  const { clock, feed, told } = stage;
  const [slow, quick] = [await join(feed), await join(feed)];
  slow.waiting = 262_144;
  told.tip(entryAt(2));
  await clock.advance(100);
  assert.deepEqual([slow.isDropped, namesOf(slow)], [false, ['state', 'blocks']]);
  slow.waiting++;
  told.tip(entryAt(3));
  await clock.advance(100);
  assert.deepEqual([slow.isDropped, quick.isDropped], [true, false]);
  assert.deepEqual([namesOf(slow).length, namesOf(quick).length], [2, 3]);
});

test('there are 32 places, and who leaves gives one back', async () => {
  using stage = makeStage();
  const { feed } = stage;
  const gone = new AbortController();
  await join(feed, gone);
  for (let at = 1; at < 32; at++) {
    assert.equal(feed.isFull, false);
    await join(feed);
  }
  assert.equal(feed.isFull, true);
  gone.abort();
  assert.equal(feed.isFull, false);
});

test('a quiet stream shows every 15 seconds that it stands, and a stop ends it', async () => {
  const stage = makeStage();
  const { clock, feed } = stage;
  const reader = await join(feed);
  await clock.advance(30_000);
  assert.deepEqual(namesOf(reader), ['state', '', '']);
  stage[Symbol.dispose]();
  assert.deepEqual([reader.isDropped, clock.pending(), stage.listeners()], [true, 0, 0]);
});
