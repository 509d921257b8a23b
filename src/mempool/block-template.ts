/** A block on the chain's tip, ready for the search for a nonce: Core's BlockAssembler::CreateNewBlock. */
import type { ChainReader, HeaderEntry } from '#chain';
import { blockSubsidy, limits, type NetworkParams, nextWorkRequired } from '#consensus';
import type { Block, Sats, Transaction } from '#primitives';
import type { Clock } from '#util';
import { assembleBlock } from './assemble-block.ts';
import { headerView } from './header-view.ts';
import type { MempoolEntry } from './pool-entry.ts';
import type { Mempool } from './port.ts';
import {
  DEFAULT_SELECTION_TERMS,
  RESERVED_WEIGHT,
  type Selection,
  type SelectionTerms,
  selectTransactions,
} from './select-transactions.ts';

export type BlockTemplateDeps = {
  readonly chain: Pick<ChainReader, 'params' | 'tip' | 'ancestor'>;
  readonly mempool: Pick<Mempool, 'entries' | 'syncedTip'>;
  readonly clock: Clock;
};

export type BlockTemplateOptions = Partial<Pick<SelectionTerms, 'minFeeSatPerKvb' | 'maxWeight' | 'maxSigOpCost'>>;

export type BlockTemplate = {
  /** With nonce 0. */
  readonly block: Block;
  readonly height: number;
  /** What the transactions pay; the coinbase takes it besides the subsidy. */
  readonly fees: Sats;
  /** The transactions but the coinbase, in their order. */
  readonly entries: readonly MempoolEntry[];
  /** Weight with what was set aside for header and coinbase. */
  readonly weight: number;
  /** The earliest time that its header may have, Unix seconds. */
  readonly minTime: number;
};

/** BIP9: no deployment is signalled for. */
const BASE_VERSION = 0x20000000;
const EMPTY: Selection = { entries: [], fees: 0n, weight: RESERVED_WEIGHT, packages: [] };

/**
 * `extraNonce` (0 .. 2^53-1) makes another block of the same content. While the mempool works in a change of the
 * chain the template holds no transactions but the coinbase: it is valid at any time.
 */
export function createBlockTemplate(
  deps: BlockTemplateDeps,
  scriptPubKey: Uint8Array,
  extraNonce: number,
  options: BlockTemplateOptions = {},
): BlockTemplate {
  const { chain, mempool } = deps;
  const tip = chain.tip();
  const selection = mempool.syncedTip() === tip.hash ? selectForTip(chain, mempool.entries(), options) : EMPTY;
  const transactions = selection.entries.map((entry) => entry.tx);
  const block = blockOf(deps, { scriptPubKey, extraNonce, fees: selection.fees, transactions });
  return { block, height: tip.height + 1, minTime: minimumTime(tip, chain.params), ...selection };
}

/** Which of these entries, and of their ancestors, the next block would take. */
export function selectForTip(
  chain: Pick<ChainReader, 'params' | 'tip'>,
  entries: Iterable<MempoolEntry>,
  options: BlockTemplateOptions = {},
): Selection {
  const { height: parentHeight, medianTimePast } = chain.tip();
  const height = parentHeight + 1;
  const segwitActive = height >= chain.params.activation.segwit;
  return selectTransactions(entries, { ...DEFAULT_SELECTION_TERMS, ...options, height, medianTimePast, segwitActive });
}

export type BlockContent = {
  readonly scriptPubKey: Uint8Array;
  readonly extraNonce: number;
  /** What the coinbase claims besides the subsidy. */
  readonly fees: Sats;
  readonly transactions: readonly Transaction[];
};

/** The next block with just these transactions, which are not checked, and nonce 0. */
export function blockOf(deps: Pick<BlockTemplateDeps, 'chain' | 'clock'>, content: BlockContent): Block {
  const { chain, clock } = deps;
  const { params } = chain;
  const { scriptPubKey, extraNonce, fees, transactions } = content;
  const tip = chain.tip();
  const height = tip.height + 1;
  const time = Math.max(Math.floor(clock.now() / 1000), minimumTime(tip, params));
  return assembleBlock({
    version: BASE_VERSION,
    prevHash: tip.hash,
    time,
    bits: nextWorkRequired(headerView(chain, tip), time, params),
    height,
    coinbase: { scriptPubKey, value: blockSubsidy(height, params) + fees, extraNonce },
    // As Core: every block commits from segwit on, also one without witnesses.
    commitWitness: height >= params.activation.segwit,
    transactions,
  });
}

/** Above the median of the past; BIP94 also ties the first block of a period to its parent. */
function minimumTime(tip: HeaderEntry, params: NetworkParams): number {
  const afterMedian = tip.medianTimePast + 1;
  const { enforceBip94, targetTimespanSeconds, targetSpacingSeconds } = params.pow;
  const startsPeriod = (tip.height + 1) % Math.floor(targetTimespanSeconds / targetSpacingSeconds) === 0;
  if (!enforceBip94 || !startsPeriod) return afterMedian;
  return Math.max(afterMedian, tip.header.time - limits.MAX_TIMEWARP_SECONDS);
}
