/**
 * A chain on which a consensus rule is tried from both sides: real blocks on top of real blocks, each submitted, each
 * verdict compared with Core's. Coins for the blocks come from the first coinbases, which anybody can spend.
 */
import assert from 'node:assert/strict';
import type { BlockVerdict, Chain } from '#chain';
import { type NetworkParams, parseNetworkParams, type ValidationFailure } from '#consensus';
import { sha256 } from '#crypto';
import type { Block, Sats } from '#primitives';
import { type ScriptErrorCode, scriptErrorText } from '#script';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { encodeCoin, encodeCoinKey } from '../../src/chain/coin-codec.ts';
import { type BlockOptions, type ChainBuilder, createChainBuilder, regtest } from './chain-builder.ts';
import { ANYONE_CAN_SPEND } from './keys.ts';
import { createTestDisk, openTestChain, type TestDisk } from './test-chain.ts';
import { rawTx, type TestCoin } from './tx-builder.ts';

/** Coinbases may be spent from the block behind this one on: block 101 can spend that of block 1. */
export const BASE_HEIGHT = 100;
/** The first height that a test decides on when one block has made its coins. */
export const FIRST_HEIGHT = BASE_HEIGHT + 2;

/** What `fund` puts into each coin; what `signedTx` signs for. */
const COIN_SATS = 100_000n;

/** Regtest with other fields, read as a private network's file is. */
export function regtestWith(fields: Readonly<Record<string, unknown>>): NetworkParams {
  return parseNetworkParams({ base: 'regtest', name: 'rules', ...fields }, { regtest: regtestFile });
}

export type RuleChainOptions = {
  readonly params?: NetworkParams;
  /** Blocks to start with; default: `BASE_HEIGHT`. */
  readonly blocks?: number;
  readonly disk?: TestDisk;
};

export class RuleChain {
  readonly chain: Chain;
  readonly builder: ChainBuilder;
  #spentCoinbases = 0;

  private constructor(chain: Chain, builder: ChainBuilder) {
    this.chain = chain;
    this.builder = builder;
  }

  static async open(options: RuleChainOptions = {}): Promise<RuleChain> {
    const { params = regtest(), blocks = BASE_HEIGHT, disk = createTestDisk() } = options;
    const chain = await openTestChain(params, disk);
    const rules = new RuleChain(chain, createChainBuilder(params));
    await rules.extend(blocks, { coinbaseScript: ANYONE_CAN_SPEND });
    return rules;
  }

  /** Of the next block. */
  get nextHeight(): number {
    return this.builder.height + 1;
  }

  /** The block connects and is the tip then. */
  async accept(options: BlockOptions = {}): Promise<Block> {
    const block = this.builder.mine(options);
    assert.equal(describe(await this.chain.submitBlock(block)), 'connected', `block ${this.builder.height}`);
    assert.equal(this.chain.tip().hash, block.hash);
    return block;
  }

  /** The block is refused with that code, and nothing else changes. */
  async reject(
    code: string,
    options: BlockOptions = {},
    kind: ValidationFailure['kind'] = 'consensus',
  ): Promise<Block> {
    const block = this.builder.build(options);
    await this.refuses(block, code, kind);
    return block;
  }

  /** As `reject`, for a block from elsewhere. */
  async refuses(block: Block, code: string, kind: ValidationFailure['kind'] = 'consensus'): Promise<void> {
    const tip = this.chain.tip().hash;
    assert.equal(describe(await this.chain.submitBlock(block)), `${kind}: ${code}`);
    assert.equal(this.chain.tip().hash, tip);
  }

  /** Accepts the blocks of another builder on the same genesis. */
  async follow(other: ChainBuilder): Promise<void> {
    for (const block of other.blocks.slice(this.builder.height)) {
      this.builder.append(block);
      assert.equal(describe(await this.chain.submitBlock(block)), 'connected');
    }
  }

  async extend(count: number, options: BlockOptions = {}): Promise<void> {
    for (let i = 0; i < count; i++) await this.accept(options);
  }

  /** Until a block at `height` is the next. */
  async extendTo(height: number): Promise<void> {
    await this.extend(height - this.nextHeight);
  }

  /** The oldest coinbase not taken yet; anybody can spend it. Taken one a block, it is always old enough. */
  takeCoinbase(): TestCoin {
    this.#spentCoinbases++;
    return this.builder.coin(this.#spentCoinbases);
  }

  /** A block that makes one coin for each script. */
  async fund(scripts: readonly Uint8Array[]): Promise<TestCoin[]> {
    const outputs = scripts.map((scriptPubKey) => ({ value: COIN_SATS, scriptPubKey }));
    await this.accept({ transactions: [rawTx([{ coin: this.takeCoinbase() }], outputs)] });
    return scripts.map((_, index) => this.builder.coin(this.builder.height, 1, index));
  }

  /** One coin with that script, in a block of its own. */
  async fundOne(script: Uint8Array): Promise<TestCoin> {
    const [coin] = await this.fund([script]);
    assert(coin !== undefined);
    return coin;
  }
}

/** Puts coins into the store of a chain that was never opened: amounts that no chain of a few blocks can make. */
export async function storeCoins(disk: TestDisk, values: readonly Sats[]): Promise<TestCoin[]> {
  const coins = values.map((value, index) => {
    return { txid: sha256(Buffer.from('stored coins')), index, output: { value, scriptPubKey: ANYONE_CAN_SPEND } };
  });
  await disk.coinsStore.write(
    coins.map(({ output, ...outpoint }) => ({
      kind: 'put',
      key: encodeCoinKey(outpoint),
      value: encodeCoin({ output, height: 0, isCoinbase: false }),
    })),
    { sync: true },
  );
  return coins;
}

/** The code of a block with a script that fails. */
export function scriptFailure(error: ScriptErrorCode): string {
  return `mandatory-script-verify-flag-failed (${scriptErrorText(error)})`;
}

function describe(verdict: BlockVerdict): string {
  return verdict.kind === 'invalid' ? `${verdict.failure.kind}: ${verdict.failure.code}` : verdict.kind;
}
