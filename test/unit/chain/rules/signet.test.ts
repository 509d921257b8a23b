/** bad-signet-blksig: a signet of our own, whose blocks are signed by the one key of its challenge (BIP325). */
import { test } from 'node:test';
import { Block, Transaction, type TxOutput, Writer } from '#primitives';
import { Op, pushData, sighash, signatureHash } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { type BlockOptions, withCoinbase, withCoinbaseInput } from '../../../support/chain-builder.ts';
import { ANYONE_CAN_SPEND, type TestKey, testKey } from '../../../support/keys.ts';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';

const CODE = 'bad-signet-blksig';
const signer = testKey(10);
const params = regtestWith({ signetChallenge: toHex(signer.p2pk) });
const SOLUTION_HEADER = fromHex('ecc7daa2');
const SIGNED_HEADER_BYTES = 72;

/** Appends a push of the marker and `solution` to the commitment. */
function withSolution(solution: Uint8Array): BlockOptions {
  const push = pushData(concatBytes(SOLUTION_HEADER, solution));
  return {
    commitWitness: true,
    extraNonce: 1,
    mutateTransactions: withCoinbase(({ outputs }) => ({
      outputs: outputs.map((output, at) =>
        at === 1 ? { ...output, scriptPubKey: concatBytes(output.scriptPubKey, push) } : output,
      ),
    })),
  };
}

function spendingOf(prevTxid: Uint8Array, prevIndex: number, scriptSig: Uint8Array, output: TxOutput): Transaction {
  const input = { prevTxid, prevIndex, scriptSig, sequence: 0, witness: [] };
  return Transaction.fromFields({ version: 0, inputs: [input], outputs: [output], lockTime: 0 });
}

/** What the key says to version, parent, merkle root without solution, and time of a block. */
function solutionOf({ header }: Block, key: TestKey): Uint8Array {
  const signed = pushData(header.raw.subarray(0, SIGNED_HEADER_BYTES));
  const challenge = { value: 0n, scriptPubKey: signer.p2pk };
  const toSpend = spendingOf(new Uint8Array(32), 0xffffffff, concatBytes(Uint8Array.of(Op.OP_0), signed), challenge);
  const burnt = { value: 0n, scriptPubKey: Uint8Array.of(Op.OP_RETURN) };
  const toSign = spendingOf(toSpend.txidBytes, 0, new Uint8Array(), burnt);
  const hash = signatureHash(signer.p2pk, toSign, 0, sighash.SIGHASH_ALL);
  const scriptSig = pushData(concatBytes(key.sign(hash), Uint8Array.of(sighash.SIGHASH_ALL)));
  return new Writer().varBytes(scriptSig).u8(0).finish();
}

/** The options of a block that the key signed. */
function signedBy(key: TestKey, rules: RuleChain): BlockOptions {
  const draft = rules.builder.build({ ...withSolution(new Uint8Array()), work: 'none' });
  return withSolution(solutionOf(draft, key));
}

test('bad-signet-blksig: no commitment, no solution, another key’s, another block’s', async () => {
  const rules = await RuleChain.open({ params, blocks: 0 });
  await rules.reject(CODE);
  await rules.reject(CODE, { commitWitness: true });
  await rules.reject(CODE, withSolution(new Uint8Array()));
  await rules.reject(CODE, signedBy(testKey(11), rules));
  const good = signedBy(signer, rules);
  await rules.reject(CODE, { ...good, time: rules.builder.view(0).time + 601 });
  await rules.reject(CODE, { ...good, version: 4 });
  await rules.reject(CODE, { ...good, coinbaseValue: 1n });
  await rules.accept(good);
  await rules.reject(CODE, good);
  await rules.accept(signedBy(signer, rules));
});

test('bad-signet-blksig: a body that is not the header’s is no fault of the header', async () => {
  const rules = await RuleChain.open({ params, blocks: 0 });
  const options = signedBy(signer, rules);
  const block = rules.builder.build(options);
  const [coinbase] = withCoinbaseInput({ sequence: 7 })(block.transactions);
  await rules.refuses(Block.fromParts(block.header, coinbase === undefined ? [] : [coinbase]), CODE, 'mutated');
  await rules.accept(options);
});

test('a challenge that anybody meets asks for a commitment only', async () => {
  const free = regtestWith({ signetChallenge: toHex(ANYONE_CAN_SPEND) });
  const rules = await RuleChain.open({ params: free, blocks: 0 });
  await rules.reject(CODE);
  await rules.accept({ commitWitness: true });
});
