/** `txs/1`: transactions by txid or wtxid, one frame a transaction. */
import {
  compactSizeLength,
  DecodeError,
  idToBytes,
  Reader,
  Transaction,
  type Txid,
  txidFromBytes,
  Writer,
  type Wtxid,
  wtxidFromBytes,
} from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';
import { readCount } from './headers.ts';

export const MAX_TXS_REQUESTED = 1000;
const TX_REF_BYTES = 33;
export const MAX_TXS_REQUEST_BYTES = compactSizeLength(MAX_TXS_REQUESTED) + MAX_TXS_REQUESTED * TX_REF_BYTES;
/** Core's MAX_STANDARD_TX_WEIGHT: no transaction within it has more bytes. */
export const MAX_TX_BYTES = 400_000;
/** All transactions of one answer together. */
export const MAX_TXS_RESPONSE_BYTES = 4_000_000;

export type TxRef = { readonly kind: 'txid'; readonly id: Txid } | { readonly kind: 'wtxid'; readonly id: Wtxid };

const KIND_TXID = 0;
const KIND_WTXID = 1;

/** 1 to 1000; answered in this order. */
export const txsRequest: Codec<readonly TxRef[]> = {
  encode(refs) {
    assert(refs.length >= 1 && refs.length <= MAX_TXS_REQUESTED, `${refs.length} transactions asked`);
    const writer = new Writer(3 + refs.length * TX_REF_BYTES).compactSize(refs.length);
    for (const ref of refs) writer.u8(ref.kind === 'txid' ? KIND_TXID : KIND_WTXID).bytes(idToBytes(ref.id));
    return writer.finish();
  },

  decode(bytes) {
    const reader = new Reader(bytes);
    const count = readCount(reader, MAX_TXS_REQUESTED, TX_REF_BYTES);
    if (count === 0) throw new DecodeError('nothing asked', 0);
    const refs: TxRef[] = [];
    for (let i = 0; i < count; i++) refs.push(readTxRef(reader));
    reader.end();
    return refs;
  },
};

export const txsResponse: Codec<Transaction> = {
  encode: (tx) => tx.raw,
  decode(bytes) {
    if (bytes.length > MAX_TX_BYTES) throw new DecodeError(`a transaction of ${bytes.length} bytes`, MAX_TX_BYTES);
    return Transaction.fromBytes(bytes);
  },
};

function readTxRef(reader: Reader): TxRef {
  const at = reader.offset;
  const kind = reader.u8();
  if (kind === KIND_TXID) return { kind: 'txid', id: txidFromBytes(reader.take(32)) };
  if (kind === KIND_WTXID) return { kind: 'wtxid', id: wtxidFromBytes(reader.take(32)) };
  throw new DecodeError(`a transaction id of kind ${kind}`, at);
}
