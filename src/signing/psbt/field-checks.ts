/** What each known record of a PSBT must look like, and what Core 27 says where it does not (psbt.h). */
import { isValidPublicKey } from '#crypto';
import { taprootTree } from '#descriptor';
import { DecodeError, Reader, readTxOutput, Transaction } from '#primitives';
import { encoding, ScriptFlag, taproot } from '#script';
import { GlobalType, InputType, OutputType, proprietaryKey } from './psbt-map.ts';
import { readKeyOrigin, readTapDerivation, readTapTree } from './values.ts';

/** What is wrong with a PSBT, in Core's words. Never leaves this module. */
export class PsbtError extends Error {
  override readonly name = 'PsbtError';
}

export type FieldCheck = {
  /** Bytes that a key may have, type included. */
  readonly keySizes?: readonly number[];
  readonly badKey: string;
  readonly duplicate: string;
  /** Throws. `keyData` is the key behind the type. */
  readonly check?: (value: Uint8Array, keyData: Uint8Array) => void;
};

const WRONG_SIZE = 'Size of value was not the stated size';
const TAPROOT_MAX_DEPTH = 128;

const UNKNOWN: FieldCheck = { badKey: '', duplicate: 'Duplicate Key, key for unknown value already provided' };

const PROPRIETARY: FieldCheck = {
  badKey: '',
  duplicate: 'Duplicate Key, proprietary key already found',
  check: (_value, keyData) => proprietaryKey(keyData),
};

/** A type without key data. */
function single(name: string, keyName: string, check?: FieldCheck['check']): FieldCheck {
  return {
    keySizes: [1],
    badKey: `${keyName} key is more than one byte type`,
    duplicate: `Duplicate Key, ${name} already provided`,
    ...(check && { check }),
  };
}

function hashed(name: string, bytes: number): FieldCheck {
  return {
    keySizes: [bytes + 1],
    badKey: `Size of key was not the expected size for the type ${name} preimage`,
    duplicate: `Duplicate Key, input ${name} preimage already provided`,
  };
}

/** Reads exactly the value. */
function whole(read: (reader: Reader) => unknown): (value: Uint8Array) => void {
  return (value) => {
    const reader = new Reader(value);
    read(reader);
    if (reader.remaining > 0) throw new PsbtError(WRONG_SIZE);
  };
}

const readExactly = (bytes: number): ((value: Uint8Array) => void) => whole((reader) => reader.skip(bytes));

function checkPublicKey(publicKey: Uint8Array): void {
  if (!isValidPublicKey(publicKey)) throw new PsbtError('Invalid pubkey');
}

function checkOrigin(value: Uint8Array): void {
  if (value.length % 4 !== 0 || value.length === 0) throw new PsbtError('Invalid length for HD key path');
  readKeyOrigin(value);
}

const BIP32_DERIVATION: FieldCheck = {
  keySizes: [34, 66],
  badKey: 'Size of key was not the expected size for the type BIP32 keypath',
  duplicate: 'Duplicate Key, pubkey derivation path already provided',
  check: (value, publicKey) => {
    checkPublicKey(publicKey);
    checkOrigin(value);
  },
};

function tapDerivation(side: 'input' | 'output', title: string): FieldCheck {
  return {
    keySizes: [33],
    badKey: `${title} Taproot BIP32 keypath key is not at 33 bytes`,
    duplicate: `Duplicate Key, ${side} Taproot BIP32 keypath already provided`,
    check: (value) => {
      const { originBytes } = readTapDerivation(value);
      if (originBytes === undefined) throw new PsbtError(`${title} Taproot BIP32 keypath has an invalid length`);
      checkOrigin(originBytes);
    },
  };
}

function schnorrSize(what: string): (value: Uint8Array) => void {
  return ({ length }) => {
    if (length < 64) throw new PsbtError(`${what} is shorter than 64 bytes`);
    if (length > 65) throw new PsbtError(`${what} is longer than 65 bytes`);
  };
}

const GLOBAL: Readonly<Record<number, FieldCheck>> = {
  [GlobalType.UNSIGNED_TX]: single('unsigned tx', 'Global unsigned tx', (value) => {
    const tx = decoding(() => Transaction.fromBytesWithoutWitness(value));
    if (tx.inputs.some(({ scriptSig }) => scriptSig.length > 0)) {
      throw new PsbtError('Unsigned tx does not have empty scriptSigs and scriptWitnesses.');
    }
  }),
  [GlobalType.XPUB]: {
    keySizes: [79],
    badKey: 'Size of key was not the expected size for the type global xpub',
    duplicate: 'Duplicate key, global xpub already provided',
    check: (value, extendedKey) => {
      checkPublicKey(extendedKey.subarray(-33));
      checkOrigin(value);
    },
  },
  [GlobalType.VERSION]: single('version', 'Global version', (value) => {
    readExactly(4)(value);
    if (new Reader(value).u32() > 0) throw new PsbtError('Unsupported version number');
  }),
  [GlobalType.PROPRIETARY]: PROPRIETARY,
};

