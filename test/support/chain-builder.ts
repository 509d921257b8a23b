/**
 * Builds valid chains of blocks for tests, deterministically: the same calls with the same seed give the same bytes.
 * Proof of work is real (meant for regtest-like difficulty), and so are merkle root, BIP34 height, subsidy and witness
 * commitment. Invalid blocks are made by the hooks in `BlockOptions`, each applied at the stage that it names.
 */
import assert from 'node:assert/strict';
import {
  blockSubsidy,
  compactToTarget,
  type HeaderView,
  merkleRoot,
  type NetworkParams,
  nextWorkRequired,
  parseNetworkParams,
} from '#consensus';
import {
  Block,
  type BlockHash,
  BlockHeader,
  type BlockHeaderFields,
  type Sats,
  Transaction,
  type TransactionFields,
  type TxInput,
} from '#primitives';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { assembleBlock } from '../../src/mempool/assemble-block.ts';
import { grindSlice } from '../../src/miner/grind.ts';
import { testKey } from './keys.ts';
import type { TestCoin } from './tx-builder.ts';

/** Seconds between blocks unless a test says otherwise. */
const SPACING_SECONDS = 600;
/** Core's version without any signal (BIP9). */
const BASE_VERSION = 0x20000000;
const MAX_HASHES = 10_000_000;

let regtestParams: NetworkParams | undefined;

/** Core's regtest: the network on which tests build. */
export function regtest(): NetworkParams {
  regtestParams ??= parseNetworkParams(regtestFile);
  return regtestParams;
}

export type BlockOptions = {
  /** All but the coinbase. */
  readonly transactions?: readonly Transaction[];
  /** Unix seconds; default: the parent's plus 600. */
  readonly time?: number;
  /** Tells equal blocks apart; default: different for each block of the seed, forks included. */
  readonly extraNonce?: number;
  readonly version?: number;
  /** Default: pay to the public key hash of `testKey(0)`. */
  readonly coinbaseScript?: Uint8Array;
  /** Default: the subsidy alone (claiming less than subsidy and fees is valid). */
  readonly coinbaseValue?: Sats;
  /** Default: only if a transaction has a witness. */
  readonly commitWitness?: boolean;
  /** Changes all transactions, coinbase included, before the merkle root is computed. */
  readonly mutateTransactions?: (transactions: readonly Transaction[]) => readonly Transaction[];
  /** Changes the header before the search for a nonce. */
  readonly mutateHeader?: (fields: BlockHeaderFields) => BlockHeaderFields;
  /** `valid` (default), `invalid` (the hash misses the target), `none` (nonce 0, whatever that gives). */
  readonly work?: 'valid' | 'invalid' | 'none';
  /** Changes the finished block. */
  readonly mutateBlock?: (block: Block) => Block;
};

export type BuiltBlock = {
  readonly block: Block;
  readonly hash: BlockHash;
  readonly height: number;
};

export class ChainBuilder {
  readonly params: NetworkParams;
  readonly #chain: BuiltBlock[];
  readonly #views = new Map<number, HeaderView>();
  /** Shared by all forks: no two blocks of one seed get the same extra nonce. */
  readonly #nonces: { next: number };

  constructor(params: NetworkParams, chain: readonly BuiltBlock[], nonces: { next: number }) {
    this.params = params;
    this.#chain = [...chain];
    this.#nonces = nonces;
  }

