/**
 * What one block does to the coins: applied when its turn comes, taken back when it or a block below it fails. Every rule that needs coins is checked on the way, but the scripts: their jobs are handed out (Core's
 * ConnectBlock and UpdateCoins).
 */
import {
  bip30Applies,
  blockSubsidy,
  calculateSequenceLocks,
  checkTxInputs,
  evaluateSequenceLocks,
  failure,
  type HeaderView,
  limits,
  type NetworkParams,
  scriptFlagsForBlock,
  transactionSigOpCost,
  type ValidationFailure,
} from '#consensus';
import { type Block, MAX_MONEY, type Transaction, type TxOutput } from '#primitives';
import type { Slices } from '#util';
import type { ScriptFailure, ScriptJob } from '#verify';
import { type CoinsView, decodeStored } from './coins-cache.ts';
import { restoreInputs, takeBack } from './disconnect.ts';
import type { Coin, HeaderEntry, OutPoint } from './port.ts';
import { forEachCoin, outpointText } from './tx-coins.ts';

export type BlockChangeDeps = { readonly params: NetworkParams; readonly coins: CoinsView };

/** Between two looks at the clock: some 100 microseconds of work. */
export const TRANSACTIONS_AT_ONCE = 32;

/** A coin that a coinbase output took the place of. */
type Replaced = { readonly index: number; readonly coin: Uint8Array };

export class BlockChange {
  readonly block: Block;
  readonly entry: HeaderEntry & HeaderView;
  /** Encoded coins spent, by transaction (coinbase left out) and input. */
  readonly spent: Uint8Array[][] = [];
  readonly jobs: ScriptJob[] = [];
  readonly #params: NetworkParams;
  readonly #coins: CoinsView;
  readonly #flags: number;
  readonly #replaced: Replaced[] = [];
  /** Whether a coinbase output may take the place of an unspent coin. */
  readonly #mayReplace: boolean;
  #applied = 0;
  #fees = 0n;
  #sigOpCost = 0;
  #before: ReadonlyMap<string, Uint8Array | undefined> | undefined;

  /** For a block that passed checkBlock and contextualCheckBlock. */
  constructor({ params, coins }: BlockChangeDeps, block: Block, entry: HeaderEntry & HeaderView) {
    this.block = block;
    this.entry = entry;
    this.#params = params;
    this.#coins = coins;
    this.#flags = scriptFlagsForBlock(entry, params);
    this.#mayReplace = !bip30Applies(entry, params);
  }

