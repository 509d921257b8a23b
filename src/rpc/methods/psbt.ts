/** Partially signed transactions: made, decoded, joined, finished, analysed. */
import { transactionSigOpCost } from '#consensus';
import { DEFAULT_MEMPOOL_OPTIONS, STANDARD_SCRIPT_FLAGS, virtualSize } from '#mempool';
import { Transaction, txidFromBytes } from '#primitives';
import {
  analyzePsbt,
  blankPsbt,
  combinePsbts,
  decodePsbt,
  encodePsbt,
  extractTransaction,
  finalizePsbt,
  type InputAnalysis,
  joinPsbts,
  type Psbt,
} from '#signing';
import { systemRandom, toHex } from '#util';
import { constructTransaction } from '../core-io/construct-tx.ts';
import { decodeHexTx } from '../core-io/decode-tx.ts';
import { psbtJson } from '../core-io/psbt-json.ts';
import { signingRules } from '../core-io/signing.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonInput, type JsonObject } from '../json/value.ts';
import { stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { ANALYZE_RESULTS, DECODE_PSBT_RESULTS } from './psbt-described.ts';
import { CREATE_TX_EXAMPLES, CREATE_TX_PARAMS, isWitnessParam } from './tx-described.ts';

const PSBT_EXAMPLES = [{ cli: '"psbt"', json: '"psbt"' }];
const psbtParam = param.string('psbt', 'A base64 string of a PSBT');
const psbtResult = result.string('', 'The base64-encoded partially signed transaction');

export const PSBT_METHODS: readonly RpcMethod[] = [
  {
    name: 'decodepsbt',
    category: 'rawtransactions',
    about: 'Return a JSON object representing the serialized, base64-encoded partially signed Bitcoin transaction.',
    params: [param.string('psbt', 'The PSBT base64 string')],
    results: [result.object('', '', DECODE_PSBT_RESULTS)],
    examples: PSBT_EXAMPLES,
    handler: ({ args, node }) => psbtJson(psbtOf(args.value('psbt')), node.chain.params.address),
  },
  {
    name: 'combinepsbt',
    category: 'rawtransactions',
    about:
      'Combine multiple partially signed Bitcoin transactions into one transaction.\n' +
      'Implements the Combiner role.',
    params: [
      param.array('txs', 'The base64 strings of partially signed transactions', {
        inner: [param.string('psbt', 'A base64 string of a PSBT', { optional: true })],
      }),
    ],
    results: [psbtResult],
    examples: [{ cli: '\'["mybase64_1", "mybase64_2"]\'', json: '["mybase64_1", "mybase64_2"]' }],
    handler: combinePsbt,
  },
  {
    name: 'finalizepsbt',
    category: 'rawtransactions',
    about:
      'Finalize the inputs of a PSBT. If the transaction is fully signed, it will produce a\n' +
      'network serialized transaction which can be broadcast with sendrawtransaction. Otherwise a PSBT will be\n' +
      'created which has the final_scriptSig and final_scriptWitness fields filled for inputs that are complete.\n' +
      'Implements the Finalizer and Extractor roles.',
    params: [
      psbtParam,
      param.boolean(
        'extract',
        'If true and the transaction is complete,\n' +
          'extract and return the complete transaction in normal network serialization instead of the PSBT.',
        { default: true },
      ),
    ],
    results: [
      result.object('', '', [
        result.string('psbt', 'The base64-encoded partially signed transaction if not extracted', { optional: true }),
        result.hex('hex', 'The hex-encoded network transaction if extracted', { optional: true }),
        result.boolean('complete', 'If the transaction has a complete set of signatures'),
      ]),
    ],
    examples: PSBT_EXAMPLES,
    handler: finalize,
  },
  {
    name: 'createpsbt',
    category: 'rawtransactions',
    about:
      'Creates a transaction in the Partially Signed Transaction format.\n' +
      'Implements the Creator role.\n' +
      "Note that the transaction's inputs are not signed, and\n" +
      'it is not stored in the wallet or transmitted to the network.',
    params: CREATE_TX_PARAMS,
    results: [result.string('', 'The resulting raw transaction (base64-encoded string)')],
    examples: CREATE_TX_EXAMPLES,
    handler: ({ args, node }) => encodePsbt(blankPsbt(constructTransaction(args, node.chain.params.address))),
  },
  {
    name: 'converttopsbt',
    category: 'rawtransactions',
    about:
      'Converts a network serialized transaction to a PSBT. This should be used only with createrawtransaction and fundrawtransaction\n' +
      'createpsbt and walletcreatefundedpsbt should be used for new applications.',
    params: [
      param.hex('hexstring', 'The hex string of a raw transaction'),
      param.boolean(
        'permitsigdata',
        'If true, any signatures in the input will be discarded and conversion\n' +
          'will continue. If false, RPC will fail if any signatures are present.',
        { default: false },
      ),
      isWitnessParam,
    ],
    results: [result.string('', 'The resulting raw transaction (base64-encoded string)')],
    examples: [{ cli: '"rawtransaction"', json: '"rawtransaction"' }],
    handler: convertToPsbt,
  },
  {
    name: 'joinpsbts',
    category: 'rawtransactions',
    about:
      'Joins multiple distinct PSBTs with different inputs and outputs into one PSBT with inputs and outputs from all of the PSBTs\n' +
      'No input in any of the PSBTs can be in more than one of the PSBTs.',
    params: [param.array('txs', 'The base64 strings of partially signed transactions', { inner: [psbtParam] })],
    results: [psbtResult],
    examples: [{ cli: '"[\\"psbt1\\",\\"psbt2\\"]"', json: '["psbt1", "psbt2"]' }],
    handler: join,
  },
  {
    name: 'analyzepsbt',
    category: 'rawtransactions',
    about: 'Analyzes and provides information about the current status of a PSBT and its inputs',
    params: [psbtParam],
    results: [result.object('', '', ANALYZE_RESULTS)],
    examples: PSBT_EXAMPLES,
    handler: analyze,
  },
];

/** Core's DecodeBase64PSBT. */
export function psbtOf(value: JsonInput): Psbt {
  const parsed = decodePsbt(stringOf(value));
  if (parsed.kind === 'parsed') return parsed.psbt;
  throw new RpcError(RpcCode.deserialization, `TX decode failed ${parsed.error}`);
}

function combinePsbt({ args }: RpcCall): string {
  const [first, ...others] = args.array('txs').map(psbtOf);
  if (first === undefined) throw invalidParameter("Parameter 'txs' cannot be empty");
  const combined = combinePsbts([first, ...others]);
  if (combined === undefined) throw invalidParameter('PSBTs not compatible (different transactions)');
  return encodePsbt(combined);
}

function finalize({ args }: RpcCall): JsonObject {
  const psbt = psbtOf(args.value('psbt'));
  const complete = finalizePsbt(psbt, signingRules());
  if (!complete || !args.boolean('extract')) return { psbt: encodePsbt(psbt), complete };
  return { hex: toHex(extractTransaction(psbt).raw), complete };
}

function convertToPsbt({ args }: RpcCall): string {
  const isWitness = args.has('iswitness') ? args.boolean('iswitness') : undefined;
  const tx = decodeHexTx(args.string('hexstring'), { witness: isWitness ?? true, withoutWitness: isWitness !== true });
  if (tx === undefined) throw new RpcError(RpcCode.deserialization, 'TX decode failed');
  const isSigned = tx.inputs.some(({ scriptSig, witness }) => scriptSig.length > 0 || witness.length > 0);
  if (isSigned && !args.boolean('permitsigdata')) {
    throw new RpcError(RpcCode.deserialization, 'Inputs must not have scriptSigs and scriptWitnesses');
  }
  const { version, outputs, lockTime } = tx;
  const inputs = tx.inputs.map(({ prevTxid, prevIndex, sequence }) => ({
    prevTxid,
    prevIndex,
    sequence,
    scriptSig: new Uint8Array(0),
    witness: [],
  }));
  return encodePsbt(blankPsbt(Transaction.fromFields({ version, inputs, outputs, lockTime })));
}

function join({ args }: RpcCall): string {
  const given = args.array('txs');
  if (given.length <= 1) throw invalidParameter('At least two PSBTs are required to join PSBTs.');
  const joined = joinPsbts(given.map(psbtOf), systemRandom);
  if (joined.kind === 'joined') return encodePsbt(joined.psbt);
  const { prevTxid, prevIndex } = joined.input;
  throw invalidParameter(`Input ${txidFromBytes(prevTxid)}:${prevIndex} exists in multiple PSBTs`);
}

function analyze({ args }: RpcCall): JsonObject {
  const { bytesPerSigOp } = DEFAULT_MEMPOOL_OPTIONS;
  const analysis = analyzePsbt(psbtOf(args.value('psbt')), signingRules(), (tx, spent) =>
    virtualSize(tx.weight, transactionSigOpCost(tx, spent, STANDARD_SCRIPT_FLAGS), bytesPerSigOp),
  );
  const { inputs, estimatedVsize, fee, next, error } = analysis;
  const feeRate =
    fee !== undefined && estimatedVsize !== undefined ? (fee * 1000n) / BigInt(estimatedVsize) : undefined;
  return {
    inputs: inputs.length === 0 ? undefined : inputs.map(inputAnalysisJson),
    estimated_vsize: estimatedVsize,
    estimated_feerate: feeRate === undefined ? undefined : amount(feeRate),
    fee: fee === undefined ? undefined : amount(fee),
    next,
    error,
  };
}

function inputAnalysisJson({ hasUtxo, isFinal, next, missing }: InputAnalysis): JsonObject {
  const { missingKeys = [], missingSignatures = [], missingRedeemScript, missingWitnessScript } = missing ?? {};
  const lacks = {
    pubkeys: missingKeys.length === 0 ? undefined : missingKeys.map(toHex),
    redeemscript: missingRedeemScript && toHex(missingRedeemScript),
    witnessscript: missingWitnessScript && toHex(missingWitnessScript),
    signatures: missingSignatures.length === 0 ? undefined : missingSignatures.map(toHex),
  };
  const lacksSomething = Object.values(lacks).some((value) => value !== undefined);
  return { has_utxo: hasUtxo, is_final: isFinal, next, missing: lacksSomething ? lacks : undefined };
}
