/** What miners outside ask of a node: templates of the next block, proof of work for test chains, headers. */
import type { Chain } from '#chain';
import { type BlockTemplate, blockOf, createBlockTemplate, type Mempool } from '#mempool';
import { solveBlock } from '#miner';
import type { Clock, Random } from '#util';
import type { CurrentTemplate, NodeMining } from './port.ts';

/** A template may be so much older than the mempool: making one looks at all of it (Core's figure). */
const MAX_TEMPLATE_AGE_MS = 5_000;
/** Who asks for a template makes a coinbase of his own: OP_TRUE stands in for his script, as in Core. */
const ANYONE_CAN_SPEND = Uint8Array.of(0x51);

export type NodeMiningDeps = {
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly clock: Clock;
  readonly random: Random;
};

export function createMining(deps: NodeMiningDeps): NodeMining {
  const { chain, mempool, clock, random } = deps;
  let last: { readonly weight: number; readonly transactions: number } | undefined;
  let kept: (CurrentTemplate & { readonly madeMs: number; readonly isWhole: boolean }) | undefined;
  const template = (scriptPubKey: Uint8Array): BlockTemplate => {
    const made = createBlockTemplate(deps, scriptPubKey, random.below(2 ** 32));
    last = { weight: made.weight, transactions: made.entries.length };
    return made;
  };
  const isFresh = ({ template: { block }, version, madeMs, isWhole }: NonNullable<typeof kept>): boolean => {
    if (!isWhole || block.header.prevHash !== chain.tip().hash) return false;
    // Where time alone may ease the difficulty, its bits grow old too.
    const keeps = version === mempool.version() && !chain.params.pow.allowMinDifficultyBlocks;
    return keeps || clock.monotonicMs() - madeMs <= MAX_TEMPLATE_AGE_MS;
  };
  return {
    template,
    current: () => {
      if (kept === undefined || !isFresh(kept)) {
        // Empty while the mempool works in a change of the chain.
        const isWhole = mempool.syncedTip() === chain.tip().hash;
        const made = { template: template(ANYONE_CAN_SPEND), version: mempool.version() };
        kept = { ...made, madeMs: clock.monotonicMs(), isWhole };
      }
      return kept;
    },
    assemble: (scriptPubKey, transactions) => {
      return blockOf(deps, { scriptPubKey, extraNonce: random.below(2 ** 32), fees: 0n, transactions });
    },
    lastTemplate: () => last,
    solve: (block, options) => solveBlock(block, chain.params, options),
    submitHeader: (header) => chain.submitHeaders([header]),
  };
}
