/** The chain under the policy cases, and the coins that each takes from it. */
import assert from 'node:assert/strict';
import type { Transaction, TxOutput } from '#primitives';
import { type ChainBuilder, createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { testKey } from '../../support/keys.ts';
import { buildTx, outputOf, type RawSpend, rawTx, type TestCoin } from '../../support/tx-builder.ts';
import { paying, type Unlock } from '../../unit/mempool/standard-cases.ts';

const FUNDED_HEIGHT = 120;
export const TIP_HEIGHT = 121;
export const COIN_SATS = 10_000_000n;

/** What a case pays unless it is about outputs. */
export const PAYMENT = paying(testKey(1).p2pkh);

/** A case before it is written down. */
export type Draft = {
  readonly name: string;
  readonly tx: Transaction;
  readonly expected: string;
  readonly core27?: string | null;
  readonly before?: readonly Transaction[];
  readonly flags?: readonly string[];
  readonly deltas?: Readonly<Record<string, number>>;
};

export type World = {
  readonly chain: ChainBuilder;
  /** A confirmed coin of 10,000,000 sat that nobody else gets. */
  readonly coin: (scriptPubKey: Uint8Array) => TestCoin;
  /** A coin with what opens it. */
  readonly unlocked: (unlock: Unlock) => RawSpend;
  /** In the chain, standard, and not spent. */
  readonly confirmed: Transaction;
};

export type Group = { readonly group: string; readonly drafts: (world: World) => readonly Draft[] };

/** The groups are made twice: first to learn which coins they take, then with these. */
export function makeWorld(groups: readonly Group[]): { readonly world: World; readonly drafts: readonly Draft[][] } {
  const chain = createChainBuilder(regtest());
  chain.mineMany(FUNDED_HEIGHT - 1);
  const locks: TxOutput[] = [];
  const confirmed = buildTx([chain.coin(2)], [PAYMENT]);
  const count = worldOf(chain, confirmed, (scriptPubKey) => {
    const output = paying(scriptPubKey, COIN_SATS);
    return { txid: new Uint8Array(32).fill(1), index: locks.push(output) - 1, output };
  });
  const ahead = chain.fork(chain.height);
  ahead.mineMany(TIP_HEIGHT - FUNDED_HEIGHT + 1);
  for (const { drafts } of groups) drafts({ ...count, chain: ahead });
  const funding = buildTx([chain.coin(1)], locks);
  chain.mine({ transactions: [funding] });
  chain.mine({ transactions: [confirmed] });
  let next = 0;
  const world = worldOf(chain, confirmed, (scriptPubKey) => {
    const coin = outputOf(funding, next++);
    assert.deepEqual(coin.output.scriptPubKey, scriptPubKey);
    return coin;
  });
  return { world, drafts: groups.map(({ drafts }) => [...drafts(world)]) };
}

function worldOf(chain: ChainBuilder, confirmed: Transaction, coin: World['coin']): World {
  return { chain, confirmed, coin, unlocked: ({ lock, ...spend }) => ({ ...spend, coin: coin(lock) }) };
}

export type Parts = {
  readonly version?: number;
  readonly lockTime?: number;
  readonly outputs?: readonly TxOutput[];
};

/** Spends a new coin for each of `unlocks`. */
export function spending(world: World, unlocks: readonly Unlock[], { outputs, ...rest }: Parts = {}): Transaction {
  return rawTx(unlocks.map(world.unlocked), outputs ?? [PAYMENT], rest);
}
