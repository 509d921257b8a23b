/** Transactions that differ by a number, and blocks of them: well-formed, with a merkle root, and nothing more. */
import { merkleRoot } from '#consensus';
import { Block, BlockHeader, parseBlockHash, Transaction } from '#primitives';

const PREV_HASH = parseBlockHash('11'.repeat(32));

/** The n-th of as many different transactions as wanted, with a witness when n is odd. */
export function numberedTx(n: number, scriptBytes = 1): Transaction {
  return Transaction.fromFields({
    version: 2,
    inputs: [
      {
        prevTxid: new Uint8Array(32).fill(7),
        prevIndex: n,
        scriptSig: new Uint8Array(0),
        sequence: 0xffffffff,
        witness: n % 2 === 0 ? [] : [Uint8Array.of(n & 0xff)],
      },
    ],
    outputs: [{ value: BigInt(n), scriptPubKey: new Uint8Array(scriptBytes).fill(0x51) }],
    lockTime: 0,
  });
}

/** A block of these transactions, whose header commits to them. */
export function blockOf(transactions: readonly Transaction[]): Block {
  const root = merkleRoot(transactions.map((tx) => tx.txidBytes));
  const fields = { version: 4, prevHash: PREV_HASH, merkleRoot: root, time: 1, bits: 0x207fffff, nonce: 0 };
  return Block.fromParts(BlockHeader.fromFields(fields), transactions);
}
