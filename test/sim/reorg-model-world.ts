/** Random operations on the real chain and on the model, which must agree after each. */
import assert from 'node:assert/strict';
import type { Chain, Coin } from '#chain';
import { Block, type BlockHash } from '#primitives';
import { type Random, seededRandom } from '#util';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { ANYONE_CAN_SPEND } from '../support/keys.ts';
import { createTestDisk, openTestChain, type TestDisk } from '../support/test-chain.ts';
import { ancestors, type ModelBlock, ReorgModel } from './reorg-model.ts';
import { BlockMaker, FAULTS } from './reorg-model-blocks.ts';

/** Blocks before the first operation: some coinbases can be spent. */
const BASE_HEIGHT = 110;
/** Nothing forks below it. */
const LOWEST_FORK = 102;
const MAX_BRANCH_BLOCKS = 60;
const MAX_LATE_BODIES = 20;
/** How far back one operation can reach. */
const WATCHED_DEPTH = MAX_BRANCH_BLOCKS + 10;
/** Blocks in flight above the tip. */
const MAX_AHEAD = 16;
const CACHE_BYTES = [0, 2_000, 20_000, 1 << 20];

export class ReorgWorld {
  readonly #random: Random;
  readonly #model: ReorgModel;
  /** By us and not reconsidered since, as far as crashes let us know. */
  readonly #invalidated = new Set<ModelBlock>();
  readonly #maker: BlockMaker;
  readonly #disk: TestDisk;
  /** The active chain as the observer was told, without the base. */
  readonly #told: BlockHash[] = [];
  #chain: Chain;
  /** Blocks disconnected since the last one was connected. */
  #depth = 0;
  #deepest = 0;
  #faults = 0;

  private constructor(random: Random, model: ReorgModel, disk: TestDisk, chain: Chain) {
    this.#random = random;
    this.#model = model;
    this.#maker = new BlockMaker(random, model);
    this.#disk = disk;
    this.#chain = chain;
  }

  static async open(seed: number): Promise<ReorgWorld> {
    const disk = createTestDisk();
    const chain = await openTestChain(regtest(), disk);
    const model = new ReorgModel(createChainBuilder(regtest(), { seed }));
    const world = new ReorgWorld(seededRandom(seed), model, disk, chain);
    world.#observe();
    for (let height = 1; height <= BASE_HEIGHT; height++) {
      const builder = world.tip.builder.fork(height - 1);
      builder.mine({ coinbaseScript: ANYONE_CAN_SPEND });
      await world.#deliver([model.add(world.tip, builder, false)]);
    }
    return world;
  }

  get tip(): ModelBlock {
    return this.#model.get(this.#chain.tip().hash);
  }

  get summary(): string {
    return `${this.#model.blocks.size} blocks, height ${this.tip.height}, deepest reorganisation ${this.#deepest}`;
  }

  extend(): Promise<void> {
    return this.#deliver(this.#maker.chain(this.tip, 1 + this.#random.below(3)));
  }

  /** On any recent block, invalid ones too. */
  fork(): Promise<void> {
    return this.#deliver(this.#maker.chain(this.#recent(20), 1 + this.#random.below(5)));
  }

  /** From anywhere on the active chain to one block above the tip. */
  overtake(): Promise<void> {
    const from = this.#activeBlock(this.#random.below(MAX_BRANCH_BLOCKS - 1));
    return this.#deliver(this.#maker.chain(from, this.tip.height - from.height + 1));
  }