  /**
   * Applies the block on top of its parent's coins, with rests: until it resolves nobody else may change these, and `before` says what they were.
   * After a failure the coins are as they were.
   */
  async apply(rest: Slices['rest']): Promise<ValidationFailure | undefined> {
    // With BIP34 from the first block on no two coinbases are alike. Who repeats another transaction then has no inputs: it is
    // enough to look for that in a block that fails, which spares valid ones a look-up for each output.
    const isLookedForLater = this.#params.activation.bip34 <= 1;
    const early = isLookedForLater ? undefined : this.#checkBip30();
    const found = early ?? (await this.#applyTransactions(rest)) ?? this.#checkReward();
    if (found === undefined) return undefined;
    this.takeBack();
    return isLookedForLater ? (this.#checkBip30() ?? found) : found;
  }

  /** Undoes what `apply` did; later blocks must have been taken back before. */
  takeBack(): void {
    takeBack(this.block.transactions.slice(0, this.#applied), this.entry.height, this.spent, this.#coins);
    const [coinbase] = this.block.transactions;
    if (coinbase === undefined) return;
    for (const { index, coin } of this.#replaced) this.#coins.add(coinbase.txidBytes, index, coin, true);
  }

  /** What stood under the outpoint before the block: `coin` undefined for none. Undefined if the block left it alone. */
  before(outpoint: OutPoint): { readonly coin: Coin | undefined } | undefined {
    const isWhole = this.#applied === this.block.transactions.length;
    const before = this.#before ?? this.#mapBefore();
    if (isWhole) this.#before = before;
    const key = outpointText(outpoint.txid, outpoint.index);
    if (!before.has(key)) return undefined;
    const bytes = before.get(key);
    return { coin: bytes === undefined ? undefined : decodeStored(bytes) };
  }

  /** BIP30: a transaction must not replace unspent outputs of an earlier one with the same id. */
  #checkBip30(): ValidationFailure | undefined {
    if (this.#mayReplace) return undefined;
    for (const tx of this.block.transactions) {
      for (let index = 0; index < tx.outputs.length; index++) {
        if (!this.#coins.has(tx.txidBytes, index)) continue;
        return failure('consensus', 'bad-txns-BIP30', `tried to overwrite transaction ${tx.txid}`);
      }
    }
    return undefined;
  }

  async #applyTransactions(rest: Slices['rest']): Promise<ValidationFailure | undefined> {
    for (const [at, tx] of this.block.transactions.entries()) {
      if (at % TRANSACTIONS_AT_ONCE === 0) await rest();
      const found = tx.isCoinbase ? this.#countSigOps(tx, []) : this.#spendInputs(tx);
      if (found !== undefined) return found;
      this.#addOutputs(tx);
      this.#applied++;
    }
    return undefined;
  }

  #spendInputs(tx: Transaction): ValidationFailure | undefined {
    const taken = tx.inputs.map(({ prevTxid, prevIndex }) => this.#coins.spend(prevTxid, prevIndex));
    const coins = taken.map((bytes) => (bytes === undefined ? undefined : decodeStored(bytes)));
    const checked = this.#checkInputs(tx, coins);
    if ('failure' in checked) {
      restoreInputs(tx, taken, this.#coins);
      return checked.failure;
    }
    this.spent.push(taken as Uint8Array[]);
    this.jobs.push({ tx, spent: checked.outputs, flags: this.#flags });
    return undefined;
  }

  /** In Core's order. Gives the outputs spent. */
  #checkInputs(
    tx: Transaction,
    found: readonly (Coin | undefined)[],
  ): { readonly failure: ValidationFailure } | { readonly outputs: readonly TxOutput[] } {
    const { entry } = this;
    const inputs = checkTxInputs(tx, found, entry.height);
    if ('failure' in inputs) return inputs;
    const coins = found as readonly Coin[];
    this.#fees += inputs.fee;
    if (this.#fees > MAX_MONEY) {
      const debug = 'accumulated fee in the block out of range';
      return { failure: failure('consensus', 'bad-txns-accumulated-fee-outofrange', debug) };
    }
    if (!this.#sequenceLocksPass(tx, coins)) {
      return { failure: failure('consensus', 'bad-txns-nonfinal', 'contains a non-BIP68-final transaction') };
    }
    const outputs = coins.map(({ output }) => output);
    const tooMany = this.#countSigOps(tx, outputs);
    return tooMany === undefined ? { outputs } : { failure: tooMany };
  }

  #sequenceLocksPass(tx: Transaction, coins: readonly Coin[]): boolean {
    const { entry } = this;
    if (entry.height < this.#params.activation.csv) return true;
    const heights = coins.map((coin) => coin.height);
    return evaluateSequenceLocks(calculateSequenceLocks(tx, heights, entry), entry);
  }

  #countSigOps(tx: Transaction, outputs: readonly TxOutput[]): ValidationFailure | undefined {
    this.#sigOpCost += transactionSigOpCost(tx, outputs, this.#flags);
    if (this.#sigOpCost <= limits.MAX_BLOCK_SIGOPS_COST) return undefined;
    return failure('consensus', 'bad-blk-sigops', 'too many sigops');
  }

  #addOutputs(tx: Transaction): void {
    const { txidBytes, isCoinbase } = tx;
    forEachCoin(tx, this.entry.height, (index, coin) => {
      // Before BIP34 two coinbases could have one txid: then the older coin must be known, to be put back.
      const isReplaced = isCoinbase && this.#mayReplace && this.#coins.has(txidBytes, index);
      const replaced = this.#coins.add(txidBytes, index, coin, isCoinbase);
      if (isReplaced && replaced !== undefined) this.#replaced.push({ index, coin: replaced });
    });
  }

  #checkReward(): ValidationFailure | undefined {
    const allowed = this.#fees + blockSubsidy(this.entry.height, this.#params);
    const outputs = this.block.transactions[0]?.outputs ?? [];
    const claimed = outputs.reduce((sum, output) => sum + output.value, 0n);
    if (claimed <= allowed) return undefined;
    const debug = `coinbase pays too much (actual=${claimed} vs limit=${allowed})`;
    return failure('consensus', 'bad-cb-amount', debug);
  }

  /** What was spent, but not what the block made itself; and what it made as not there. */
  #mapBefore(): Map<string, Uint8Array | undefined> {
    const before = new Map<string, Uint8Array | undefined>();
    this.block.transactions.slice(0, this.#applied).forEach((tx, at) => {
      if (at > 0) {
        tx.inputs.forEach(({ prevTxid, prevIndex }, input) => {
          const key = outpointText(prevTxid, prevIndex);
          if (!before.has(key)) before.set(key, this.spent[at - 1]?.[input]);
        });
      }
      for (const index of tx.outputs.keys()) before.set(outpointText(tx.txidBytes, index), undefined);
    });
    const [coinbase] = this.block.transactions;
    for (const { index, coin } of this.#replaced)
      before.set(outpointText(coinbase?.txidBytes ?? new Uint8Array(), index), coin);
    return before;
  }
}

/** What a script that failed says of its block. */
export function scriptFailure({ jobs }: BlockChange, { job, input, error }: ScriptFailure): ValidationFailure {
  const code = `mandatory-script-verify-flag-failed (${error})`;
  return failure('consensus', code, `input ${input} of ${jobs[job]?.tx.txid}`);
}
