/**
 * Transactions that are kept by the hundred thousand: the serialisation as a string of a character a byte, decoded each
 * time it is asked for. Such a string is one object of the bytes and a header of 16, inside the heap, where garbage is
 * compacted. Decoded, a payment with two inputs is some forty objects, of 5 kB; an array of its bytes alone costs 300
 * bytes besides them.
 */
import { asBuffer } from '#util';
import { idToBytes, type Wtxid } from './ids.ts';
import { Transaction } from './transaction.ts';

export class PackedTransaction {
  readonly wtxid: Wtxid;
  readonly #packed: string;

  /** Copies the bytes. */
  constructor({ wtxid, raw }: Pick<Transaction, 'wtxid' | 'raw'>) {
    this.wtxid = wtxid;
    this.#packed = asBuffer(raw).toString('latin1');
  }

  /** Serialised bytes with witness. */
  get size(): number {
    return this.#packed.length;
  }

  /** 32 bytes in internal order, the caller's own. */
  get wtxidBytes(): Uint8Array {
    return idToBytes(this.wtxid);
  }

  /** 32 bytes in internal order, the caller's own. */
  get txidBytes(): Uint8Array {
    return this.tx.txidBytes;
  }

  /** The serialisation, the caller's own. */
  get raw(): Uint8Array {
    const raw = new Uint8Array(this.#packed.length);
    asBuffer(raw).write(this.#packed, 'latin1');
    return raw;
  }

  /** Decoded each time (4 us): to be kept no longer than it is looked at. */
  get tx(): Transaction {
    return Transaction.fromBytes(this.raw);
  }
}
