/**
 * Hashes as ids. Inside wire structures a hash is 32 bytes in the order of the wire (internal byte order);
 * as an id it is the 64-digit hex string that people see (the bytes reversed), branded by what it names.
 * Strings compare with === and serve as map keys.
 */
import { asBuffer, toReversedHex } from '#util';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type BlockHash = Branded<'BlockHash'>;
/** Hash of a transaction without its witness. */
export type Txid = Branded<'Txid'>;
/** Hash of a transaction with its witness (BIP141). */
export type Wtxid = Branded<'Wtxid'>;

/** Amounts are satoshis as bigint: the wire's int64, exact also when invalid. */
export type Sats = bigint;

/** 21 million coins, Core's MAX_MONEY. */
export const MAX_MONEY: Sats = 2_100_000_000_000_000n;

const HEX_64 = /^[0-9a-f]{64}$/;

function idFromBytes(bytes: Uint8Array): string {
  if (bytes.length !== 32) throw new RangeError(`a hash has 32 bytes, not ${bytes.length}`);
  return toReversedHex(bytes);
}

function idFromText(text: string): string {
  const lower = text.toLowerCase();
  if (!HEX_64.test(lower)) throw new RangeError(`a hash has 64 hex digits: ${JSON.stringify(text.slice(0, 80))}`);
  return lower;
}

/** 32 bytes in internal order to the id shown to people. */
export const blockHashFromBytes = (bytes: Uint8Array): BlockHash => idFromBytes(bytes) as BlockHash;
export const txidFromBytes = (bytes: Uint8Array): Txid => idFromBytes(bytes) as Txid;
export const wtxidFromBytes = (bytes: Uint8Array): Wtxid => idFromBytes(bytes) as Wtxid;

/** Checks text that a person or a file gave; throws a RangeError. */
export const parseBlockHash = (text: string): BlockHash => idFromText(text) as BlockHash;
export const parseTxid = (text: string): Txid => idFromText(text) as Txid;

const HASH_BYTES = 32;
const scratch = new Uint8Array(HASH_BYTES);
const scratchBuffer = asBuffer(scratch);

/** The 32 bytes of an id in internal order; a fresh array. A brand has been checked: its digits are not looked at again. */
export function idToBytes(id: BlockHash | Txid | Wtxid): Uint8Array {
  scratchBuffer.write(id, 'hex');
  return scratch.reverse().slice();
}
