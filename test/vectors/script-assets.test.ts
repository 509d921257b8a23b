/**
 * Bitcoin Core's script_assets_test.json (made by its feature_taproot.py; here from bitcore-lib): taproot and older
 * spends, each with a valid and an invalid form, run as Core's script_assets_test does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadSecp256k1 } from '#crypto';
import { Reader, readTxOutput, Transaction, type TxOutput } from '#primitives';
import { ScriptFlag, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { fromHex, type Random, seededRandom } from '#util';
import { packagedPath, parseFlags, reportCount } from '../support/core-vectors.ts';

type Spend = { readonly scriptSig: string; readonly witness: readonly string[] };
type Asset = {
  readonly tx: string;
  readonly prevouts: readonly string[];
  readonly index: number;
  readonly flags: string;
  readonly comment: string;
  /** Whether the valid form is valid only when all consensus flags apply. */
  readonly final?: boolean;
  readonly success?: Spend;
  readonly failure?: Spend;
};

/** Core's AllConsensusFlags: each combination of the consensus flags that has its premises. */
const CONSENSUS_FLAGS: readonly number[] = allConsensusFlags();

function allConsensusFlags(): readonly number[] {
  const all: number[] = [];
  for (let i = 0; i < 128; i++) {
    let flags = 0;
    if ((i & 1) !== 0) flags |= ScriptFlag.P2SH;
    if ((i & 2) !== 0) flags |= ScriptFlag.DERSIG;
    if ((i & 4) !== 0) flags |= ScriptFlag.NULLDUMMY;
    if ((i & 8) !== 0) flags |= ScriptFlag.CHECKLOCKTIMEVERIFY;
    if ((i & 16) !== 0) flags |= ScriptFlag.CHECKSEQUENCEVERIFY;
    if ((i & 32) !== 0) flags |= ScriptFlag.WITNESS;
    if ((i & 64) !== 0) flags |= ScriptFlag.TAPROOT;
    if ((flags & ScriptFlag.WITNESS) !== 0 && (flags & ScriptFlag.P2SH) === 0) continue;
    if ((flags & ScriptFlag.TAPROOT) !== 0 && (flags & ScriptFlag.WITNESS) === 0) continue;
    all.push(flags);
  }
  return all;
}

const path = packagedPath('bitcore-lib/test/data/bitcoind/script_assets_test.json');
const secp = loadSecp256k1();

/** Core tries every combination of flags, 137,359 runs and 40 s; without the variable five of each spend are tried. */
const EVERY_COMBINATION = process.env['STARLING_ALL_VECTORS'] === '1';

/** The sets with most and fewest flags, and three others. */
function sample(candidates: readonly number[], random: Random): readonly number[] {
  const chosen = new Set([candidates.at(-1) ?? 0, candidates[0] ?? 0]);
  for (let i = 0; i < 3; i++) chosen.add(candidates[random.below(candidates.length)] ?? 0);
  return [...chosen];
}

function parseOutput(hex: string): TxOutput {
  return readTxOutput(new Reader(fromHex(hex)));
}

/** One form of an asset, decoded once: gives the result under any flags. */
function prepare(asset: Asset, spend: Spend): (flags: number) => string {
  const tx = Transaction.fromBytes(fromHex(asset.tx));
  const witness = spend.witness.map(fromHex);
  const scriptSig = fromHex(spend.scriptSig);
  const inputs = tx.inputs.map((input, at) => (at === asset.index ? { ...input, scriptSig, witness } : input));
  const spent = asset.prevouts.map(parseOutput);
  const spending = Transaction.fromFields({ version: tx.version, inputs, outputs: tx.outputs, lockTime: tx.lockTime });
  const sighash = new TxSighash(spending, spent);
  const scriptPubKey = spent[asset.index]?.scriptPubKey ?? new Uint8Array(0);
  return (flags) => {
    const checker = new TxSignatureChecker(sighash, asset.index, secp);
    return verifyScript(scriptSig, scriptPubKey, witness, flags, checker) ?? 'OK';
  };
}

test('script_assets_test.json', { skip: path === undefined && 'bitcore-lib is not installed' }, (t) => {
  if (path === undefined) return;
  const assets = JSON.parse(readFileSync(path, 'utf8')) as Asset[];
  let count = 0;
  let checks = 0;
  let withTaproot = 0;
  const problems: string[] = [];
  const random = seededRandom(341);
  const expectResult = (asset: Asset, spend: Spend, candidates: readonly number[], valid: boolean): void => {
    const run = prepare(asset, spend);
    for (const flags of EVERY_COMBINATION ? candidates : sample(candidates, random)) {
      checks++;
      const result = run(flags);
      if ((result === 'OK') !== valid) problems.push(`${asset.comment} under ${flags}: ${result}`);
    }
  };
  for (const asset of assets) {
    const testFlags = parseFlags(asset.flags);
    if ((testFlags & ScriptFlag.TAPROOT) !== 0) withTaproot++;
    // "final" spends are valid under every set of flags, others under subsets of the listed ones.
    const validUnder = CONSENSUS_FLAGS.filter((flags) => asset.final === true || (flags & testFlags) === flags);
    const invalidUnder = CONSENSUS_FLAGS.filter((flags) => (flags & testFlags) === testFlags);
    if (asset.success !== undefined) expectResult(asset, asset.success, validUnder, true);
    if (asset.failure !== undefined) expectResult(asset, asset.failure, invalidUnder, false);
    count++;
  }
  assert.deepEqual(problems.slice(0, 20), []);
  const remark = `${withTaproot} of them taproot, ${checks} runs`;
  reportCount(t, 'script_assets_test.json', count, assets.length, remark);
});
