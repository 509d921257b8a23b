/** This chain and Bitcoin Core's, on the same blocks by the same clock, with what came after Core 0.11 switched off here. */
import type { Chain } from '#chain';
import type { Block } from '#primitives';
import { assert, toHex } from '#util';
import { type ChainBuilder, createChainBuilder } from '../../test/support/chain-builder.ts';
import { type CoreProgram, startCore } from '../../test/support/core-program.ts';
import { ANYONE_CAN_SPEND } from '../../test/support/keys.ts';
import { regtestWith } from '../../test/support/rule-chain.ts';
import { openTestChain } from '../../test/support/test-chain.ts';
import type { Outcome } from './target.ts';

/** Soft forks of that time came into force with 750 of 1000 blocks; and these make coins to spend. */
const BASE_BLOCKS = 1_200;
/** The coinbases of heights 1 to this are mature behind the base, and anybody can spend them. */
export const MATURE_COINS = BASE_BLOCKS - 100;
/** P2SH came into force at a time (BIP16), in April 2012; here it always is. */
const START_SECONDS = 1_400_000_000;
const NEVER = 10_000_000;

/** What this build of Core says of a script that fails under some flags, but not under those that it calls mandatory. */
export const LOST_REASON = 'No error';
/** Of a difference a block is part of the report up to this size. */
const MAX_SHOWN_BYTES = 4_000;

export type CorePair = {
  readonly chain: Chain;
  readonly core: CoreProgram;
  readonly base: ChainBuilder;
  /** Unix seconds, by both clocks. */
  readonly now: number;
  /** Takes a block, and all that stands on it, out of both chains. */
  readonly forget: (block: Block) => Promise<void>;
};

export async function startPair(stack: AsyncDisposableStack): Promise<CorePair> {
  const params = regtestWith({
    activation: { bip34: 1, bip66: 1, bip65: NEVER, csv: NEVER, segwit: NEVER, taproot: NEVER },
  });
  const base = createChainBuilder(params);
  base.mine({ coinbaseScript: ANYONE_CAN_SPEND, time: START_SECONDS });
  base.mineMany(BASE_BLOCKS - 1, { coinbaseScript: ANYONE_CAN_SPEND });
  const now = base.view(base.height).time + 7 * 86_400;
  const chain = await openTestChain(params, undefined, { nowSeconds: now });
  // Without script threads: those give no reason.
  const core = stack.use(await startCore(['-par=1', `-mocktime=${now}`]));
  for (const block of base.blocks) {
    const [ours, theirs] = [await chain.submitBlock(block), await core.call('submitblock', toHex(block.raw))];
    assert(ours.kind === 'connected' && theirs === null, `both take the base: ${ours.kind}, ${JSON.stringify(theirs)}`);
  }
  return {
    ...{ chain, core, base, now },
    forget: async ({ hash }) => {
      await chain.invalidateBlock(hash);
      await core.call('invalidateblock', hash);
    },
  };
}

/** Valid: stored or connected, by both. */
export async function judge({ chain, core }: CorePair, kind: string, block: Block): Promise<Outcome> {
  const [ours, theirs] = [await ownVerdict(chain, block), await coreVerdict(core, block)];
  const [ourTip, theirTip] = [chain.tip().hash, String(await core.call('getbestblockhash'))];
  const isAgreed = ourTip === theirTip && isOneVerdict(ours, theirs);
  const bytes = block.raw.length > MAX_SHOWN_BYTES ? `${block.raw.length} bytes` : toHex(block.raw);
  return {
    kind,
    isValid: isAgreed && (ours === 'connected' || ours === 'stored'),
    difference: isAgreed ? undefined : `${kind}: ${ours} ${ourTip}, Core ${theirs} ${theirTip} for ${bytes}`,
  };
}

async function ownVerdict(chain: Chain, block: Block): Promise<string> {
  const verdict = await chain.submitBlock(block);
  return verdict.kind === 'invalid' ? verdict.failure.code : verdict.kind;
}

/** BIP22's words in ours. */
async function coreVerdict(core: CoreProgram, block: Block): Promise<string> {
  const answer = await core.call('submitblock', toHex(block.raw));
  return answer === null ? 'connected' : answer === 'inconclusive' ? 'stored' : String(answer);
}

function isOneVerdict(ours: string, theirs: string): boolean {
  // Since 0.14 Core looks no further at what stands on a block that stands on an invalid one; before, it might store it.
  if (ours === 'bad-prevblk') return theirs !== 'connected';
  // BIP66 counted as a rule of policy in the code, also where it was one of consensus; the reason got lost on the way.
  if (theirs === `non-mandatory-script-verify-flag (${LOST_REASON})`)
    return ours.startsWith('mandatory-script-verify-flag');
  const known = ours === 'prev-blk-not-found' ? 'bad-prevblk' : ours.replace(/^bad-version\(.*/, 'bad-version');
  return known === inNewWords(theirs);
}

/** A text of a script's error that Core has corrected since. */
export function inNewWords(reason: string): string {
  return reason.replace('Only non-push operators allowed in signatures', 'Only push operators allowed in signatures');
}
