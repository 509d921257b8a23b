/** Spends of many kinds of coins, a test each, on one chain: a valid one connects with its block, others are refused. */
import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import type { Transaction } from '#primitives';
import type { ScriptErrorCode } from '#script';
import { RuleChain, scriptFailure } from './rule-chain.ts';
import type { TestCoin } from './tx-builder.ts';

export type SpendCase = {
  readonly name: string;
  readonly lock: Uint8Array;
  /** The transaction that spends a coin with that lock. */
  readonly spend: (coin: TestCoin) => Transaction;
  /** Left out when the spend is valid. */
  readonly error?: ScriptErrorCode | undefined;
};

/** To be called inside of `describe`. */
export function declareSpends(cases: readonly SpendCase[]): void {
  let rules: RuleChain;
  let coins: readonly TestCoin[];
  before(async () => {
    rules = await RuleChain.open();
    coins = await rules.fund(cases.map(({ lock }) => lock));
  });
  for (const [at, { name, spend, error }] of cases.entries()) {
    it(`${error ?? 'valid'}: ${name}`, async () => {
      const coin = coins[at];
      assert(coin !== undefined);
      const transactions = [spend(coin)];
      if (error === undefined) await rules.accept({ transactions });
      else await rules.reject(scriptFailure(error), { transactions });
    });
  }
}
