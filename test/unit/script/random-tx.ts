/** Transactions of all shapes, for comparing signature hashes with plain rewritings of their definitions. */
import { Transaction, type TxOutput } from '#primitives';
import { type Random, seededRandom } from '#util';

export type RandomTx = { readonly tx: Transaction; readonly spent: readonly TxOutput[] };

function randomOutput(random: Random, maxScript: number): TxOutput {
  return { value: BigInt(random.below(2 ** 32)) * 1000n, scriptPubKey: random.bytes(random.below(maxScript)) };
}

/** With `inputs` inputs and `outputs` outputs; the same for the same numbers. */
export function randomTx(inputs: number, outputs: number, seed = 1): RandomTx {
  const random = seededRandom(seed * 1000 + inputs * 30 + outputs);
  const spent = Array.from({ length: inputs }, () => randomOutput(random, 300));
  const tx = Transaction.fromFields({
    version: random.below(2 ** 32) | 0,
    inputs: spent.map(() => ({
      prevTxid: random.bytes(32),
      prevIndex: random.below(2 ** 32),
      scriptSig: random.bytes(random.below(100)),
      sequence: random.below(2 ** 32),
      witness: [],
    })),
    outputs: Array.from({ length: outputs }, () => randomOutput(random, 300)),
    lockTime: random.below(2 ** 32),
  });
  return { tx, spent };
}
