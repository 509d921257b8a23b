/** A process of the `headers` benchmark: takes headers from a file into a data directory, opens that again, or serves them. */
import { open, readFile } from 'node:fs/promises';
import { type Chain, type ChainReader, openChain } from '#chain';
import { BLOCK_HEADER_BYTES, type BlockHeader } from '#primitives';
import { streams } from '#protocol';
import { assert } from '#util';
import { limitHeapGrowth } from '../../src/cli/heap-growth.ts';
import { type ServingPeer, startServingPeer } from '../../test/support/serving-peer.ts';
import { timed } from './benchmark.ts';
import { HEADERS_PER_MESSAGE, headerMessage, memoryChain, messagesOf, retargetingParams } from './header-chain.ts';
import { servePeer } from './peer-process.ts';
import { memoryGrowth, usageOf } from './process-usage.ts';

export type HeaderOrder = { readonly datadir: string; readonly file: string };

export type HeadersTaken = {
  readonly height: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly memory: Readonly<Record<string, number>>;
};

const DB_CACHE_BYTES = 64 << 20;

const openAt = (datadir: string): Promise<Chain> =>
  openChain({ params: retargetingParams(), datadir, dbCacheBytes: DB_CACHE_BYTES });

async function takeAll({ datadir, file }: HeaderOrder): Promise<number> {
  await using chain = await openAt(datadir);
  await using handle = await open(file);
  for (;;) {
    // As from the network: each message is memory of its own.
    const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(HEADERS_PER_MESSAGE * BLOCK_HEADER_BYTES) });
    if (bytesRead === 0) return chain.bestHeader().height;
    const verdict = chain.submitHeaders(streams.headers.response.decode(headerMessage(buffer.subarray(0, bytesRead))));
    assert(verdict.kind === 'accepted', 'the headers are valid');
  }
}

async function openAgain({ datadir }: HeaderOrder): Promise<number> {
  await using chain = await openAt(datadir);
  return chain.bestHeader().height;
}

async function measured(task: () => Promise<number>): Promise<HeadersTaken> {
  // As the program does.
  limitHeapGrowth();
  const before = usageOf('self');
  let height = 0;
  const times = await timed(async () => {
    height = await task();
  });
  return { ...times, height, memory: memoryGrowth(before, usageOf('self')) };
}

let peer: ServingPeer | undefined;

/** As from a node that has connected them all, and keeps none of the bodies. */
async function serve(file: string): Promise<string> {
  const chain = await memoryChain(retargetingParams());
  const raw = await readFile(file);
  for (const message of messagesOf(raw)) chain.submitHeaders(streams.headers.response.decode(message));
  const reader: ChainReader = {
    ...chain,
    tip: chain.bestHeader,
    lowestStoredHeight: () => chain.bestHeader().height,
    headersAfter: (...args) => behind(chain, ...args),
  };
  peer = await startServingPeer(reader);
  return peer.address;
}

/** As `ChainReader.headersAfter`, of the best header's chain. */
function behind(chain: Chain, ...[locator, , max]: Parameters<ChainReader['headersAfter']>): BlockHeader[] {
  const best = chain.bestHeader();
  const [start] = locator.flatMap((hash) => chain.getHeader(hash) ?? []);
  const first = (start?.height ?? 0) + 1;
  const count = Math.max(0, Math.min(max, best.height + 1 - first));
  return Array.from({ length: count }, (_, i) => chain.ancestor(best, first + i).header);
}

servePeer(
  {
    serve,
    take: (order: HeaderOrder) => measured(() => takeAll(order)),
    open: (order: HeaderOrder) => measured(() => openAgain(order)),
  },
  async () => peer?.[Symbol.asyncDispose](),
);
