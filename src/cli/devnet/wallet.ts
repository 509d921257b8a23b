/**
 * The coins of one devnet node: found by reading connected blocks, spent once they are confirmed and mature.
 * A coin whose spending transaction gets lost is not tried again: there are always more.
 */
import type { ChainReader } from '#chain';
import { payer } from '#mempool';
import { Block, type BlockHash, idToBytes, type Transaction, type TxOutput, txidFromBytes } from '#primitives';
import { equalBytes, type Random } from '#util';

type OwnCoin = payer.PayerCoin & { readonly spendableFrom: number };

const COINBASE_MATURITY = 100;
/** Above Core's 1000 sat/kvB for transactions of this size. */
const FEE_SATS = 2_000n;
/** Coins below are left alone: their parts would be dust soon. */
const MIN_COIN_SATS = 1_000_000n;
/** With fewer coins a payment splits its change, so that there is one to spend in each block interval. */
const ENOUGH_COINS = 40;
const CHANGE_PARTS = 4n;

export class DevnetWallet {
  readonly script: Uint8Array;
  readonly #key: payer.SigningKey;
  readonly #random: Random;
  /** By outpoint, oldest first. */
  #coins = new Map<string, OwnCoin>();
  #scanned: { readonly height: number; readonly hash: BlockHash } | undefined;

  constructor(key: payer.SigningKey, random: Random) {
    this.#key = key;
    this.#random = random;
    this.script = payer.p2pkhScript(key.publicKey);
  }

  get coinCount(): number {
    return this.#coins.size;
  }

  /** Reads the blocks that were connected since the last call. */
  async scan(chain: Pick<ChainReader, 'activeAt' | 'readBlock' | 'tip'>): Promise<void> {
    const last = this.#scanned;
    if (last !== undefined && chain.activeAt(last.height)?.hash !== last.hash) {
      // A reorganisation: rare and cheap enough here to begin again.
      this.#scanned = undefined;
      this.#coins.clear();
    }
    for (let height = (this.#scanned?.height ?? 0) + 1; height <= chain.tip().height; height++) {
      const entry = chain.activeAt(height);
      const raw = entry && (await chain.readBlock(entry.hash));
      if (entry === undefined || raw === undefined) return;
      for (const tx of Block.fromBytes(raw).transactions) this.#see(tx, height);
      this.#scanned = { height, hash: entry.hash };
    }
  }

  /** A signed payment to one of `payees`, or undefined while there is nothing to spend. */
  pay(payees: readonly Uint8Array[], tipHeight: number): Transaction | undefined {
    for (const [outpoint, coin] of this.#coins) {
      // Spendable in the next block.
      if (coin.spendableFrom > tipHeight + 1 || coin.output.value < MIN_COIN_SATS) continue;
      this.#coins.delete(outpoint);
      const payee = payees[this.#random.below(payees.length)] ?? this.script;
      return payer.payFromP2pkh(this.#key, { coins: [coin], outputs: this.#outputs(coin.output.value, payee) });
    }
    return undefined;
  }

  #outputs(value: bigint, payee: Uint8Array): TxOutput[] {
    const paid = value / 4n;
    const change = value - paid - FEE_SATS;
    const parts = this.#coins.size < ENOUGH_COINS ? CHANGE_PARTS : 1n;
    const outputs: TxOutput[] = [{ value: paid, scriptPubKey: payee }];
    for (let part = 0n; part < parts; part++) outputs.push({ value: change / parts, scriptPubKey: this.script });
    return outputs;
  }

  #see(tx: Transaction, height: number): void {
    for (const { prevTxid, prevIndex } of tx.inputs) this.#coins.delete(`${txidFromBytes(prevTxid)}:${prevIndex}`);
    for (const [index, output] of tx.outputs.entries()) {
      if (!equalBytes(output.scriptPubKey, this.script)) continue;
      const spendableFrom = tx.isCoinbase ? height + COINBASE_MATURITY : height + 1;
      this.#coins.set(`${tx.txid}:${index}`, { txid: idToBytes(tx.txid), index, output, spendableFrom });
    }
  }
}
