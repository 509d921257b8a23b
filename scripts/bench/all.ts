/** Every benchmark, in the order in which they run. A new one is a file and a row. */
import type { Benchmark } from './benchmark.ts';
import { coins } from './coins.ts';
import { hashes } from './hashes.ts';
import { headers } from './headers.ts';
import { hostile } from './hostile.ts';
import { ibd } from './ibd.ts';
import { importBlocks } from './import.ts';
import { mempoolMemory } from './mempool-memory.ts';
import { overload } from './overload.ts';
import { relay } from './relay.ts';
import { rpc } from './rpc.ts';
import { scrape } from './scrape.ts';
import { serve } from './serve.ts';
import { startup } from './startup.ts';
import { stream } from './stream.ts';
import { sync } from './sync.ts';
import { txRelay } from './tx-relay.ts';
import { utxo } from './utxo.ts';

export const BENCHMARKS: readonly Benchmark[] = [
  stream,
  headers,
  importBlocks,
  sync,
  serve,
  startup,
  rpc,
  scrape,
  hashes,
  coins,
  ibd,
  hostile,
  relay,
  mempoolMemory,
  overload,
  txRelay,
  utxo,
];
