/** What a mempool filled to its bound really takes, against what it says that it takes. No network, no signatures. */
import { join } from 'node:path';
import { type ChainReader, openChain } from '#chain';
import { sha256 } from '#crypto';
import { createMempool, type Mempool } from '#mempool';
import { Transaction, type TxInput, type TxOutput, Writer } from '#primitives';
import { assert, concatBytes, nullLogger, systemClock } from '#util';
import type { ScriptVerifier } from '#verify';
import { limitHeapGrowth } from '../../src/cli/heap-growth.ts';
import { p2pkhScript } from '../../src/mempool/payer.ts';
import { type Benchmark, type BenchmarkContext, type Case, memoryInUse, type Sample, timed } from './benchmark.ts';
import { regtestParams } from './block-maker.ts';
import { DB_CACHE_BYTES } from './node.ts';
import { usageOf } from './process-usage.ts';
import type { Shape } from './relay-chain.ts';
import { mixedShape } from './tx-mix.ts';

/** The default bound, and a tenth of it. */
const FULL_BYTES = 300_000_000;
const SHORT_BYTES = 30_000_000;
/** Submitted together; the mempool decides one after another. */
const BATCH = 100;
const FEE = 1_000_000n;
/** Of every coin: there is one wherever an input points. */
const COIN_VALUE = 10_000_000n;
const NOTHING = new Uint8Array(0);
/** A signature and a key, and outputs: nobody looks into them here. */
const WITNESS = [new Uint8Array(72).fill(1), new Uint8Array(33).fill(2)];
const SCRIPT_SIG = concatBytes(...WITNESS.flatMap((item) => [Uint8Array.of(item.length), item]));
const P2WPKH = concatBytes(Uint8Array.of(0, 20), new Uint8Array(20).fill(3));
const P2PKH = p2pkhScript(new Uint8Array(33).fill(2));
const NO_SCRIPTS: ScriptVerifier = {
  verify: async () => undefined,
  capacity: () => Number.POSITIVE_INFINITY,
  [Symbol.asyncDispose]: async () => {},
};
const FULL = new Set(['mempool full', 'mempool min fee not met']);

type Form = { readonly isLegacy: boolean; readonly shape: (n: number) => Shape };

const FORMS: Readonly<Record<string, Form>> = {
  '1 input, 2 outputs, P2PKH': { isLegacy: true, shape: () => ({ inputs: 1, outputs: 2 }) },
  '1 input, 2 outputs, P2WPKH': { isLegacy: false, shape: () => ({ inputs: 1, outputs: 2 }) },
  '2 inputs, 2 outputs, P2WPKH': { isLegacy: false, shape: () => ({ inputs: 2, outputs: 2 }) },
  '1 input, 40 outputs, P2WPKH': { isLegacy: false, shape: () => ({ inputs: 1, outputs: 40 }) },
  '20 inputs, 2 outputs, P2WPKH': { isLegacy: false, shape: () => ({ inputs: 20, outputs: 2 }) },
  'mix as on the network': { isLegacy: false, shape: mixedShape },
};

export const mempoolMemory: Benchmark = {
  name: 'mempool-memory',
  what: 'a mempool filled to its bound (30 MB; --long: 300 MB): bytes that stay allocated, and bytes that it counts',
  run: async (context) => {
    // As the program, so that the peak is what it would have.
    limitHeapGrowth();
    const cases = Object.entries(FORMS).map(([name, form]) => fill(context, name, form));
    return { results: await context.measure(cases, 1) };
  },
};

function fill(context: BenchmarkContext, name: string, form: Form): Case {
  return {
    name,
    unit: 'tx',
    isAlwaysCold: true,
    measure: async () => {
      const maxBytes = context.isLong ? FULL_BYTES : SHORT_BYTES;
      // Code that runs for the first time is compiled, and that stays.
      await measure(context, form, SHORT_BYTES / 10);
      return measure(context, form, maxBytes);
    },
  };
}

async function measure({ scratch }: BenchmarkContext, form: Form, maxBytes: number): Promise<Sample> {
  const params = regtestParams();
  await using chain = await openChain({ params, datadir: join(scratch, 'chain'), dbCacheBytes: DB_CACHE_BYTES });
  const before = await memoryInUse();
  await using mempool = emptyMempool(chain, form, maxBytes);
  const times = await timed(() => fillUp(mempool, form));
  const { count, usage, vsize } = mempool.stats();
  const inUse = (await memoryInUse()) - before;
  const bytes = [...mempool.entries()].reduce((sum, { size }) => sum + size, 0);
  return {
    ...times,
    amount: count,
    extra: {
      transactions: count,
      'vbytes each': vsize / count,
      'B each': bytes / count,
      'B memory each': inUse / count,
      'B counted each': usage / count,
      'memory : counted': inUse / usage,
      'MB peak of the process': usageOf('self').peakMemoryMb ?? Number.NaN,
    },
  };
}

function emptyMempool(chain: ChainReader, { isLegacy }: Form, maxBytes: number): Mempool {
  const output = { value: COIN_VALUE, scriptPubKey: isLegacy ? P2PKH : P2WPKH };
  const coin = { output, height: 0, isCoinbase: false };
  // As old as the chain: a node that is behind does not learn about fees, and keeps nothing for that.
  const clock = { ...systemClock, now: () => chain.params.genesis.header.time * 1000 };
  const ofChain = { getCoin: () => coin, newestDecided: () => undefined };
  const deps = { chain: { ...chain, ...ofChain }, verifier: NO_SCRIPTS, clock, log: nullLogger };
  return createMempool(deps, { maxBytes });
}

/** One that is full of small payments, all of them our own, on a chain that has no block yet. */
export async function fullMempool(chain: ChainReader, isLong: boolean): Promise<Mempool> {
  const form: Form = { isLegacy: false, shape: () => ({ inputs: 1, outputs: 2 }) };
  const mempool = emptyMempool(chain, form, isLong ? FULL_BYTES : SHORT_BYTES);
  await fillUp(mempool, form);
  return mempool;
}

/** Until something is refused for want of room. */
async function fillUp(mempool: Mempool, form: Form): Promise<void> {
  for (let at = 0; ; at += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, n) => transaction(form, at + n));
    const verdicts = await Promise.all(batch.map((tx) => mempool.submit(tx, 'local')));
    const refused = verdicts.find((verdict) => verdict.kind !== 'accepted');
    if (refused === undefined) continue;
    assert(refused.kind === 'policy' && FULL.has(refused.code), `${refused.kind} is not what a full mempool says`);
    return;
  }
}

/** The n-th: no two spend the same, and each pays less than the one before. */
function transaction({ isLegacy, shape }: Form, n: number): Transaction {
  const { inputs, outputs } = shape(n);
  const input = (_: unknown, at: number): TxInput => ({
    prevTxid: sha256(new Writer(8).u32(n).u32(at).finish()),
    prevIndex: at & 1,
    scriptSig: isLegacy ? SCRIPT_SIG : NOTHING,
    sequence: 0xfffffffd,
    witness: isLegacy ? [] : WITNESS,
  });
  const value = (BigInt(inputs) * COIN_VALUE - FEE + BigInt(n)) / BigInt(outputs);
  const output: TxOutput = { value, scriptPubKey: isLegacy ? P2PKH : P2WPKH };
  return Transaction.fromFields({
    version: 2,
    inputs: Array.from({ length: inputs }, input),
    outputs: new Array<TxOutput>(outputs).fill(output),
    lockTime: 0,
  });
}
