/**
 * `hello/1`, both ways the same: who a peer is and what it has. The first stream on every connection.
 * Bytes behind the last known field belong to later revisions: they are skipped, up to the bound.
 */
import {
  type BlockHash,
  blockHashFromBytes,
  DecodeError,
  idToBytes,
  MAX_MONEY,
  Reader,
  type Sats,
  Writer,
} from '#primitives';
import { assert, fromReversedHex, toReversedHex } from '#util';
import type { Codec } from '../rows.ts';

export const MAX_HELLO_BYTES = 1024;
const MAX_USER_AGENT_BYTES = 256;

export type Hello = {
  /** Highest protocol revision that the sender speaks, u32. */
  readonly revision: number;
  /** Bits of `SERVICES`, u64. Unknown bits are kept. */
  readonly services: bigint;
  readonly genesisHash: BlockHash;
  /** At most 256 characters of Core's safe set (letters, digits, ` .,;-_/:?@()`); others are dropped by decode. */
  readonly userAgent: string;
  /** The sender's clock, Unix seconds. Only a hint. */
  readonly time: number;
  /** The block that the sender's chain ends with. */
  readonly tipHash: BlockHash;
  readonly tipHeight: number;
  /** Total work of that chain, below 2^256. A claim until headers prove it. */
  readonly tipChainWork: bigint;
  /** Every block from this height to the tip can be asked for. */
  readonly lowestHeightServed: number;
  /** The sender wants transactions. */
  readonly relay: boolean;
  /** It wants none that pay less, satoshis per 1000 virtual bytes, 0 .. MAX_MONEY. */
  readonly feeFilterSatPerKvb: Sats;
  /** Random per process, u64: who sees its own has called itself. */
  readonly nonce: bigint;
};

/** Service bits, numbered as Core's ServiceFlags (protocol.h). */
export const SERVICES = {
  /** Serves the whole chain (NODE_NETWORK). */
  network: 1n << 0n,
  /** Serves blocks with their witnesses (NODE_WITNESS). Every Starling node does. */
  witness: 1n << 3n,
  /** Serves BIP157 filters (NODE_COMPACT_FILTERS). */
  compactFilters: 1n << 6n,
  /** Serves at least the last 288 blocks (NODE_NETWORK_LIMITED). */
  networkLimited: 1n << 10n,
} as const;

export const hello: Codec<Hello> = {
  encode(value) {
    const agent = Buffer.from(sanitizeUserAgent(value.userAgent), 'latin1').subarray(0, MAX_USER_AGENT_BYTES);
    const work = value.tipChainWork.toString(16).padStart(64, '0');
    assert(work.length === 64, 'chain work above 2^256');
    return new Writer(512)
      .u32(value.revision)
      .u64(value.services)
      .bytes(idToBytes(value.genesisHash))
      .varBytes(agent)
      .i64(BigInt(value.time))
      .bytes(idToBytes(value.tipHash))
      .u32(value.tipHeight)
      .bytes(fromReversedHex(work))
      .u32(value.lowestHeightServed)
      .u8(value.relay ? 1 : 0)
      .i64(value.feeFilterSatPerKvb)
      .u64(value.nonce)
      .finish();
  },

  decode(bytes) {
    if (bytes.length > MAX_HELLO_BYTES) throw new DecodeError(`a hello of ${bytes.length} bytes`, MAX_HELLO_BYTES);
    const reader = new Reader(bytes);
    return {
      revision: reader.u32(),
      services: reader.u64(),
      genesisHash: blockHashFromBytes(reader.take(32)),
      userAgent: readUserAgent(reader),
      time: readTime(reader),
      tipHash: blockHashFromBytes(reader.take(32)),
      tipHeight: reader.u32(),
      tipChainWork: BigInt(`0x${toReversedHex(reader.take(32))}`),
      lowestHeightServed: reader.u32(),
      relay: readFlag(reader),
      feeFilterSatPerKvb: readFee(reader),
      nonce: reader.u64(),
    };
  },
};

/** What may be shown in a log, a terminal or a page as it is: Core's SanitizeString (util/strencodings.cpp). */
function sanitizeUserAgent(text: string): string {
  return text.replace(/[^A-Za-z0-9 .,;\-_/:?@()]/g, '').slice(0, MAX_USER_AGENT_BYTES);
}

function readUserAgent(reader: Reader): string {
  const at = reader.offset;
  const length = reader.compactSize();
  if (length > MAX_USER_AGENT_BYTES) throw new DecodeError(`a user agent of ${length} bytes`, at);
  return sanitizeUserAgent(Buffer.from(reader.take(length)).toString('latin1'));
}

function readTime(reader: Reader): number {
  const at = reader.offset;
  const time = Number(reader.i64());
  if (!Number.isSafeInteger(time)) throw new DecodeError('a time out of range', at);
  return time;
}

function readFlag(reader: Reader): boolean {
  const at = reader.offset;
  const value = reader.u8();
  if (value > 1) throw new DecodeError(`a flag of ${value}`, at);
  return value === 1;
}

/** BIP133 has no bound; Core ignores a fee filter outside MoneyRange, here it is malformed. */
function readFee(reader: Reader): Sats {
  const at = reader.offset;
  const fee = reader.i64();
  if (fee < 0n || fee > MAX_MONEY) throw new DecodeError('a fee out of range', at);
  return fee;
}
