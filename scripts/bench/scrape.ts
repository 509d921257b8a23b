/** What it costs a node to be scraped by Prometheus. */
import { join } from 'node:path';
import { networkDirectory } from '#chain';
import { startMetrics } from '#metrics';
import type { StarlingNode } from '#node';
import { assert, nullLogger, systemClock } from '#util';
import type { Benchmark, Case, Sample } from './benchmark.ts';
import { timed } from './benchmark.ts';
import { fullMempool } from './mempool-memory.ts';
import { listenAddress, startNode } from './node.ts';

const SCRAPES = 200;
const PEERS = 4;

export const scrape: Benchmark = {
  name: 'scrape',
  what: `/metrics of a node with ${PEERS} peers, ${SCRAPES} times, also with a full mempool (30 MB; --long: 300 MB); all in one process`,
  run: async ({ isLong, scratch, measure }) => {
    await using stack = new AsyncDisposableStack();
    const network = 'regtest';
    const datadir = join(scratch, 'node');
    const node = stack.use(await startNode({ network, datadir, connect: [] }));
    const address = await listenAddress(node);
    for (let i = 0; i < PEERS; i++) {
      stack.use(
        await startNode({ network, datadir: join(scratch, `peer-${i}`), connect: [address], netThread: 'main' }),
      );
    }
    const endpoint = { host: '127.0.0.1', port: 0 };
    const server = stack.use(await startMetrics({ endpoint, allowHosts: [] }, { clock: systemClock, log: nullLogger }));
    const directory = networkDirectory(datadir, node.chain.params);
    const url = `http://${server.address}/metrics`;
    const mempool = stack.use(await fullMempool(node.chain, isLong));
    const caseOf = (name: string, followed: StarlingNode): Case => ({
      name,
      unit: 'scrapes',
      measure: async () => {
        using _ = server.follow(followed, directory);
        return await scrapes(url);
      },
    });
    const cases = [caseOf('/metrics', node), caseOf('/metrics, full mempool', { ...node, mempool })];
    return { results: await measure(cases, isLong ? 15 : 5) };
  },
};

async function scrapes(url: string): Promise<Sample> {
  let bytes = 0;
  const { wallMs, cpuMs } = await timed(async () => {
    for (let i = 0; i < SCRAPES; i++) {
      const answer = await fetch(url);
      assert(answer.status === 200, 'the node answers');
      bytes = (await answer.text()).length;
    }
  });
  const extra = { 'ms CPU/scrape': cpuMs / SCRAPES, 'ms/scrape': wallMs / SCRAPES, 'B/scrape': bytes };
  return { amount: SCRAPES, wallMs, cpuMs, extra };
}
