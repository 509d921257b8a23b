/**
 * The limits of what this node keeps and relays: Core 27's policy/policy.h, validation.h and kernel/mempool_h.
 * They are no rules of the network: a transaction beyond them may still be mined.
 */
import { limits } from '#consensus';
import { ScriptFlag } from '#script';

/** Versions are 1 to 3: version 3 opts in to BIP431 (Core 28's TX_MAX_STANDARD_VERSION). */
export const MAX_STANDARD_TX_VERSION = 3;
/** Weight of a transaction (MAX_STANDARD_TX_WEIGHT). */
export const MAX_STANDARD_TX_WEIGHT = 400_000;
/** Bytes without witness; 64 could be taken for two merkle nodes (MIN_STANDARD_TX_NONWITNESS_SIZE). */
export const MIN_STANDARD_TX_NONWITNESS_BYTES = 65;
/** Enough for a 15-of-15 multisig in P2SH (MAX_STANDARD_SCRIPTSIG_SIZE). */
export const MAX_STANDARD_SCRIPT_SIG_BYTES = 1_650;
/** Keys of a bare multisig output. */
export const MAX_STANDARD_MULTISIG_KEYS = 3;
/** Bytes of an output script that carries data: 80 of data, OP_RETURN, its push (MAX_OP_RETURN_RELAY). */
export const MAX_OP_RETURN_BYTES = 83;
/** sat per 1000 vbytes at which spending an output is reckoned (DUST_RELAY_TX_FEE). */
export const DUST_RELAY_FEE_SAT_PER_KVB = 3_000;
/** Signature operations of one P2SH redeem script. */
export const MAX_P2SH_SIGOPS = 15;
/** The witness of a P2WSH spend: its script, and the items before it (MAX_STANDARD_P2WSH_SCRIPT_SIZE and its like). */
export const MAX_STANDARD_P2WSH_SCRIPT_BYTES = 3_600;
export const MAX_STANDARD_P2WSH_STACK_ITEMS = 100;
/** One such item, and one of a tapscript (MAX_STANDARD_P2WSH_STACK_ITEM_SIZE, MAX_STANDARD_TAPSCRIPT_STACK_ITEM_SIZE). */
export const MAX_STANDARD_STACK_ITEM_BYTES = 80;
/** A transaction may take a fifth of a block's signature operations (MAX_STANDARD_TX_SIGOPS_COST). */
export const MAX_STANDARD_TX_SIGOPS_COST = limits.MAX_BLOCK_SIGOPS_COST / 5;
/** Virtual bytes that a signature operation counts for at least (DEFAULT_BYTES_PER_SIGOP). */
export const BYTES_PER_SIGOP = 20;
/** sat per 1000 vbytes (DEFAULT_MIN_RELAY_TX_FEE). */
export const MIN_RELAY_FEE_SAT_PER_KVB = 1_000;

/** sat per 1000 vbytes that a replacement pays beyond what it replaces (DEFAULT_INCREMENTAL_RELAY_FEE). */
export const INCREMENTAL_RELAY_FEE_SAT_PER_KVB = 1_000;
/** An input with at most this sequence says that its transaction may be replaced (BIP125). */
export const MAX_BIP125_RBF_SEQUENCE = 0xfffffffd;
/** Entries that leave for one replacement (MAX_REPLACEMENT_CANDIDATES). */
export const MAX_REPLACEMENT_CANDIDATES = 100;

/** An entry with its ancestors, and with its descendants (DEFAULT_ANCESTOR_LIMIT and its like). */
export const MAX_ANCESTORS = 25;
export const MAX_ANCESTOR_VSIZE = 101_000;
export const MAX_DESCENDANTS = 25;
export const MAX_DESCENDANT_VSIZE = 101_000;
/** A small child of one parent may exceed the descendant limits by this (EXTRA_DESCENDANT_TX_SIZE_LIMIT). */
export const EXTRA_DESCENDANT_VSIZE = 10_000;

/** Transactions of a package, and their weight together (MAX_PACKAGE_COUNT, MAX_PACKAGE_WEIGHT). */
export const MAX_PACKAGE_COUNT = 25;
export const MAX_PACKAGE_WEIGHT = 404_000;

/** BIP431: the version that asks for these limits, and virtual bytes of one, and of one below an unconfirmed parent. */
export const TRUC_VERSION = 3;
export const TRUC_MAX_VSIZE = 10_000;
export const TRUC_CHILD_MAX_VSIZE = 1_000;

/** MAX_DISCONNECTED_TX_POOL_BYTES: what is kept of disconnected blocks. */
export const MAX_DISCONNECTED_BYTES = 20_000_000;

/** A transaction that breaks one of these can never be mined (MANDATORY_SCRIPT_VERIFY_FLAGS). */
export const MANDATORY_SCRIPT_FLAGS =
  ScriptFlag.P2SH |
  ScriptFlag.DERSIG |
  ScriptFlag.NULLDUMMY |
  ScriptFlag.CHECKLOCKTIMEVERIFY |
  ScriptFlag.CHECKSEQUENCEVERIFY |
  ScriptFlag.WITNESS |
  ScriptFlag.TAPROOT;

/** Also against malleability and for upgrades to come (STANDARD_SCRIPT_VERIFY_FLAGS). */
export const STANDARD_SCRIPT_FLAGS =
  MANDATORY_SCRIPT_FLAGS |
  ScriptFlag.STRICTENC |
  ScriptFlag.MINIMALDATA |
  ScriptFlag.DISCOURAGE_UPGRADABLE_NOPS |
  ScriptFlag.CLEANSTACK |
  ScriptFlag.MINIMALIF |
  ScriptFlag.NULLFAIL |
  ScriptFlag.LOW_S |
  ScriptFlag.DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM |
  ScriptFlag.WITNESS_PUBKEYTYPE |
  ScriptFlag.CONST_SCRIPTCODE |
  ScriptFlag.DISCOURAGE_UPGRADABLE_TAPROOT_VERSION |
  ScriptFlag.DISCOURAGE_OP_SUCCESS |
  ScriptFlag.DISCOURAGE_UPGRADABLE_PUBKEYTYPE;

/** Core's GetVirtualTransactionSize: weight, or what the signature operations cost if that is more, in vbytes. */
export function virtualSize(weight: number, sigOpCost: number, bytesPerSigOp: number): number {
  return Math.ceil(Math.max(weight, sigOpCost * bytesPerSigOp) / limits.WITNESS_SCALE_FACTOR);
}

/** The least fee for `vsize` at a rate in sat per 1000 vbytes, rounded up (CFeeRate::GetFee). */
export function minFee(satPerKvb: number, vsize: number): bigint {
  return BigInt(Math.ceil((satPerKvb * vsize) / 1000));
}
