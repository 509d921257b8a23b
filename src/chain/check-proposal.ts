/**
 * Whether a block that lacks its proof of work could follow the tip: Core's TestBlockValidity. Coins are changed on trial
 * only, and neither header nor block is remembered. The chain must hold still.
 */
import {
  blockProof,
  checkBlockBody,
  contextualCheckBlock,
  contextualCheckBlockHeader,
  failure,
  type HeaderView,
  medianTimePast,
  type ValidationFailure,
} from '#consensus';
import { type Block, DecodeError } from '#primitives';
import { type Clock, Slices } from '#util';
import type { ScriptVerifier } from '#verify';
import type { AcceptDeps } from './accept.ts';
import type { ActiveChain } from './active-chain.ts';
import { BlockChange, scriptFailure } from './block-change.ts';
import type { CoinsCache } from './coins-cache.ts';
import { CoinsOverlay } from './coins-overlay.ts';
import type { HeaderEntry } from './port.ts';

export type CheckProposalDeps = AcceptDeps & {
  readonly active: ActiveChain;
  readonly coins: CoinsCache;
  readonly verifier: ScriptVerifier;
  readonly signal: AbortSignal;
  readonly clock: Clock;
};

/** Throws the signal's reason, and NodeError where the scripts cannot be run. */
export async function checkProposal(deps: CheckProposalDeps, block: Block): Promise<ValidationFailure | undefined> {
  const { active, clock, coins, index, params, signal, verifier } = deps;
  const prev = index.tree.entry(active.tip ?? 0);
  if (block.header.prevHash !== prev.hash) return failure('missing-prev', 'inconclusive-not-best-prevblk');
  const found =
    contextualCheckBlockHeader(block.header, prev, params, deps.now(), deps.checkpoints.last) ??
    checkBody(block) ??
    contextualCheckBlock(block, prev, params);
  if (found !== undefined) return found;
  const change = new BlockChange({ params, coins: new CoinsOverlay(coins) }, block, entryBehind(prev, block));
  const broken = await change.apply(new Slices(clock).rest);
  if (broken !== undefined) return broken;
  const failed = await verifier.verify(change.jobs, { signal });
  return failed === undefined ? undefined : scriptFailure(change, failed);
}

function checkBody(block: Block): ValidationFailure | undefined {
  try {
    return checkBlockBody(block);
  } catch (error) {
    if (error instanceof DecodeError) return failure('mutated', 'bad-blk-decode', error.message);
    throw error;
  }
}

/** What the tree would say of the block. */
function entryBehind(prev: HeaderEntry & HeaderView, { header }: Block): HeaderEntry & HeaderView {
  const { hash, version, time, bits } = header;
  const height = prev.height + 1;
  const view: HeaderView = {
    height,
    version,
    time,
    bits,
    hash,
    ancestor: (at) => (at === height ? view : prev.ancestor(at)),
  };
  const chainWork = prev.chainWork + blockProof(bits);
  return { ...view, header, chainWork, medianTimePast: medianTimePast(view) };
}
