/**
 * Topic `tx/1`: a small transaction itself, or an entry (wtxid, size, fee) for a larger one, which whoever wants it
 * pulls over `txs/1` from the peer that handed the entry on.
 */
import { hash256, sha256 } from '#crypto';
import { DecodeError, Reader, type Sats, Transaction, Writer } from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';
import { readTxEntry, TX_ENTRY_BYTES, type TxEntry, writeTxEntry } from './tx-entry.ts';

/** Bound of what is heard. */
const MAX_GOSSIP_TX_BYTES = 4096;
/** A transaction of more bytes is announced by an entry; the figures are in the README. */
const MAX_EAGER_TX_BYTES = 256;
export const MAX_TX_MESSAGE_BYTES = 1 + MAX_GOSSIP_TX_BYTES;

const KIND_WHOLE = 0;
const KIND_ENTRY = 1;

export type TxMessage = { readonly kind: 'whole'; readonly tx: Transaction } | ({ readonly kind: 'entry' } & TxEntry);

export const txMessage: Codec<TxMessage> = {
  encode(message) {
    if (message.kind === 'whole') {
      assert(message.tx.size <= MAX_GOSSIP_TX_BYTES, `a transaction of ${message.tx.size} bytes in gossip`);
      return new Writer(1 + message.tx.size).u8(KIND_WHOLE).bytes(message.tx.raw).finish();
    }
    return writeTxEntry(new Writer(1 + TX_ENTRY_BYTES).u8(KIND_ENTRY), message).finish();
  },

  decode(bytes) {
    if (bytes.length > MAX_TX_MESSAGE_BYTES) throw new DecodeError('a message too long', MAX_TX_MESSAGE_BYTES);
    const reader = new Reader(bytes);
    const kind = reader.u8();
    if (kind === KIND_WHOLE) return { kind: 'whole', tx: Transaction.fromBytes(bytes.subarray(1)) };
    if (kind !== KIND_ENTRY) throw new DecodeError(`a transaction message of kind ${kind}`, 0);
    const entry = readTxEntry(reader);
    reader.end();
    return { kind: 'entry', ...entry };
  },
};

/**
 * The message for a transaction that the mempool took: in the form that costs the network least, or in the one asked
 * for. What is too large to go whole is always an entry.
 */
export function txMessageFor(tx: Transaction, fee: Sats, form?: TxMessage['kind']): TxMessage {
  const maxWhole = form === undefined ? MAX_EAGER_TX_BYTES : MAX_GOSSIP_TX_BYTES;
  if (form !== 'entry' && tx.size <= maxWhole) return { kind: 'whole', tx };
  return { kind: 'entry', wtxid: tx.wtxid, vsize: Math.ceil(tx.weight / 4), fee };
}

/** The wtxid (internal order) of a whole transaction; SHA-256 of anything else. */
export function txMessageId(data: Uint8Array): Uint8Array {
  return data[0] === KIND_WHOLE ? hash256(data.subarray(1)) : sha256(data);
}
