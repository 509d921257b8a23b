/**
 * The node under test: sync with its real options (bytes scaled) over the real chain, with peers punished by the real
 * table of offences and points. Everything that comes in passes the ledger.
 */
import type { Chain } from '#chain';
import type { Block } from '#primitives';
import type { OffenceName } from '#protocol';
import { type BlockItem, createSync, type Sync, type SyncDeps, type SyncOptions, syncDefaults } from '#sync';
import { nullLogger, type Random, sleep } from '#util';
import type { Reputation } from '../../src/net/reputation.ts';
import { judgeBlock } from '../../src/node/judge.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import type { SimNetwork } from '../support/sim-peers.ts';
import { scaled } from './sync-blocks.ts';
import type { Ledger } from './sync-ledger.ts';

/** Fewer than Core's 2000, so that the headers take several requests. */
export const MAX_HEADERS = 400;

const { blocks: defaults } = syncDefaults;

export const OPTIONS: SyncOptions = {
  ...syncDefaults,
  headers: { ...syncDefaults.headers, maxHeadersPerRequest: MAX_HEADERS },
  blocks: {
    ...defaults,
    firstBlockBytes: scaled(defaults.firstBlockBytes),
    intake: { ...defaults.intake, maxBytes: scaled(defaults.intake.maxBytes) },
    maxAskedBytes: scaled(defaults.maxAskedBytes),
    sizing: { ...defaults.sizing, firstBatchBytes: scaled(defaults.sizing.firstBatchBytes) },
  },
};

type NodeDeps = {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly chain: Chain;
  readonly net: SimNetwork;
  readonly ledger: Ledger;
  readonly reputation: Reputation;
  /** What the chain needs for a block. */
  readonly submitMs: number;
  /** Ends a connection; it may come back unless `isBanned`. */
  readonly drop: (peer: string, isBanned: boolean) => void;
};

export class SyncNode {
  readonly fatal: unknown[] = [];
  sync: Sync;
  readonly #deps: NodeDeps;

  constructor(deps: NodeDeps) {
    this.#deps = deps;
    this.sync = this.#create();
  }

  /** Stops the download and begins anew over what is stored; the peers are to say hello again. */
  async restart(): Promise<void> {
    await this.sync[Symbol.asyncDispose]();
    this.#deps.ledger.forgetHeld();
    this.sync = this.#create();
  }

  #create(): Sync {
    const { clock, random, chain, net, ledger, drop } = this.#deps;
    const netDeps = net.deps();
    const deps: SyncDeps = {
      ...netDeps,
      chain: { ...chain, submitBlock: (block) => this.#submit(block) },
      requestBlocks: (peer, hashes, signal) => this.#counted(peer, netDeps.requestBlocks(peer, hashes, signal)),
      charge: (peer, offence, detail) => this.#charge(peer, offence, detail),
      judge: (peer, what, failure) => {
        const { offence } = judgeBlock(failure, what);
        if (offence !== undefined) this.#charge(peer, offence, failure.code);
      },
      disconnect: (peer, reason) => {
        ledger.disconnected(peer, reason);
        drop(peer, false);
      },
      fatal: (error) => this.fatal.push(error),
      clock,
      random,
      log: nullLogger,
    };
    return createSync(deps, OPTIONS);
  }

  #charge(peer: string, offence: OffenceName, detail: string): void {
    const { reputation, ledger, drop } = this.#deps;
    const judgement = reputation.charge(peer, undefined, offence, false);
    ledger.charged(peer, offence, detail, judgement);
    if (judgement !== 'noted') drop(peer, judgement === 'ban');
  }

  async *#counted(peer: string, items: AsyncIterable<BlockItem>): AsyncIterable<BlockItem> {
    for await (const item of items) {
      if (item.bytes !== undefined) this.#deps.ledger.arrived(peer, item.hash, item.bytes);
      yield item;
    }
  }

  async #submit(block: Block): ReturnType<Chain['submitBlock']> {
    const { clock, chain, ledger, submitMs } = this.#deps;
    if (submitMs > 0) await sleep(clock, submitMs);
    const verdict = await chain.submitBlock(block);
    ledger.decided(block.hash);
    return verdict;
  }
}
