/** BIP141: the coinbase output that commits to all witnesses, and the checks around it. */
import { hash256 } from '#crypto';
import type { Block, Transaction } from '#primitives';
import { concatBytes, equalBytes } from '#util';
import { failure, type ValidationFailure } from './failure.ts';
import { witnessMerkleRoot } from './merkle.ts';

/** OP_RETURN, a push of 36 bytes, and the first four of them. */
const COMMITMENT_PREFIX = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);
const MIN_COMMITMENT_BYTES = COMMITMENT_PREFIX.length + 32;
const RESERVED_VALUE_BYTES = 32;

/** Index of the coinbase's last output that is a commitment, or undefined (Core's GetWitnessCommitmentIndex). */
export function witnessCommitmentIndex(coinbase: Transaction): number | undefined {
  const index = coinbase.outputs.findLastIndex(
    ({ scriptPubKey }) =>
      scriptPubKey.length >= MIN_COMMITMENT_BYTES &&
      equalBytes(scriptPubKey.subarray(0, COMMITMENT_PREFIX.length), COMMITMENT_PREFIX),
  );
  return index === -1 ? undefined : index;
}

/** The output script that commits to `witnessRoot` with the coinbase's witness `reservedValue` (32 bytes each). */
export function witnessCommitmentScript(witnessRoot: Uint8Array, reservedValue: Uint8Array): Uint8Array {
  return concatBytes(COMMITMENT_PREFIX, hash256(concatBytes(witnessRoot, reservedValue)));
}

/**
 * Core's CheckWitnessMalleation. With segwit active (`expectCommitment`) a commitment must be right; a block
 * without one (or before segwit) must not carry witnesses. Failures are `mutated`: the header does not cover
 * witnesses, so another copy of the block may be good. The block must have a coinbase.
 */
export function checkWitnessMalleation(block: Block, expectCommitment: boolean): ValidationFailure | undefined {
  const [coinbase] = block.transactions;
  const index = expectCommitment && coinbase !== undefined ? witnessCommitmentIndex(coinbase) : undefined;
  const output = index === undefined ? undefined : coinbase?.outputs[index];
  if (output !== undefined) return checkCommitment(block, coinbase, output.scriptPubKey);
  if (!block.transactions.some((tx) => tx.hasWitness)) return undefined;
  return failure('mutated', 'unexpected-witness', 'CheckWitnessMalleation : unexpected witness data found');
}

function checkCommitment(
  block: Block,
  coinbase: Transaction | undefined,
  script: Uint8Array,
): ValidationFailure | undefined {
  const stack = coinbase?.inputs[0]?.witness ?? [];
  const [reservedValue] = stack;
  if (stack.length !== 1 || reservedValue?.length !== RESERVED_VALUE_BYTES) {
    const debug = 'CheckWitnessMalleation : invalid witness reserved value size';
    return failure('mutated', 'bad-witness-nonce-size', debug);
  }
  // No check for mutation: txids fix the transaction tree already, so the witness tree has the same shape.
  const expected = witnessCommitmentScript(witnessMerkleRoot(block), reservedValue);
  if (equalBytes(script.subarray(0, MIN_COMMITMENT_BYTES), expected)) return undefined;
  const debug = 'CheckWitnessMalleation : witness merkle commitment mismatch';
  return failure('mutated', 'bad-witness-merkle-match', debug);
}
