/**
 * Topic `tx/1`: a small transaction itself, or an entry (wtxid, size, fee) for a larger one, which whoever wants it
 * pulls over `txs/1` from the peer that handed the entry on.
 */
import { hash256, sha256 } from '#crypto';
import {
  DecodeError,
  idToBytes,
  MAX_MONEY,
  Reader,
  type Sats,
  Transaction,
  Writer,
  type Wtxid,
  wtxidFromBytes,
} from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';

/**
 * A transaction of more bytes is announced by an entry. 4096 covers all but a few percent of mainnet's
 * transactions, and gossip copies each message about five times.
 */
const MAX_GOSSIP_TX_BYTES = 4096;
export const MAX_TX_MESSAGE_BYTES = 1 + MAX_GOSSIP_TX_BYTES;
/** A quarter of Core's MAX_STANDARD_TX_WEIGHT. */
const MAX_TX_VSIZE = 100_000;

const KIND_WHOLE = 0;
const KIND_ENTRY = 1;

export type TxMessage =
  | { readonly kind: 'whole'; readonly tx: Transaction }
  | {
      readonly kind: 'entry';
      readonly wtxid: Wtxid;
      /** Virtual bytes (BIP141), 1 .. 100,000. A claim. */
      readonly vsize: number;
      /** A claim, 0 .. MAX_MONEY. */
      readonly fee: Sats;
    };

export const txMessage: Codec<TxMessage> = {
  encode(message) {
    if (message.kind === 'whole') {
      assert(message.tx.size <= MAX_GOSSIP_TX_BYTES, `a transaction of ${message.tx.size} bytes in gossip`);
      return new Writer(1 + message.tx.size).u8(KIND_WHOLE).bytes(message.tx.raw).finish();
    }
    const writer = new Writer(45).u8(KIND_ENTRY).bytes(idToBytes(message.wtxid));
    return writer.u32(message.vsize).i64(message.fee).finish();
  },

  decode(bytes) {
    if (bytes.length > MAX_TX_MESSAGE_BYTES) throw new DecodeError('a message too long', MAX_TX_MESSAGE_BYTES);
    const reader = new Reader(bytes);
    const kind = reader.u8();
    if (kind === KIND_WHOLE) return { kind: 'whole', tx: Transaction.fromBytes(bytes.subarray(1)) };
    if (kind !== KIND_ENTRY) throw new DecodeError(`a transaction message of kind ${kind}`, 0);
    return readEntry(reader);
  },
};

/** The message for a transaction that the mempool took: whole when it is small enough. */
export function txMessageFor(tx: Transaction, fee: Sats): TxMessage {
  if (tx.size <= MAX_GOSSIP_TX_BYTES) return { kind: 'whole', tx };
  return { kind: 'entry', wtxid: tx.wtxid, vsize: Math.ceil(tx.weight / 4), fee };
}

/** The wtxid (internal order) of a whole transaction; SHA-256 of anything else. */
export function txMessageId(data: Uint8Array): Uint8Array {
  return data[0] === KIND_WHOLE ? hash256(data.subarray(1)) : sha256(data);
}

function readEntry(reader: Reader): TxMessage {
  const wtxid = wtxidFromBytes(reader.take(32));
  const vsize = reader.u32();
  if (vsize < 1 || vsize > MAX_TX_VSIZE) throw new DecodeError(`a transaction of ${vsize} virtual bytes`, 33);
  const fee = reader.i64();
  if (fee < 0n || fee > MAX_MONEY) throw new DecodeError('a fee out of range', 37);
  reader.end();
  return { kind: 'entry', wtxid, vsize, fee };
}
