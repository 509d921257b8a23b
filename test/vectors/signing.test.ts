/**
 * Signatures, finished inputs and PSBTs against @scure/btc-signer, an implementation of its own: byte for byte, for every
 * kind of output and hash type.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as btc from '@scure/btc-signer';
import { hash160, loadSecp256k1 } from '#crypto';
import { SigningProvider, taprootTree } from '#descriptor';
import { STANDARD_SCRIPT_FLAGS } from '#mempool';
import { Transaction, type TxOutput } from '#primitives';
import { sighash, templates } from '#script';
import {
  combineTransactions,
  decodePsbt,
  encodePsbt,
  extractTransaction,
  finalizePsbt,
  signTransaction,
} from '#signing';
import { toHex } from '#util';
import { type TestKey, testKey } from '../support/keys.ts';

const RULES = { secp: loadSecp256k1(), flags: STANDARD_SCRIPT_FLAGS };
const NO_RANDOMNESS = new Uint8Array(32);
const VALUE = 100_000n;
const { SIGHASH_ALL, SIGHASH_ANYONECANPAY, SIGHASH_DEFAULT, SIGHASH_NONE, SIGHASH_SINGLE } = sighash;
const HASH_TYPES = [SIGHASH_ALL, SIGHASH_NONE, SIGHASH_SINGLE].flatMap((type) => [type, type | SIGHASH_ANYONECANPAY]);

/** One kind of output, as both sides describe it. */
type Kind = {
  readonly name: string;
  /** Fields of their input. */
  readonly theirs: Record<string, unknown> & { readonly script: Uint8Array };
  readonly signers: readonly TestKey[];
  /** What ours has to know beside the keys. */
  readonly learn?: (known: SigningProvider) => void;
  readonly isTaproot?: boolean;
};

const [one, two, three] = [testKey(1), testKey(2), testKey(3)];
const xOnly = (key: TestKey): Uint8Array => key.publicKey.subarray(1);
const multisig = templates.multisig(2, [one.publicKey, two.publicKey, three.publicKey]);
const theirMultisig = btc.p2ms(2, [one.publicKey, two.publicKey, three.publicKey]);

function kinds(): readonly Kind[] {
  const leaf = templates.multisigTapscript(2, [xOnly(two), xOnly(three)]);
  const tree = taprootTree(xOnly(one), [{ depth: 0, leafVersion: 0xc0, script: leaf }]);
  assert.ok(tree !== undefined);
  const theirTree = btc.p2tr(xOnly(one), { script: leaf }, undefined, true);
  const knowMultisig = (known: SigningProvider): void => {
    known.addScript(multisig);
    known.addScript(templates.payToWitnessScriptHash(multisig));
  };
  const program = templates.payToWitness(0, hash160(one.publicKey));
  return [
    {
      name: 'p2wsh key',
      theirs: btc.p2wsh(btc.p2pk(one.publicKey)),
      signers: [one],
      learn: (known) => known.addScript(one.p2pk),
    },
    { name: 'p2pkh', theirs: btc.p2pkh(one.publicKey), signers: [one] },
    { name: 'p2wpkh', theirs: btc.p2wpkh(one.publicKey), signers: [one] },
    {
      name: 'p2sh-p2wpkh',
      theirs: btc.p2sh(btc.p2wpkh(one.publicKey)),
      signers: [one],
      learn: (known) => known.addScript(program),
    },
    { name: 'p2sh multisig', theirs: btc.p2sh(theirMultisig), signers: [one, three], learn: knowMultisig },
    { name: 'p2wsh multisig', theirs: btc.p2wsh(theirMultisig), signers: [two, three], learn: knowMultisig },
    {
      name: 'p2sh-p2wsh multisig',
      theirs: btc.p2sh(btc.p2wsh(theirMultisig)),
      signers: [one, two],
      learn: knowMultisig,
    },
    {
      name: 'p2tr key',
      theirs: btc.p2tr(xOnly(one)),
      signers: [one],
      isTaproot: true,
      learn: knowTree(taprootTree(xOnly(one), [])),
    },
    {
      name: 'p2tr key above scripts',
      theirs: { ...theirTree },
      signers: [one],
      isTaproot: true,
      learn: knowTree(tree),
    },
    { name: 'p2tr script', theirs: { ...theirTree }, signers: [two, three], isTaproot: true, learn: knowTree(tree) },
  ];
}

function knowTree(tree: ReturnType<typeof taprootTree>): (known: SigningProvider) => void {
  return (known) => {
    if (tree !== undefined) known.addTree(tree);
  };
}

