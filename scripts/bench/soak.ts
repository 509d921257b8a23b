/**
 * The soak's network and its load. The load is made here, signed when it is due, so that the processes with the nodes hold
 * nothing of it: whatever grows there is the nodes'. Each minute ends with a block that empties the mempools, a rest, and
 * a census.
 */
import { join } from 'node:path';
import { nowMs } from './benchmark.ts';
import { offerEvenly } from './offer.ts';
import { buildRelayChain, PAYMENT, type RelayChain } from './relay-chain.ts';
import { NODES, NODES_PER_PROCESS, type RelayNetwork, startRelayNetwork } from './relay-network.ts';
import { fillerBlocks } from './soak-filler.ts';
import type { Census } from './soak-nodes.ts';

const PER_SECOND = 7;
/** Between two blocks. */
const ROUND_MS = 30_000;
const ROUNDS_A_MINUTE = 2;
/** The transactions of a round are offered in this time, so that the last are everywhere when the block is made. */
const OFFER_MS = 22_000;
const SPREAD_MS = 4_000;
/** From the block until the census: answers that are on their way arrive. */
const REST_MS = 2_000;
/** More confirmed transactions than a node remembers: that memory is full from the start. */
const FILLER_BLOCKS = 10;
const FILLER_TRANSACTIONS = 5_000;
/** The least: what is cached of coins does not grow for long. */
const DB_CACHE_BYTES = 4 << 20;
/** So few are remembered that the memory of them is full before the first count. */
const SCRIPT_RESULTS = 200;

export type SoakOrder = {
  readonly minutes: number;
  readonly scratch: string;
  /** Where heaps are written to. */
  readonly snapshots: string | undefined;
};

export type Minute = {
  readonly atMs: number;
  /** Bytes are of a node (all nodes of a process, divided), counts of the process. */
  readonly processes: readonly Census[];
};

export async function runSoak(
  { minutes, scratch, snapshots }: SoakOrder,
  report: (minute: Minute) => void,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  // Counting objects is experimental in Node.js 24, and says so once a process.
  const execArgv = ['--expose-gc', '--disable-warning=ExperimentalWarning'];
  const perRound = (PER_SECOND * ROUND_MS) / 1000;
  const coins = 1 + minutes * ROUNDS_A_MINUTE * perRound * PAYMENT.inputs;
  const chain = buildRelayChain(coins);
  const file = new URL('./soak-nodes.ts', import.meta.url);
  const memory = { dbCacheBytes: DB_CACHE_BYTES, scriptResults: SCRIPT_RESULTS };
  const order = { file, build: coins, trickleMs: 'default', ...memory } as const;
  const network = await startRelayNetwork({ scratch, execArgv }, stack, order);
  await network.all('forgetBlocks');
  for (const block of fillerBlocks(chain, FILLER_BLOCKS, FILLER_TRANSACTIONS)) {
    const raw = Buffer.from(block.raw).toString('base64');
    await network.all('submitBlock', raw);
  }
  const startMs = nowMs();
  for (let minute = 1; minute <= minutes; minute++) {
    for (let round = 1; round <= ROUNDS_A_MINUTE; round++) {
      await oneRound(network, chain, perRound);
      if (round === ROUNDS_A_MINUTE) {
        await rest(REST_MS);
        report({ atMs: nowMs() - startMs, processes: await takeCensus(network) });
        if (snapshots !== undefined) await takeSnapshot(network, snapshots, minute, minutes);
      }
      const roundsDone = (minute - 1) * ROUNDS_A_MINUTE + round;
      await rest(Math.max(0, startMs + roundsDone * ROUND_MS - nowMs()));
    }
  }
}

async function oneRound(network: RelayNetwork, chain: RelayChain, count: number): Promise<void> {
  const submitted: Promise<unknown>[] = [];
  const offering = { startMs: nowMs(), perSecond: (1000 * count) / OFFER_MS, count };
  await offerEvenly(offering, (index) => {
    const raw = Buffer.from(chain.pay(PAYMENT).raw).toString('base64');
    const node = index % NODES;
    submitted.push(network.of(Math.floor(node / NODES_PER_PROCESS), 'submit', { node: node % NODES_PER_PROCESS, raw }));
  });
  await Promise.all(submitted);
  await rest(SPREAD_MS);
  await network.untilConnected(() => network.first<{ readonly atMs: number }>('mine'));
}

async function takeCensus(network: RelayNetwork): Promise<Census[]> {
  const censuses = await network.all<Census>('census');
  return censuses.map(({ heapBytes, externalBytes, counts }) => ({
    heapBytes: heapBytes / NODES_PER_PROCESS,
    externalBytes: externalBytes / NODES_PER_PROCESS,
    counts,
  }));
}

/** After the warm-up and at the end, of the first process. */
async function takeSnapshot(network: RelayNetwork, folder: string, minute: number, minutes: number): Promise<void> {
  const afterWarmUp = Math.floor(minutes / 3) + 1;
  if (minute !== afterWarmUp && minute !== minutes) return;
  await network.first('snapshot', join(folder, `minute-${minute}.heapsnapshot`));
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
