/**
 * BIP325: a signet block carries a script solution for the network's challenge in its coinbase. It is checked as if
 * a transaction spent an output with the challenge, both made from the block without the solution.
 */
import { hash256, loadSecp256k1 } from '#crypto';
import { type Block, DecodeError, Reader, Transaction, type TxInput, Writer } from '#primitives';
import { Op, pushData, ScriptFlag, ScriptReader, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { concatBytes, equalBytes } from '#util';
import { failure, type ValidationFailure } from './failure.ts';
import { merkleRoot } from './merkle.ts';
import type { NetworkParams } from './params.ts';
import { witnessCommitmentIndex } from './witness-commitment.ts';

/** Marks the push in the witness commitment that holds the solution. */
const SOLUTION_HEADER = Uint8Array.of(0xec, 0xc7, 0xda, 0xa2);
/** BIP325 fixed them when taproot was not active yet. */
const SOLUTION_FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.DERSIG | ScriptFlag.NULLDUMMY;
const NULL_TXID = new Uint8Array(32);

/** Core's CheckSignetBlockSolution, for every network with a challenge. Genesis needs none. */
export function checkSignetSolution(block: Block, params: NetworkParams): ValidationFailure | undefined {
  const { signetChallenge } = params;
  if (signetChallenge === undefined || block.hash === params.genesis.hash) return undefined;
  if (isSolved(block, signetChallenge)) return undefined;
  return failure('consensus', 'bad-signet-blksig', 'signet block signature validation failure');
}

function isSolved(block: Block, challenge: Uint8Array): boolean {
  const transactions = signetTransactions(block, challenge);
  if (transactions === undefined) return false;
  const { toSpend, toSign, solution } = transactions;
  const checker = new TxSignatureChecker(new TxSighash(toSign, toSpend.outputs), 0, loadSecp256k1());
  return verifyScript(solution.scriptSig, challenge, solution.witness, SOLUTION_FLAGS, checker) === undefined;
}

/** BIP325: the message start is the first four bytes of the challenge's hash (as a script with its length). */
export function signetMagic(challenge: Uint8Array): Uint8Array {
  return hash256(new Writer().varBytes(challenge).finish()).slice(0, 4);
}

type Solution = Pick<TxInput, 'scriptSig' | 'witness'>;

type SignetTransactions = {
  readonly toSpend: Transaction;
  readonly toSign: Transaction;
  readonly solution: Solution;
};

/** BIP325's two virtual transactions; undefined when the block has no commitment or a broken solution. */
function signetTransactions(block: Block, challenge: Uint8Array): SignetTransactions | undefined {
  const [coinbase] = block.transactions;
  const index = coinbase === undefined ? undefined : witnessCommitmentIndex(coinbase);
  if (coinbase === undefined || index === undefined) return undefined;
  const split = splitCommitment(coinbase.outputs[index]?.scriptPubKey ?? new Uint8Array());
  const solution = readSolution(split.solution);
  if (solution === undefined) return undefined;
  const signedData = signedBlockData(block, withOutputScript(coinbase, index, split.commitment));
  const toSpend = virtualTransaction({
    prevTxid: NULL_TXID,
    prevIndex: 0xffffffff,
    scriptSig: concatBytes(Uint8Array.of(Op.OP_0), pushData(signedData)),
    witness: [],
    scriptPubKey: challenge,
  });
  const toSign = virtualTransaction({
    prevTxid: toSpend.txidBytes,
    prevIndex: 0,
    ...solution,
    scriptPubKey: Uint8Array.of(Op.OP_RETURN),
  });
  return { toSpend, toSign, solution };
}

type VirtualTransaction = Omit<TxInput, 'sequence'> & { readonly scriptPubKey: Uint8Array };

function virtualTransaction({ scriptPubKey, ...input }: VirtualTransaction): Transaction {
  return Transaction.fromFields({
    version: 0,
    inputs: [{ ...input, sequence: 0 }],
    outputs: [{ value: 0n, scriptPubKey }],
    lockTime: 0,
  });
}

/**
 * The commitment script with the solution cut out of its push, and the solution; the script as it is and no solution
 * if there is none. Core's FetchAndClearCommitmentSection, which also writes every push anew in its short form.
 */
function splitCommitment(script: Uint8Array): { commitment: Uint8Array; solution: Uint8Array | undefined } {
  const parts: Uint8Array[] = [];
  let solution: Uint8Array | undefined;
  const reader = new ScriptReader(script);
  while (reader.next()) {
    const { data } = reader;
    if (data.length === 0) {
      parts.push(Uint8Array.of(reader.opcode));
    } else if (solution === undefined && data.length > SOLUTION_HEADER.length && startsWith(data, SOLUTION_HEADER)) {
      solution = data.subarray(SOLUTION_HEADER.length);
      parts.push(pushData(SOLUTION_HEADER));
    } else {
      parts.push(pushData(data));
    }
  }
  return { commitment: solution === undefined ? script : concatBytes(...parts), solution };
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, prefix.length), prefix);
}

/** scriptSig and witness of the solution; both empty without one (a challenge may need none); undefined if broken. */
function readSolution(bytes: Uint8Array | undefined): Solution | undefined {
  if (bytes === undefined) return { scriptSig: new Uint8Array(), witness: [] };
  try {
    const reader = new Reader(bytes);
    const scriptSig = reader.varBytes();
    const witness = Array.from({ length: reader.count(1) }, () => reader.varBytes());
    reader.end();
    return { scriptSig, witness };
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

function withOutputScript(tx: Transaction, index: number, scriptPubKey: Uint8Array): Transaction {
  const outputs = tx.outputs.map((output, i) => (i === index ? { ...output, scriptPubKey } : output));
  return Transaction.fromFields({ version: tx.version, inputs: tx.inputs, outputs, lockTime: tx.lockTime });
}

/** What the solution signs: version, parent, the root with the changed coinbase, and time. */
function signedBlockData(block: Block, coinbase: Transaction): Uint8Array {
  const others = block.transactions.slice(1).map((tx) => tx.txidBytes);
  const { raw } = block.header;
  return concatBytes(raw.subarray(0, 36), merkleRoot([coinbase.txidBytes, ...others]), raw.subarray(68, 72));
}
