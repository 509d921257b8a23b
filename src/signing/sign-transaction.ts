/** Signs raw transactions (Core's SignTransaction), and joins copies that several have signed. */
import type { Secp256k1 } from '#crypto';
import { SigningProvider } from '#descriptor';
import { MAX_MONEY, Transaction, type TxInput, type TxOutput } from '#primitives';
import { type ScriptErrorCode, scriptErrorText, sighash, verifyScript } from '#script';
import { dataFromTransaction } from './extract.ts';
import { produceSignature } from './produce-signature.ts';
import { TxSigner } from './signature-creator.ts';
import type { SignatureData } from './signature-data.ts';

/** Which engine verifies, and under which flags a signature must pass: what is standard. */
export type SigningRules = { readonly secp: Secp256k1; readonly flags: number };

export type SignedTransaction = {
  readonly tx: Transaction;
  /** Core's texts, by input. */
  readonly errors: ReadonlyMap<number, string>;
};

/** An amount of MAX_MONEY stands for one that was not told. */
export const MISSING_AMOUNT = 'Missing amount';

/** `spent` in the order of the inputs; undefined where none was found. `hashType` 0: the usual one. */
export function signTransaction(
  tx: Transaction,
  keys: SigningProvider,
  spent: readonly (TxOutput | undefined)[],
  hashType: number,
  { secp, flags }: SigningRules,
): SignedTransaction {
  const signer = new TxSigner(tx, spent, secp);
  const errors = new Map<number, string>();
  const isSingle = (hashType & ~sighash.SIGHASH_ANYONECANPAY) === sighash.SIGHASH_SINGLE;
  const inputs = tx.inputs.map((input, at): TxInput => {
    const output = spent[at];
    if (output === undefined) {
      errors.set(at, 'Input not found or already spent');
      return input;
    }
    const data = dataFromTransaction(signer, at, output, flags);
    // Without an output of its own SIGHASH_SINGLE would sign the number one.
    if (!isSingle || at < tx.outputs.length) {
      produceSignature({ keys, creator: signer.creator(at, hashType), data }, output.scriptPubKey, flags);
    }
    const error = inputError(data, output, flags, signer, at);
    if (error !== undefined) errors.set(at, error);
    return withUnlocking(input, data);
  });
  return { tx: Transaction.fromFields({ ...fieldsOf(tx), inputs }), errors };
}

function inputError(
  data: SignatureData,
  { value, scriptPubKey }: TxOutput,
  flags: number,
  signer: TxSigner,
  at: number,
): string | undefined {
  if (value === MAX_MONEY && data.scriptWitness.length > 0) return MISSING_AMOUNT;
  if (data.complete) return undefined;
  const code = verifyScript(data.scriptSig, scriptPubKey, data.scriptWitness, flags, signer.checker(at));
  return code && signingErrorText(code);
}

function signingErrorText(code: ScriptErrorCode): string {
  if (code === 'INVALID_STACK_OPERATION') {
    return 'Unable to sign input, invalid stack size (possibly missing key)';
  }
  if (code === 'NULLFAIL') {
    return 'CHECK(MULTI)SIG failing with non-zero signature (possibly need more signatures)';
  }
  return scriptErrorText(code);
}

/** All signatures of all copies, whose first gives everything else (Core's combinerawtransaction). */
export function combineTransactions(
  copies: readonly [Transaction, ...Transaction[]],
  spent: readonly TxOutput[],
  { secp, flags }: SigningRules,
): Transaction {
  const [first] = copies;
  const signers = copies.map(
    (tx) =>
      new TxSigner(
        tx,
        tx.inputs.map((_, at) => spent[at]),
        secp,
      ),
  );
  const noKeys = new SigningProvider();
  const inputs = first.inputs.map((input, at): TxInput => {
    const output = spent[at];
    const [signer] = signers;
    if (output === undefined || signer === undefined) return input;
    const [data, ...others] = signers.map((each) => dataFromTransaction(each, at, output, flags));
    if (data === undefined) return input;
    for (const other of others) data.merge(other);
    produceSignature(
      { keys: noKeys, creator: signer.creator(at, sighash.SIGHASH_ALL), data },
      output.scriptPubKey,
      flags,
    );
    return withUnlocking(input, data);
  });
  return Transaction.fromFields({ ...fieldsOf(first), inputs });
}

function withUnlocking(input: TxInput, { scriptSig, scriptWitness }: SignatureData): TxInput {
  const { prevTxid, prevIndex, sequence } = input;
  return { prevTxid, prevIndex, sequence, scriptSig, witness: scriptWitness };
}

function fieldsOf({ version, outputs, lockTime }: Transaction): Pick<Transaction, 'version' | 'outputs' | 'lockTime'> {
  return { version, outputs, lockTime };
}
