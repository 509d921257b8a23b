/**
 * Spends of odd scripts from before segwit, given to this interpreter and to Bitcoin Core itself, which says why a script
 * fails: first as a transaction, under the flags of policy, then in a block, under those of consensus.
 */
import { loadSecp256k1, type Secp256k1 } from '#crypto';
import type { Transaction } from '#primitives';
import {
  isUnspendable,
  ScriptFlag,
  scriptErrorText,
  signatureHash,
  TxSighash,
  TxSignatureChecker,
  verifyScript,
  witnessProgram,
} from '#script';
import { assert, type Random, seededRandom, toHex } from '#util';
import type { ChainBuilder } from '../../test/support/chain-builder.ts';
import { type CoreProgram, coreLacks } from '../../test/support/core-program.ts';
import { ANYONE_CAN_SPEND } from '../../test/support/keys.ts';
import { type OddSpend, oddSpend } from '../../test/support/odd-spends.ts';
import { pick } from '../../test/support/pick.ts';
import { rawTx, type TestCoin } from '../../test/support/tx-builder.ts';
import { type CorePair, inNewWords, judge, LOST_REASON, startPair } from './core-pair.ts';
import type { FuzzTarget, Outcome } from './target.ts';

/** Core's STANDARD_SCRIPT_VERIFY_FLAGS of then. CLEANSTACK asks for WITNESS here; no script in use is of that kind. */
const POLICY_FLAGS =
  ScriptFlag.P2SH |
  ScriptFlag.DERSIG |
  ScriptFlag.STRICTENC |
  ScriptFlag.MINIMALDATA |
  ScriptFlag.NULLDUMMY |
  ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS |
  ScriptFlag.CLEANSTACK |
  ScriptFlag.WITNESS |
  ScriptFlag.CHECKLOCKTIMEVERIFY;
/** Core's MANDATORY_SCRIPT_VERIFY_FLAGS of then. */
const MANDATORY_FLAGS = ScriptFlag.P2SH;

const COIN_SATS = 1_000_000n;

export const coreScripts: FuzzTarget = {
  name: 'core-scripts',
  what: 'scripts before segwit, run here and by Bitcoin Core 0.11.99',
  usualCases: 50_000,
  lacks: coreLacks,
  start: async (stack) => {
    const pair = await startPair(stack);
    const secp = loadSecp256k1();
    return (seed, cases) => runShare({ ...pair, secp }, seed, cases);
  },
};

type Judges = CorePair & { readonly secp: Secp256k1 };

async function* runShare(judges: Judges, seed: number, cases: number): AsyncGenerator<Outcome, void, void> {
  const random = seededRandom(seed);
  const builder = judges.base.fork(judges.base.height);
  const spends = Array.from({ length: cases }, () => beforeSegwit(random));
  const outputs = [...spends.map(({ lock }) => lock), ...spends.map(() => ANYONE_CAN_SPEND)].map((scriptPubKey) => {
    return { value: COIN_SATS, scriptPubKey };
  });
  const funding = builder.mine({
    transactions: [rawTx([{ coin: judges.base.coin(1) }], outputs)],
    extraNonce: random.below(2 ** 32),
  });
  const funded = await judge(judges, 'coins for the scripts', funding);
  if (funded.difference !== undefined) yield funded;
  for (const [index, spend] of spends.entries()) {
    const coins = [index, cases + index].map((at) => builder.coin(judges.base.height + 1, 1, at));
    yield await judgeSpend(judges, builder, random, spend, coins);
  }
  await judges.forget(funding);
}

/** Outputs that look like witness programs had no meaning then; and some cannot be spent by anybody. */
function beforeSegwit(random: Random): OddSpend {
  for (;;) {
    const spend = oddSpend(random);
    const programs = [spend.lock, spend.redeem].filter(
      (each) => each !== undefined && witnessProgram(each) !== undefined,
    );
    if (programs.length === 0 && !isUnspendable(spend.lock)) return spend;
  }
}

/** `coins`: that of the spend, and one for anybody that some spends take as well. */
async function judgeSpend(
  judges: Judges,
  builder: ChainBuilder,
  random: Random,
  spend: OddSpend,
  coins: readonly TestCoin[],
): Promise<Outcome> {
  const { tx, at, spent } = signed(random, spend, coins);
  const checker = new TxSignatureChecker(new TxSighash(tx, spent), at, judges.secp);
  const scriptSig = tx.inputs[at]?.scriptSig ?? new Uint8Array(0);
  const verdict = (flags: number): string => {
    const error = verifyScript(scriptSig, spend.lock, [], flags, checker);
    return error === undefined ? 'valid' : scriptErrorText(error);
  };
  const ours = verdict(POLICY_FLAGS);
  const theirs = await policyOfCore(judges.core, tx);
  const block = builder.build({ transactions: [tx], extraNonce: random.below(2 ** 32) });
  const inBlock = await judge(judges, spend.kind, block);
  if (inBlock.isValid) builder.append(block);
  const isAgreed = theirs === LOST_REASON ? ours !== 'valid' && mayFailByPolicyAlone(verdict) : ours === theirs;
  if (isAgreed) return inBlock;
  return {
    ...inBlock,
    difference: `${spend.kind}: ${ours}, Core ${theirs} for ${toHex(spend.lock)} by ${toHex(tx.raw)}`,
  };
}

/** What is not DER was read by this build as by no release of Core: only that BIP66 refuses it is known. */
function mayFailByPolicyAlone(verdict: (flags: number) => string): boolean {
  const isNotDer = verdict(MANDATORY_FLAGS | ScriptFlag.DERSIG) === scriptErrorText('SIG_DER');
  return isNotDer || verdict(MANDATORY_FLAGS) === 'valid';
}

type SignedSpend = {
  readonly tx: Transaction;
  /** Which input it is. */
  readonly at: number;
  readonly spent: readonly TestCoin['output'][];
};

/** Alone or beside another input, with a lock time that is over. */
function signed(random: Random, spend: OddSpend, [coin, other]: readonly TestCoin[]): SignedSpend {
  assert(coin !== undefined && other !== undefined, 'both were funded');
  const coins = pick(random, [[coin], [coin, other], [other, coin]]);
  const at = coins.indexOf(coin);
  const sequence = pick(random, [0xffffffff, 0xfffffffe, 0]);
  const shape = { version: pick(random, [1, 2]), lockTime: pick(random, [0, 1, 2, 3, 500_000_001]) };
  const outputs = Array.from({ length: 1 + random.below(2) }, () => {
    return { value: COIN_SATS / 10n, scriptPubKey: ANYONE_CAN_SPEND };
  });
  const withScript = (scriptSig: Uint8Array): Transaction =>
    rawTx(
      coins.map((each) => ({ coin: each, sequence, ...(each === coin && { scriptSig }) })),
      outputs,
      shape,
    );
  const unsigned = withScript(new Uint8Array(0));
  const hashFor = (scriptCode: Uint8Array, hashType: number): Uint8Array =>
    signatureHash(scriptCode, unsigned, at, hashType);
  return { tx: withScript(spend.unlock(hashFor)), at, spent: coins.map(({ output }) => output) };
}

/** `valid`, or the text of the script's error; another reason as it is. */
async function policyOfCore(core: CoreProgram, tx: Transaction): Promise<string> {
  const reply = await core.reply('sendrawtransaction', toHex(tx.raw), true);
  if (reply.kind === 'result') return 'valid';
  return inNewWords(/script-verify-flag(?:-failed)? \((.*)\)$/.exec(reply.message)?.[1] ?? reply.message);
}
