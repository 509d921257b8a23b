/** Rows of transactions and what Bitcoin Core says to each, tried on one real mempool; every coin is confirmed. */
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { sha256 } from '#crypto';
import type { MempoolOptions } from '#mempool';
import type { Transaction, TxOutput } from '#primitives';
import { Op, pushData, type ScriptErrorCode, scriptErrorText } from '#script';
import { concatBytes } from '#util';
import { p2shScript, testKey } from '../../support/keys.ts';
import { repeated, script } from '../../support/script.ts';
import { buildTx, outputOf, pay, type RawSpend, rawTx, type TestCoin } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

/** An input: how its coin is locked, and what opens it. */
export type Unlock = Omit<RawSpend, 'coin'> & { readonly lock: Uint8Array };

export type Case = {
  readonly name: string;
  /** `accepted`, or Core's reject reason. */
  readonly verdict: string;
  /** Default: one coin that anybody can spend by standard means. */
  readonly spends?: readonly Unlock[];
  /** Default: one payment to a key hash. */
  readonly outputs?: readonly TxOutput[];
  readonly version?: number;
  readonly lockTime?: number;
  /** For what needs signatures: the whole transaction, from the coins of `spends`. */
  readonly build?: (coin: TestCoin) => Transaction;
};

const COIN_SATS = 10_000_000n;

/** What a test of outputs pays unless it is about dust. */
export const AMPLE = 100_000n;

export function paying(scriptPubKey: Uint8Array, value = AMPLE): TxOutput {
  return { value, scriptPubKey };
}

const PAYMENT = [pay(AMPLE)];

export function p2wshScript(witnessScript: Uint8Array): Uint8Array {
  return script(Op.OP_0, pushData(sha256(witnessScript)));
}

/** A spend of a P2WSH output that `witnessScript` alone opens, given `items`. */
export function wsh(witnessScript: Uint8Array, items: readonly Uint8Array[] = []): Unlock {
  return { lock: p2wshScript(witnessScript), witness: [...items, witnessScript] };
}

/** The same, wrapped in P2SH. */
export function shWsh(witnessScript: Uint8Array, items: readonly Uint8Array[] = []): Unlock {
  const { lock, witness = [] } = wsh(witnessScript, items);
  return { lock: p2shScript(lock), scriptSig: pushData(lock), witness };
}

/** A spend of a P2SH output, with `pushes` before the redeem script. */
export function sh(redeemScript: Uint8Array, pushes: Uint8Array = new Uint8Array(0)): Unlock {
  return { lock: p2shScript(redeemScript), scriptSig: concatBytes(pushes, pushData(redeemScript)) };
}

/** What every row spends unless it says otherwise. */
export const EASY = wsh(Uint8Array.of(Op.OP_1));

/** A script that drops so many elements and is true. */
export function dropping(count: number): Uint8Array {
  return script(repeated(Op.OP_DROP, count), Op.OP_1);
}

/** A script of exactly that many bytes (262 or more) that is true: pushes of 256 to 520 bytes, each dropped. */
export function trueScript(bytes: number): Uint8Array {
  const rest = bytes - 1;
  const chunks = Math.ceil(rest / 524);
  const sizes = Array.from({ length: chunks }, (_, at) => Math.floor((rest + at) / chunks));
  const parts = sizes.map((size) => script(pushData(new Uint8Array(size - 4)), Op.OP_DROP));
  const made = script(...parts, Op.OP_1);
  assert.equal(made.length, bytes);
  return made;
}

/** A standard transaction of exactly that weight, near 400,000. */
export function weighing(weight: number): Pick<Case, 'spends' | 'outputs'> {
  const outputs = Array.from({ length: 2_937 }, () => pay(546n));
  const anyCoin = { txid: new Uint8Array(32).fill(1), index: 0, output: paying(EASY.lock) };
  const made = (bytes: number): Unlock => wsh(trueScript(bytes));
  const draft = rawTx([{ coin: anyCoin, ...made(300) }], outputs);
  return { outputs, spends: [made(300 + weight - draft.weight)] };
}

export const mandatory = (code: ScriptErrorCode): string =>
  `mandatory-script-verify-flag-failed (${scriptErrorText(code)})`;

export const nonMandatory = (code: ScriptErrorCode): string =>
  `non-mandatory-script-verify-flag (${scriptErrorText(code)})`;

/** A test for each row; to be called inside of `describe`. */
export function declareCases(cases: readonly Case[], options: Partial<MempoolOptions> = {}): void {
  let h: Harness;
  let coins: readonly (readonly TestCoin[])[];
  before(async () => {
    h = await createHarness(options);
    const spends = cases.map((row) => row.spends ?? [EASY]);
    const funding = buildTx(
      [h.builder.coin(1)],
      spends.flat().map(({ lock }) => paying(lock, COIN_SATS)),
    );
    await h.connect(h.builder.mine({ transactions: [funding] }));
    let index = 0;
    coins = spends.map((row) => row.map(() => outputOf(funding, index++)));
  });
  after(async () => h[Symbol.asyncDispose]());

  for (const [at, row] of cases.entries()) {
    it(`${row.verdict}: ${row.name}`, async () => {
      assert.equal(await h.submit(transactionOf(row, coins[at] ?? [])), row.verdict);
    });
  }
}

function transactionOf(row: Case, coins: readonly TestCoin[]): Transaction {
  const { spends = [EASY], outputs = PAYMENT, version = 2, lockTime = 0, build } = row;
  const inputs = spends.map((spend, at) => ({ ...spend, coin: coins[at] ?? assert.fail() }));
  if (build !== undefined) return build(inputs[0]?.coin ?? assert.fail());
  return rawTx(inputs, outputs, { version, lockTime });
}

/** Keys whose scripts the rows pay to. */
export const KEYS = [1, 2, 3, 4].map((index) => testKey(index));
