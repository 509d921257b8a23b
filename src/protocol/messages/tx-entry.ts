/** An entry: what stands for a transaction where only its id travels. In topic `tx/1` and in `mempool/1`. */
import {
  DecodeError,
  idToBytes,
  MAX_MONEY,
  type Reader,
  type Sats,
  type Writer,
  type Wtxid,
  wtxidFromBytes,
} from '#primitives';

/** A quarter of Core's MAX_STANDARD_TX_WEIGHT. */
const MAX_TX_VSIZE = 100_000;
export const TX_ENTRY_BYTES = 32 + 4 + 8;

export type TxEntry = {
  readonly wtxid: Wtxid;
  /** Virtual bytes (BIP141), 1 .. 100,000. A claim. */
  readonly vsize: number;
  /** A claim, 0 .. MAX_MONEY. */
  readonly fee: Sats;
};

export function writeTxEntry(writer: Writer, { wtxid, vsize, fee }: TxEntry): Writer {
  return writer.bytes(idToBytes(wtxid)).u32(vsize).i64(fee);
}

/** Throws DecodeError. */
export function readTxEntry(reader: Reader): TxEntry {
  const at = reader.offset;
  const wtxid = wtxidFromBytes(reader.take(32));
  const vsize = reader.u32();
  if (vsize < 1 || vsize > MAX_TX_VSIZE) throw new DecodeError(`a transaction of ${vsize} virtual bytes`, at + 32);
  const fee = reader.i64();
  if (fee < 0n || fee > MAX_MONEY) throw new DecodeError('a fee out of range', at + 36);
  return { wtxid, vsize, fee };
}
