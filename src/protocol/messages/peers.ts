/**
 * `peers/1`: signed peer records, as libp2p's identify carries them (RFC 2 and 3 of libp2p/specs): where a peer can be
 * reached, in its own words, so that nobody can make up addresses for another. Bytes here; who asked opens them.
 */
import { compactSizeLength, DecodeError, Reader, Writer } from '#primitives';
import { assert } from '#util';
import type { Codec } from '../rows.ts';

/** Core's MAX_ADDR_TO_SEND. */
const MAX_PEER_RECORDS = 1000;
/** An honest record of four addresses has 250. */
const MAX_PEER_RECORD_BYTES = 1024;
export const PEERS_REQUEST_BYTES = 4;
export const MAX_PEERS_RESPONSE_BYTES =
  compactSizeLength(MAX_PEER_RECORDS) +
  MAX_PEER_RECORDS * (compactSizeLength(MAX_PEER_RECORD_BYTES) + MAX_PEER_RECORD_BYTES);

/** The most records that are wanted, 1 to 1000. */
export const peersRequest: Codec<number> = {
  encode(count) {
    assert(count >= 1 && count <= MAX_PEER_RECORDS, `${count} records asked`);
    return new Writer(PEERS_REQUEST_BYTES).u32(count).finish();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const count = reader.u32();
    reader.end();
    if (count < 1 || count > MAX_PEER_RECORDS) throw new DecodeError(`${count} records asked`, 0);
    return count;
  },
};

/** 0 to 1000 envelopes. */
export const peersResponse: Codec<readonly Uint8Array[]> = {
  encode(records) {
    assert(records.length <= MAX_PEER_RECORDS, `${records.length} records`);
    const writer = new Writer().compactSize(records.length);
    for (const record of records) {
      assert(record.length >= 1 && record.length <= MAX_PEER_RECORD_BYTES, `a record of ${record.length} bytes`);
      writer.varBytes(record);
    }
    return writer.finish();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const count = reader.count(2);
    if (count > MAX_PEER_RECORDS) throw new DecodeError(`${count} records`, 0);
    const records: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const at = reader.offset;
      const record = reader.varBytes();
      if (record.length < 1 || record.length > MAX_PEER_RECORD_BYTES) {
        throw new DecodeError(`a record of ${record.length} bytes`, at);
      }
      records.push(record);
    }
    reader.end();
    return records;
  },
};