  /** Better than the tip, but for one block in the middle; each fault in turn. */
  invalidBranch(): Promise<void> {
    const from = this.#activeBlock(this.#random.below(12));
    const depth = this.tip.height - from.height;
    const before = this.#maker.chain(from, this.#random.below(depth + 2));
    const bad = this.#maker.make(before.at(-1) ?? from, FAULTS[this.#faults++ % FAULTS.length]);
    const after = this.#maker.chain(bad, 1 + this.#random.below(depth + 3));
    const branch = [...before, bad, ...after];
    if (this.#random.below(2) === 0) return this.#deliver(branch);
    // Backwards: nothing is connected, and so nothing found, before all is there.
    this.#announce(branch);
    return this.#deliver(branch.toReversed());
  }

  /** Headers first, then bodies in any order; some stay away. */
  outOfOrder(): Promise<void> {
    const branch = this.#maker.chain(this.#recent(10), 2 + this.#random.below(8));
    this.#announce(branch);
    return this.#deliver(this.#shuffled(branch).slice(this.#random.below(3)));
  }

  /** Bodies that were held back, refused or lost. */
  lateBodies(): Promise<void> {
    const missing = [...this.#model.blocks.values()].filter((block) => !block.isStored);
    return this.#deliver(missing.filter(() => this.#random.below(3) > 0).slice(-MAX_LATE_BODIES));
  }

  async knownBlock(): Promise<void> {
    const block = this.#recent(30);
    const isKnown = block.isStored && block.coins !== undefined && !block.isFlagged;
    const verdict = await this.#chain.submitBlock(new Block(block.block.raw));
    if (isKnown) assert.equal(verdict.kind, 'duplicate');
    await this.#settle();
    this.#learnStored(block);
  }

  async invalidate(): Promise<void> {
    const block = this.#random.below(3) === 0 ? this.#recent(15) : this.#activeBlock(this.#random.below(10));
    if (block.height <= LOWEST_FORK || !this.#isKnown(block)) return;
    await this.#chain.invalidateBlock(block.hash);
    await this.#settle();
    this.#invalidated.add(block);
    for (const each of this.#model.family(block)) if (this.#isKnown(each)) each.isFlagged = true;
  }

  async reconsider(): Promise<void> {
    const flagged = [...this.#model.blocks.values()].filter((block) => block.isFlagged);
    if (flagged.length === 0) return;
    const block = this.#maker.pick(flagged);
    await this.#chain.reconsiderBlock(block.hash);
    await this.#settle();
    for (const each of [...this.#model.family(block), ...ancestors(block)]) this.#invalidated.delete(each);
    for (const each of this.#model.blocks.values()) {
      if (each.coins === undefined || !this.#isKnown(each)) continue;
      const isRefused = this.#chain.isInvalid(each.hash);
      const mayBeRefused = each.isFlagged && ancestors(each).some((up) => this.#invalidated.has(up));
      assert.ok(mayBeRefused || !isRefused, `block ${each.height} ${each.hash} is refused for nothing`);
      each.isFlagged = isRefused;
    }
  }

  flush(): Promise<void> {
    return this.#chain.flush();
  }

  async close(): Promise<void> {
    const before = this.tip;
    const stored = this.#storedBlocks();
    await this.#chain[Symbol.asyncDispose]();
    await this.#reopen();
    assert.equal(this.tip, before, 'the tip is left for an equal block');
    assert.deepEqual(this.#storedBlocks(), stored);
    this.#model.forgetOrder(ancestors(before));
  }

  /** The chain is dropped as it is. */
  async crash(): Promise<void> {
    const stored = this.#storedBlocks();
    await this.#reopen();
    for (const block of this.#model.blocks.values()) {
      if (block.coins === undefined) continue;
      block.isFlagged = this.#chain.isInvalid(block.hash);
      // What was reconsidered since the last flush is invalid again; by which of them nobody can tell.
      if (block.isFlagged) this.#invalidated.add(block);
    }
    const found = new Set(this.#storedBlocks());
    for (const block of stored) {
      if (found.has(block)) continue;
      const isExcused =
        block.sequence === undefined || ancestors(block).some(({ hash }) => this.#chain.isInvalid(hash));
      assert.ok(isExcused, `block ${block.height} ${block.hash} was lost`);
      this.#model.lost(block);
    }
    // Bodies that an earlier crash lost still lie in the files: now their parents may be known.
    for (const block of found) this.#model.stored(block);
    this.#model.forgetOrder([]);
  }

  /** The tip, every coin, every coin that could have stayed or come back wrongly, and which blocks are refused. */
  check(): void {
    const { tip } = this;
    this.#model.settle(tip);
    assert.equal(this.#told.at(-1) ?? tip.hash, tip.hash, 'observers know the tip');
    const recent = this.#model.above(tip.height - WATCHED_DEPTH);
    for (const block of recent) {
      if (block.coins === undefined || !this.#isKnown(block)) continue;
      assert.equal(
        this.#chain.isInvalid(block.hash),
        block.isFlagged,
        `is block ${block.height} ${block.hash} refused`,
      );
    }
    const touched = recent.flatMap((block) => block.touched);
    for (const key of new Set([...(tip.coins?.keys() ?? []), ...touched])) this.#checkCoin(key, tip.coins?.get(key));
  }

  /** What observers see: the blocks that are on their way have changed nothing yet. */
  #checkCoinsAt(tip: ModelBlock): void {
    const near = this.#model.above(tip.height - 2).filter(({ height }) => height < tip.height + MAX_AHEAD);
    for (const key of near.flatMap((block) => block.touched)) this.#checkCoin(key, tip.coins?.get(key));
  }

  #checkCoin(key: string, expected: Coin | undefined): void {
    const outpoint = this.#model.outpoints.get(key);
    const actual = outpoint === undefined ? undefined : this.#chain.getCoin(outpoint);
    const isEqual =
      actual?.height === expected?.height &&
      actual?.isCoinbase === expected?.isCoinbase &&
      actual?.output.value === expected?.output.value;
    if (!isEqual) assert.deepEqual(actual, expected, `coin ${key}`);
  }

  /** Writes everything, and walks the set: nothing is in it that the model does not know. */
  async checkWholeSet(): Promise<void> {
    const { txouts, totalAmount, bestBlock } = await this.#chain.utxoStats();
    const coins = [...(this.tip.coins?.values() ?? [])];
    assert.equal(bestBlock, this.tip.hash);
    assert.equal(txouts, coins.length);
    assert.equal(
      totalAmount,
      coins.reduce((sum, { output }) => sum + output.value, 0n),
    );
  }

  /** A chain that was only ever shown the best branch has the same set. */
  async checkAgainstStraightChain(): Promise<void> {
    const straight = await openTestChain(regtest());
    for (const block of this.tip.builder.blocks) await straight.submitBlock(block);
    assert.deepEqual(await this.#chain.utxoStats(), await straight.utxoStats());
  }

  async #reopen(): Promise<void> {
    this.#chain = await openTestChain(regtest(), this.#disk, { dbCacheBytes: this.#maker.pick(CACHE_BYTES) });
    this.#observe();
  }

  #observe(): void {
    this.#told.length = 0;
    this.#chain.observe({
      changed: ({ disconnected, connected, tip }) => {
        for (const { entry } of disconnected) {
          const told = this.#told.pop();
          assert.equal(told ?? entry.hash, entry.hash);
        }
        for (const { entry } of connected) this.#told.push(entry.hash);
        this.#depth += disconnected.length;
        this.#deepest = Math.max(this.#deepest, this.#depth);
        if (connected.length > 0) this.#depth = 0;
        assert.equal(this.#told.at(-1) ?? tip.hash, tip.hash);
        this.#checkCoinsAt(this.#model.get(tip.hash));
      },
    });
  }

  #announce(branch: readonly ModelBlock[]): void {
    this.#chain.submitHeaders(branch.map(({ block }) => block.header));
  }

  /** One after another, or all at once. */
  async #deliver(blocks: readonly ModelBlock[]): Promise<void> {
    const submit = async (block: ModelBlock): Promise<void> => {
      const isExpected = this.#isExpected(block);
      const verdict = await this.#chain.submitBlock(new Block(block.block.raw));
      if (isExpected)
        assert.ok(this.#chain.hasBlock(block.hash), `block ${block.height} is ${JSON.stringify(verdict)}`);
    };
    if (this.#random.below(2) === 0) for (const block of blocks) await submit(block);
    else await Promise.all(blocks.map(submit));
    await this.#settle();
    for (const block of blocks) this.#learnStored(block);
  }

  /** A block's verdict may come before the chain has moved to where it goes; that of a known one comes last. */
  async #settle(): Promise<void> {
    assert.equal((await this.#chain.submitBlock(regtest().genesis)).kind, 'duplicate');
  }

  /** Nothing is wrong with the block, and its parent's header is known. */
  #isExpected({ coins, isFlagged, parent }: ModelBlock): boolean {
    return coins !== undefined && !isFlagged && parent !== undefined && !parent.isFlagged && this.#isKnown(parent);
  }

  #learnStored(block: ModelBlock): void {
    if (this.#chain.hasBlock(block.hash)) this.#model.stored(block);
  }

  #isKnown(block: ModelBlock): boolean {
    return this.#chain.getHeader(block.hash) !== undefined;
  }

  #storedBlocks(): ModelBlock[] {
    return [...this.#model.blocks.values()].filter(({ hash }) => this.#chain.hasBlock(hash));
  }

  /** So many blocks below the tip, or the lowest that may be forked. */
  #activeBlock(depth: number): ModelBlock {
    const entry = this.#chain.activeAt(Math.max(LOWEST_FORK, this.tip.height - depth));
    assert(entry !== undefined);
    return this.#model.get(entry.hash);
  }

  /** Of any branch, at most `depth` blocks below the tip. */
  #recent(depth: number): ModelBlock {
    const lowest = Math.max(LOWEST_FORK, this.tip.height - depth);
    return this.#maker.pick(this.#model.above(lowest - 1));
  }

  #shuffled<T>(items: readonly T[]): T[] {
    const keyed = items.map((item) => [this.#random.below(2 ** 32), item] as const);
    return keyed.sort(([a], [b]) => a - b).map(([, item]) => item);
  }
}