const INPUT: Readonly<Record<number, FieldCheck>> = {
  [InputType.NON_WITNESS_UTXO]: single('input non-witness utxo', 'Non-witness utxo', (value) => {
    decoding(() => Transaction.fromBytes(value));
  }),
  [InputType.WITNESS_UTXO]: single('input witness utxo', 'Witness utxo', whole(readTxOutput)),
  [InputType.PARTIAL_SIG]: {
    keySizes: [34, 66],
    badKey: 'Size of key was not the expected size for the type partial signature pubkey',
    duplicate: 'Duplicate Key, input partial signature for pubkey already provided',
    check: (value, publicKey) => {
      checkPublicKey(publicKey);
      if (
        value.length === 0 ||
        encoding.checkSignatureEncoding(value, ScriptFlag.DERSIG | ScriptFlag.STRICTENC) !== undefined
      ) {
        throw new PsbtError('Signature is not a valid encoding');
      }
    },
  },
  [InputType.SIGHASH]: single('input sighash type', 'Sighash type', readExactly(4)),
  [InputType.REDEEM_SCRIPT]: single('input redeemScript', 'Input redeemScript'),
  [InputType.WITNESS_SCRIPT]: single('input witnessScript', 'Input witnessScript'),
  [InputType.BIP32_DERIVATION]: BIP32_DERIVATION,
  [InputType.SCRIPT_SIG]: single('input final scriptSig', 'Final scriptSig'),
  [InputType.SCRIPT_WITNESS]: single(
    'input final scriptWitness',
    'Final scriptWitness',
    whole((reader) => {
      for (let count = reader.count(1); count > 0; count--) reader.varBytes();
    }),
  ),
  [InputType.RIPEMD160]: hashed('ripemd160', 20),
  [InputType.SHA256]: hashed('sha256', 32),
  [InputType.HASH160]: hashed('hash160', 20),
  [InputType.HASH256]: hashed('hash256', 32),
  [InputType.TAP_KEY_SIG]: single(
    'input Taproot key signature',
    'Input Taproot key signature',
    schnorrSize('Input Taproot key path signature'),
  ),
  [InputType.TAP_SCRIPT_SIG]: {
    keySizes: [65],
    badKey: 'Input Taproot script signature key is not 65 bytes',
    duplicate: 'Duplicate Key, input Taproot script signature already provided',
    check: schnorrSize('Input Taproot script path signature'),
  },
  [InputType.TAP_LEAF_SCRIPT]: {
    badKey: '',
    duplicate: 'Duplicate Key, input Taproot leaf script already provided',
    check: (value, controlBlock) => {
      if (controlBlock.length < 33) throw new PsbtError('Taproot leaf script key is not at least 34 bytes');
      if ((controlBlock.length - 1) % 32 !== 0) {
        throw new PsbtError("Input Taproot leaf script key's control block size is not valid");
      }
      if (value.length === 0) throw new PsbtError('Input Taproot leaf script must be at least 1 byte');
    },
  },
  [InputType.TAP_BIP32_DERIVATION]: tapDerivation('input', 'Input'),
  [InputType.TAP_INTERNAL_KEY]: single('input Taproot internal key', 'Input Taproot internal key', readExactly(32)),
  [InputType.TAP_MERKLE_ROOT]: single('input Taproot merkle root', 'Input Taproot merkle root', readExactly(32)),
  [InputType.PROPRIETARY]: PROPRIETARY,
};

const OUTPUT: Readonly<Record<number, FieldCheck>> = {
  [OutputType.REDEEM_SCRIPT]: single('output redeemScript', 'Output redeemScript'),
  [OutputType.WITNESS_SCRIPT]: single('output witnessScript', 'Output witnessScript'),
  [OutputType.BIP32_DERIVATION]: BIP32_DERIVATION,
  [OutputType.TAP_INTERNAL_KEY]: single('output Taproot internal key', 'Output Taproot internal key', readExactly(32)),
  [OutputType.TAP_TREE]: single('output Taproot tree', 'Output Taproot tree', checkTapTree),
  [OutputType.TAP_BIP32_DERIVATION]: tapDerivation('output', 'Output'),
  [OutputType.PROPRIETARY]: PROPRIETARY,
};

/** Any point will do: whether the depths make a tree does not depend on the key. */
const SOME_KEY = new Uint8Array(Buffer.from('79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798', 'hex'));

function checkTapTree(value: Uint8Array): void {
  if (value.length === 0) throw new PsbtError('Output Taproot tree must not be empty');
  const leaves = readTapTree(value);
  if (leaves.some(({ depth }) => depth > TAPROOT_MAX_DEPTH)) {
    throw new PsbtError('Output Taproot tree has as leaf greater than Taproot maximum depth');
  }
  if (leaves.some(({ leafVersion }) => (leafVersion & ~taproot.TAPROOT_LEAF_MASK) !== 0)) {
    throw new PsbtError('Output Taproot tree has a leaf with an invalid leaf version');
  }
  if (taprootTree(SOME_KEY, leaves) === undefined) throw new PsbtError('Output Taproot tree is malformed');
}

/** What does not fill its record, or goes on behind it, is no transaction of this size. */
function decoding<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof DecodeError && /too many|truncated/.test(error.message)) throw new PsbtError(WRONG_SIZE);
    throw error;
  }
}

export type PsbtPart = 'global' | 'input' | 'output';

const FIELDS: Readonly<Record<PsbtPart, Readonly<Record<number, FieldCheck>>>> = {
  global: GLOBAL,
  input: INPUT,
  output: OUTPUT,
};

export function fieldCheck(part: PsbtPart, type: number): FieldCheck {
  return FIELDS[part][type] ?? UNKNOWN;
}
