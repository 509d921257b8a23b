/**
 * A key that can pay: makes signed pay-to-public-key-hash transactions, for the transaction stream of a development
 * network and for tests. It is no wallet: it keeps no coins, chooses none, and computes no fee.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { hash160 } from '#crypto';
import { Transaction, type TransactionFields, type TxInput, type TxOutput } from '#primitives';
import { pushData, sighash, signatureHash, templates } from '#script';
import { concatBytes } from '#util';

export type SigningKey = {
  /** 33 bytes, compressed. */
  readonly publicKey: Uint8Array;
  /** DER signature of a 32-byte hash, low S (BIP62 rule 5), deterministic (RFC 6979). */
  readonly sign: (hash: Uint8Array) => Uint8Array;
};

/** An output that the payer owns. */
export type PayerCoin = {
  /** 32 bytes, internal order. */
  readonly txid: Uint8Array;
  readonly index: number;
  readonly output: TxOutput;
};

export type Payment = {
  readonly coins: readonly PayerCoin[];
  readonly outputs: readonly TxOutput[];
  readonly version?: number;
  readonly lockTime?: number;
  /** For every input; default 0xfffffffd (neither lock time nor BIP68 disturbed, replaceable). */
  readonly sequence?: number;
};

const NO_SCRIPT = new Uint8Array(0);
const DEFAULT_SEQUENCE = 0xfffffffd;

/** `secret`: 32 bytes, a number from 1 to the group's order; throws otherwise. */
export function signingKey(secret: Uint8Array): SigningKey {
  const publicKey = secp256k1.getPublicKey(secret, true);
  return {
    publicKey,
    sign: (hash) => secp256k1.sign(hash, secret, { prehash: false, lowS: true, format: 'der' }),
  };
}

/** `OP_DUP OP_HASH160 <hash of the key> OP_EQUALVERIFY OP_CHECKSIG`. */
export function p2pkhScript(publicKey: Uint8Array): Uint8Array {
  return templates.payToPubKeyHash(hash160(publicKey));
}

/** A transaction that spends the coins, all of which pay `p2pkhScript(key.publicKey)`, signed with sighash.SIGHASH_ALL. */
export function payFromP2pkh(key: SigningKey, payment: Payment): Transaction {
  return signInputs(unsignedPayment(payment), payment.coins, (_coin, sign) =>
    concatBytes(pushData(sign(key)), pushData(key.publicKey)),
  );
}

/** The payment as fields with empty scripts. */
export function unsignedPayment(payment: Payment): TransactionFields {
  const { version = 2, lockTime = 0, sequence = DEFAULT_SEQUENCE } = payment;
  const inputs = payment.coins.map(({ txid, index }): TxInput => {
    return { prevTxid: txid, prevIndex: index, scriptSig: NO_SCRIPT, sequence, witness: [] };
  });
  return { version, inputs, outputs: payment.outputs, lockTime };
}

/** Makes the legacy signature of one input: `scriptCode` is the coin's script unless told otherwise (P2SH). */
export type SignInput = (key: SigningKey, scriptCode?: Uint8Array) => Uint8Array;

/** Fills every input's script by `unlock`, which gets the coin and a signer for that input. */
export function signInputs(
  fields: TransactionFields,
  coins: readonly PayerCoin[],
  unlock: (coin: PayerCoin, sign: SignInput) => Uint8Array,
): Transaction {
  const unsigned = Transaction.fromFields(fields);
  const inputs = fields.inputs.map((input, at): TxInput => {
    const coin = coins[at];
    if (coin === undefined) throw new RangeError(`input ${at} has no coin`);
    const sign: SignInput = (key, scriptCode = coin.output.scriptPubKey) => {
      const hash = signatureHash(scriptCode, unsigned, at, sighash.SIGHASH_ALL);
      return concatBytes(key.sign(hash), Uint8Array.of(sighash.SIGHASH_ALL));
    };
    return { ...input, scriptSig: unlock(coin, sign) };
  });
  return Transaction.fromFields({ ...fields, inputs });
}
