/** What a page of the dashboard knows: the state, and what was told since, applied as the contract says. */
import assert from 'node:assert/strict';
import type { FeedEventName, FeedEvents, FeedState, PeerRow } from '../../src/dashboard/contract.ts';
import { type EventStream, openEventStream } from './event-client.ts';

const MAX_BLOCKS = 50;
const MAX_LOGS = 500;
const MAX_SAMPLES = 300;

type Appliers = { readonly [Name in FeedEventName]: (state: FeedState, data: FeedEvents[Name]) => FeedState };

const APPLIERS: Appliers = {
  state: (_state, data) => data,
  overview: (state, overview) => ({ ...state, overview }),
  mempool: (state, mempool) => ({ ...state, mempool }),
  blocks: (state, { changed, removed }) => {
    const gone = new Set([...removed, ...changed.map(({ hash }) => hash)]);
    const blocks = [...changed, ...state.blocks.filter(({ hash }) => !gone.has(hash))];
    assert.ok(blocks.length <= MAX_BLOCKS);
    return { ...state, blocks: blocks.sort((a, b) => b.height - a.height) };
  },
  peers: (state, { left, joined, changed }) => {
    const peers = new Map(state.peers.map((row) => [row.id, row]));
    for (const { id } of left) assert.ok(peers.delete(id), 'who left was there');
    for (const row of joined) peers.set(row.id, row);
    for (const patch of changed) peers.set(patch.id, { ...(peers.get(patch.id) as PeerRow), ...patch });
    return { ...state, peers: [...peers.values()] };
  },
  bandwidth: (state, { protocols, sample }) => {
    const samples = [...state.bandwidth.samples, sample].slice(-MAX_SAMPLES);
    return { ...state, bandwidth: { protocols, samples } };
  },
  logs: (state, { lines }) => {
    const last = state.logs.at(-1)?.number ?? -1;
    assert.ok(lines.every(({ number }) => number > last));
    return { ...state, logs: [...state.logs, ...lines].slice(-MAX_LOGS) };
  },
};

export type Page = Disposable & {
  readonly state: () => FeedState;
  /** Reads on until what the page knows satisfies the condition, and gives it. */
  readonly when: (condition: (state: FeedState) => boolean) => Promise<FeedState>;
};

/** Opens `/feed` as the page does. */
export async function openPage(address: string): Promise<Page> {
  const stream: EventStream = await openEventStream(address, '/feed');
  const first = await stream.next();
  assert.equal(first.event, 'state');
  let state = first.data as unknown as FeedState;
  return {
    state: () => state,
    when: async (condition) => {
      while (!condition(state)) {
        const { event, data } = await stream.next();
        assert.ok(event in APPLIERS, event);
        const apply = APPLIERS[event as FeedEventName] as (state: FeedState, data: unknown) => FeedState;
        state = apply(state, data);
      }
      return state;
    },
    [Symbol.dispose]: () => stream[Symbol.dispose](),
  };
}
