/** A real chain in memory with a mempool that follows it, on regtest blocks of the chain builder. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Chain } from '#chain';
import { createMempool, type Mempool, type MempoolOptions } from '#mempool';
import type { Block, Transaction } from '#primitives';
import { createMemoryAppendFiles, createMemoryStore } from '#store';
import { nullLogger, seededRandom } from '#util';
import { createInlineVerifier, type ScriptVerifier } from '#verify';
import { createBlockStorage } from '../../../src/chain/block-storage.ts';
import { createChain } from '../../../src/chain/chain.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

/** Coinbases of heights 1 .. 20 can be spent. */
const BASE_HEIGHT = 119;
/** The clock stands this far ahead of the tip, so that tests can mine as they like. */
const AHEAD_SECONDS = 1_000_000;

let base: ChainBuilder | undefined;

function baseChain(): ChainBuilder {
  if (base === undefined) {
    base = createChainBuilder(regtest());
    base.mineMany(BASE_HEIGHT);
  }
  return base;
}

export type Harness = AsyncDisposable & {
  /** Stands where the chain stands; mine on it, then `connect`. */
  readonly builder: ChainBuilder;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly clock: ManualClock;
  readonly verifier: ScriptVerifier;
  /** Hands blocks to the chain; each must be taken. */
  readonly connect: (...blocks: readonly Block[]) => Promise<void>;
  /** Submits and gives `accepted`, or the reject code. */
  readonly submit: (tx: Transaction) => Promise<string>;
  /** What is in the mempool, in the order of arrival. */
  readonly transactions: () => Transaction[];
  /** Their txids. */
  readonly txids: () => string[];
};

export type HarnessOptions = Partial<MempoolOptions> & {
  /** Stands between mempool and the real verifier. */
  readonly wrapVerifier?: (verifier: ScriptVerifier) => ScriptVerifier;
};

export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const { wrapVerifier = (verifier) => verifier, ...overrides } = options;
  const builder = baseChain().fork(BASE_HEIGHT);
  const { params } = builder;
  const clock = createManualClock((builder.view(BASE_HEIGHT).time + AHEAD_SECONDS) * 1000);
  const verifier = await createInlineVerifier();
  const blk = createMemoryAppendFiles({ maxFileBytes: 2 ** 27 });
  const rev = createMemoryAppendFiles({ maxFileBytes: 2 ** 27 });
  const chain = await createChain(
    {
      params,
      indexStore: createMemoryStore(),
      coinsStore: createMemoryStore(),
      storage: createBlockStorage(blk, rev, params.magic),
      verifier,
      clock,
      random: seededRandom(1),
      log: nullLogger,
    },
    { dbCacheBytes: 1 << 24 },
  );
  const connect = async (...blocks: readonly Block[]): Promise<void> => {
    for (const block of blocks) {
      const verdict = await chain.submitBlock(block);
      assert.notEqual(verdict.kind, 'invalid', inspect(verdict));
    }
  };
  await connect(...builder.blocks);
  const mempool = createMempool({ chain, verifier: wrapVerifier(verifier), clock, log: nullLogger }, overrides);
  chain.observe({ changed: (change) => mempool.chainChanged(change) });
  return {
    builder,
    chain,
    mempool,
    clock,
    verifier,
    connect,
    submit: async (tx) => codeOf(await mempool.submit(tx, 'local')),
    transactions: () => Array.from(mempool.entries(), (entry) => entry.tx),
    txids: () => Array.from(mempool.entries(), (entry) => entry.txid),
    [Symbol.asyncDispose]: async () => {
      await mempool[Symbol.asyncDispose]();
      await chain[Symbol.asyncDispose]();
      await verifier[Symbol.asyncDispose]();
    },
  };
}

export function codeOf(verdict: Awaited<ReturnType<Mempool['submit']>>): string {
  switch (verdict.kind) {
    case 'policy':
    case 'duplicate':
      return verdict.code;
    case 'consensus':
      return verdict.failure.code;
    case 'unavailable':
      return verdict.reason;
    default:
      return verdict.kind;
  }
}
