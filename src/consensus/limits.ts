/**
 * The constants of consensus (Core's consensus/consensus.h, chain.h, script/script.h and validation.cpp).
 * Outside this module: `import { limits } from '#consensus'`.
 */

/** BIP141: a byte without witness weighs four, a witness byte one. */
export const WITNESS_SCALE_FACTOR = 4;
/** BIP141: weight units a block may have. */
export const MAX_BLOCK_WEIGHT = 4_000_000;
/** BIP141: cost of the signature operations that a block may have. */
export const MAX_BLOCK_SIGOPS_COST = 80_000;
/** Blocks on top before a coinbase output may be spent. */
export const COINBASE_MATURITY = 100;
/** Bytes of the coinbase's scriptSig. */
export const MIN_COINBASE_SCRIPT_BYTES = 2;
export const MAX_COINBASE_SCRIPT_BYTES = 100;

/** Headers whose median is "median time past" (BIP113). */
export const MEDIAN_TIME_SPAN = 11;
/** Seconds that a header may be ahead of our clock. */
export const MAX_FUTURE_BLOCK_SECONDS = 2 * 60 * 60;
/** BIP94: seconds that the first block of a period may lie before its parent. */
export const MAX_TIMEWARP_SECONDS = 600;

/** A lock time below it is a height, from it on a Unix time. */
export const LOCKTIME_THRESHOLD = 500_000_000;
/** The input does not take part in the transaction's lock time. */
export const SEQUENCE_FINAL = 0xffffffff;
/** BIP68: the input has no relative lock. */
export const SEQUENCE_LOCKTIME_DISABLE_FLAG = 0x80000000;
/** BIP68: the relative lock counts units of 512 seconds, not blocks. */
export const SEQUENCE_LOCKTIME_TYPE_FLAG = 0x00400000;
export const SEQUENCE_LOCKTIME_MASK = 0x0000ffff;
/** BIP68: 2^9 seconds a unit. */
export const SEQUENCE_LOCKTIME_GRANULARITY = 9;

/** From this height on BIP34 no longer implies BIP30: coinbases of old blocks name heights from here on. */
export const BIP34_IMPLIES_BIP30_LIMIT = 1_983_702;
