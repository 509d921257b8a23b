/** Orphans of any size for tests: nobody has their parents, unless these are given. */
import { type Transaction, type Txid, txidFromBytes } from '#primitives';
import { outputOf, pay, rawTx, type TestCoin } from '../../support/tx-builder.ts';

let made = 0;

/** A coin that no other call gives. */
export function strangeCoin(): TestCoin {
  const txid = Buffer.alloc(32, 0xee);
  txid.writeUInt32LE(made++);
  return { txid, index: 0, output: pay(1_000n, { kind: 'anyone' }) };
}

export type OrphanOptions = {
  readonly coins?: readonly TestCoin[];
  /** Default: as small as it gets, without witness. */
  readonly weight?: number;
};

/** Its weight is exact: a witness fills it up. */
export function orphanTx({ coins = [strangeCoin()], weight }: OrphanOptions = {}): Transaction {
  const build = (witness: readonly Uint8Array[]) =>
    rawTx(coins.map((coin, at) => ({ coin, witness: at === 0 ? witness : [] })));
  const bare = build([]);
  if (weight === undefined) return bare;
  // Two bytes say that there are witnesses, one a length follows for each input; the item's own length takes up to five.
  for (let length = weight - bare.weight - 12; length < weight; length++) {
    const tx = build([new Uint8Array(Math.max(0, length))]);
    if (tx.weight === weight) return tx;
  }
  throw new RangeError(`no transaction of weight ${weight}`);
}

export const parentsOf = (tx: Transaction): readonly Txid[] => [
  ...new Set(tx.inputs.map((input) => txidFromBytes(input.prevTxid))),
];

/** A chain of two: the parent spends a strange coin. */
export function family(): { readonly parent: Transaction; readonly child: Transaction } {
  const parent = orphanTx();
  return { parent, child: orphanTx({ coins: [outputOf(parent)] }) };
}