  get tip(): BuiltBlock {
    return this.at(this.#chain.length - 1);
  }

  get height(): number {
    return this.tip.height;
  }

  /** Blocks from height 1 to the tip. */
  get blocks(): readonly Block[] {
    return this.#chain.slice(1).map((built) => built.block);
  }

  at(height: number): BuiltBlock {
    const built = this.#chain[height];
    assert(built !== undefined, `the builder has no block ${height}`);
    return built;
  }

  /** Builds a block on the tip without moving there. */
  build(options: BlockOptions = {}): Block {
    const parent = this.view(this.height);
    const time = options.time ?? parent.time + SPACING_SECONDS;
    const transactions = options.transactions ?? [];
    const draft = assembleBlock({
      version: options.version ?? BASE_VERSION,
      prevHash: parent.hash,
      time,
      bits: nextWorkRequired(parent, time, this.params),
      height: parent.height + 1,
      coinbase: {
        scriptPubKey: options.coinbaseScript ?? testKey(0).p2pkh,
        value: options.coinbaseValue ?? blockSubsidy(parent.height + 1, this.params),
        extraNonce: options.extraNonce ?? this.#nonces.next++,
      },
      commitWitness: options.commitWitness ?? transactions.some((tx) => tx.hasWitness),
      transactions,
    });
    return finish(draft, options);
  }

  /** Builds a block and makes it the tip, also when hooks made it invalid. */
  mine(options: BlockOptions = {}): Block {
    const block = this.build(options);
    this.#chain.push({ block, hash: block.hash, height: this.height + 1 });
    return block;
  }

  /** Makes a block from elsewhere (a template, another node) the tip; it must stand on the present one. */
  append(block: Block): void {
    assert.equal(block.header.prevHash, this.tip.hash);
    this.#chain.push({ block, hash: block.hash, height: this.height + 1 });
  }

  /** Mines `count` blocks with the same options. */
  mineMany(count: number, options: BlockOptions = {}): Block[] {
    return Array.from({ length: count }, () => this.mine(options));
  }

  /** A builder of its own that shares this one's blocks up to the given height or hash. */
  fork(from: number | BlockHash): ChainBuilder {
    const height = typeof from === 'number' ? from : this.#chain.findIndex((built) => built.hash === from);
    this.at(height);
    return new ChainBuilder(this.params, this.#chain.slice(0, height + 1), this.#nonces);
  }

  /** Output `index` of transaction `position` in the block at `height`, ready to spend; default: the coinbase's first. */
  coin(height: number, position = 0, index = 0): TestCoin {
    const tx = this.at(height).block.transactions[position];
    const output = tx?.outputs[index];
    assert(tx !== undefined && output !== undefined, `no output ${index} of transaction ${position} at ${height}`);
    return { txid: tx.txidBytes, index, output };
  }

  /** The header at `height` as the rules see it. */
  view(height: number): HeaderView {
    const known = this.#views.get(height);
    if (known !== undefined) return known;
    const { block, hash } = this.at(height);
    const { version, time, bits } = block.header;
    const view = { height, version, time, bits, hash, ancestor: (to: number) => this.view(to) };
    this.#views.set(height, view);
    return view;
  }
}

/** A builder that stands on the genesis block. `seed` sets apart chains of different builders. */
export function createChainBuilder(params: NetworkParams, options: { readonly seed?: number } = {}): ChainBuilder {
  const { genesis } = params;
  const nonces = { next: ((options.seed ?? 1) & 0xffff) * 2 ** 32 };
  return new ChainBuilder(params, [{ block: genesis, hash: genesis.hash, height: 0 }], nonces);
}

/** For `mutateTransactions`: the coinbase with other fields. */
export function withCoinbase(change: (coinbase: Transaction) => Partial<TransactionFields>) {
  return ([coinbase, ...others]: readonly Transaction[]): readonly Transaction[] => {
    assert(coinbase !== undefined);
    const { version, inputs, outputs, lockTime } = coinbase;
    return [Transaction.fromFields({ version, inputs, outputs, lockTime, ...change(coinbase) }), ...others];
  };
}

/** For `mutateTransactions`: the coinbase with another script or witness. */
export function withCoinbaseInput(changes: Partial<TxInput>): NonNullable<BlockOptions['mutateTransactions']> {
  return withCoinbase(({ inputs }) => ({ inputs: inputs.map((input) => ({ ...input, ...changes })) }));
}

function finish(draft: Block, options: BlockOptions): Block {
  const transactions = options.mutateTransactions?.(draft.transactions) ?? draft.transactions;
  const root = merkleRoot(transactions.map((tx) => tx.txidBytes));
  const header = mutate(draft.header, (fields) => {
    const complete = { ...fields, merkleRoot: root };
    return options.mutateHeader?.(complete) ?? complete;
  });
  const block = Block.fromParts(solve(header, options.work ?? 'valid'), transactions);
  return options.mutateBlock?.(block) ?? block;
}

function fieldsOf(header: BlockHeader): BlockHeaderFields {
  const { version, prevHash, merkleRoot, time, bits, nonce } = header;
  return { version, prevHash, merkleRoot, time, bits, nonce };
}

function mutate(header: BlockHeader, change: (fields: BlockHeaderFields) => BlockHeaderFields): BlockHeader {
  return BlockHeader.fromFields(change(fieldsOf(header)));
}

function solve(header: BlockHeader, work: 'valid' | 'invalid' | 'none'): BlockHeader {
  if (work === 'none') return header;
  const target = compactToTarget(header.bits).target;
  if (work === 'valid') {
    const found = grindSlice(header, target, MAX_HASHES);
    assert(found.solved, 'the difficulty is too high for a test');
    return found.header;
  }
  let candidate = header;
  while (grindSlice(candidate, target, 1).solved) {
    candidate = mutate(candidate, (fields) => ({ ...fields, nonce: fields.nonce + 1 }));
  }
  return candidate;
}