type Theirs = {
  readonly tx: btc.Transaction;
  readonly unsigned: Uint8Array;
  readonly source: Transaction;
};

/** Signed by them; `salt` makes it another transaction. */
function theirSigned({ theirs, isTaproot, signers }: Kind, hashType: number, salt = 0, lowR = true): Theirs {
  const source = Transaction.fromFields({
    version: 2,
    inputs: [
      { prevTxid: new Uint8Array(32).fill(9), prevIndex: salt, scriptSig: new Uint8Array(0), sequence: 1, witness: [] },
    ],
    outputs: [{ value: VALUE, scriptPubKey: theirs.script }],
    lockTime: 0,
  });
  const tx = new btc.Transaction({ lowR, allowUnknownOutputs: true, allowLegacyWitnessUtxo: true });
  const { script, ...fields } = theirs;
  const spent = isTaproot === true ? { witnessUtxo: { script, amount: VALUE } } : { nonWitnessUtxo: source.raw };
  tx.addInput({ ...fields, ...spent, txid: source.txid, index: 0, sequence: 0xfffffffd, sighashType: hashType });
  tx.addOutput({ script: one.p2pkh, amount: VALUE - 1_000n });
  const unsigned = tx.unsignedTx;
  for (const { secret } of signers) tx.sign(secret, [hashType], NO_RANDOMNESS);
  return { tx, unsigned, source };
}

/** The two number the nonces that they try differently: a transaction whose first ones will do. */
function signedAtFirstTry(kind: Kind, hashType: number): Theirs {
  for (let salt = 0; ; salt++) {
    const tried = theirSigned(kind, hashType, salt);
    const plain = theirSigned(kind, hashType, salt, false);
    if (toHex(tried.tx.toPSBT(0)) === toHex(plain.tx.toPSBT(0))) return tried;
  }
}

function ourSigned(
  kind: Kind,
  unsigned: Uint8Array,
  source: Transaction,
  hashType: number,
  signers = kind.signers,
): Transaction {
  const known = new SigningProvider();
  for (const { publicKey, secret } of signers) known.addSecret(publicKey, { secret, compressed: true });
  kind.learn?.(known);
  const spent: readonly TxOutput[] = source.outputs;
  return signTransaction(Transaction.fromBytes(unsigned), known, spent, hashType, RULES).tx;
}

for (const kind of kinds()) {
  test(`${kind.name}: the same transaction from both`, () => {
    for (const hashType of kind.isTaproot === true ? [SIGHASH_DEFAULT, ...HASH_TYPES] : HASH_TYPES) {
      const { tx, unsigned, source } = signedAtFirstTry(kind, hashType);
      tx.finalize();
      assert.equal(
        toHex(ourSigned(kind, unsigned, source, hashType).raw),
        toHex(tx.extract()),
        `hash type ${hashType}`,
      );
    }
  });

  test(`${kind.name}: their PSBT, signed by them, finished by us`, () => {
    const { tx } = theirSigned(kind, kind.isTaproot === true ? SIGHASH_DEFAULT : SIGHASH_ALL);
    const text = Buffer.from(tx.toPSBT(0)).toString('base64');
    const decoded = decodePsbt(text);
    assert.ok(decoded.kind === 'parsed', decoded.kind === 'invalid' ? decoded.error : '');
    // What we write they read as what they wrote.
    const read = btc.Transaction.fromPSBT(Buffer.from(encodePsbt(decoded.psbt), 'base64'), {
      allowLegacyWitnessUtxo: true,
    });
    assert.deepEqual(Buffer.from(read.toPSBT(0)).toString('base64'), text);
    assert.equal(finalizePsbt(decoded.psbt, RULES), true);
    tx.finalize();
    assert.equal(toHex(extractTransaction(decoded.psbt).raw), toHex(tx.extract()));
  });
}

test('copies that two have signed become one', () => {
  const kind = kinds().find(({ name }) => name === 'p2sh-p2wsh multisig');
  assert.ok(kind !== undefined);
  const { unsigned, source } = theirSigned(kind, SIGHASH_ALL);
  const [first, second] = kind.signers.map((signer) => ourSigned(kind, unsigned, source, SIGHASH_ALL, [signer]));
  assert.ok(first !== undefined && second !== undefined);
  const whole = ourSigned(kind, unsigned, source, SIGHASH_ALL);
  for (const copies of [
    [first, second],
    [second, first],
    [first, whole],
  ] as [Transaction, Transaction][]) {
    assert.equal(toHex(combineTransactions(copies, source.outputs, RULES).raw), toHex(whole.raw));
  }
});
