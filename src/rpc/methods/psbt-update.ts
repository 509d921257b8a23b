/** PSBTs completed, and signed, by what this node and descriptors know: utxoupdatepsbt, descriptorprocesspsbt. */
import type { SigningProvider } from '#descriptor';
import type { StarlingNode } from '#node';
import { type Transaction, type Txid, txidFromBytes } from '#primitives';
import { sighash, solver, witnessProgram } from '#script';
import {
  encodePsbt,
  extractTransaction,
  isFinal,
  type Psbt,
  psbtMap,
  psbtSigner,
  removeUnnecessarySources,
  setWitnessUtxo,
  signPsbtInput,
  updatePsbtOutput,
} from '#signing';
import { assert, toHex } from '#util';
import { providerOfScanObjects } from '../core-io/scan-objects.ts';
import { hashTypeOf, signingRules } from '../core-io/signing.ts';
import { pooledTransaction } from '../core-io/spent-outputs.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { psbtOf } from './psbt.ts';
import { DESCRIPTOR_PARAMS, hashTypeParam } from './tx-described.ts';

const { InputType, mapKey, singleValue } = psbtMap;

export const PSBT_UPDATE_METHODS: readonly RpcMethod[] = [
  {
    name: 'utxoupdatepsbt',
    category: 'rawtransactions',
    about:
      'Updates all segwit inputs and outputs in a PSBT with data from output descriptors, the UTXO set, txindex, or the mempool.',
    params: [
      param.string('psbt', 'A base64 string of a PSBT'),
      param.array('descriptors', 'An array of either strings or objects', { optional: true, inner: DESCRIPTOR_PARAMS }),
    ],
    results: [result.string('', 'The base64-encoded partially signed transaction with inputs updated')],
    examples: [{ cli: '"psbt"', json: '"psbt"' }],
    handler: utxoUpdatePsbt,
  },
  {
    name: 'descriptorprocesspsbt',
    category: 'rawtransactions',
    about:
      'Update all segwit inputs in a PSBT with information from output descriptors, the UTXO set or the mempool.\n' +
      'Then, sign the inputs we are able to with information from the output descriptors.',
    params: [
      param.string('psbt', 'The transaction base64 string'),
      param.array('descriptors', 'An array of either strings or objects', { inner: DESCRIPTOR_PARAMS }),
      hashTypeParam('The signature hash type to sign with if not specified by the PSBT. Must be one of'),
      param.boolean('bip32derivs', 'Include BIP 32 derivation paths for public keys if we know them', {
        default: true,
      }),
      param.boolean('finalize', 'Also finalize inputs if possible', { default: true }),
    ],
    results: [
      result.object('', '', [
        result.string('psbt', 'The base64-encoded partially signed transaction'),
        result.boolean('complete', 'If the transaction has a complete set of signatures'),
        result.hex('hex', 'The hex-encoded network transaction if complete', { optional: true }),
      ]),
    ],
    examples: [
      {
        cli: '"psbt" "[\\"descriptor1\\", \\"descriptor2\\"]"',
        json: '"psbt", "[\\"descriptor1\\", \\"descriptor2\\"]"',
      },
    ],
    handler: descriptorProcessPsbt,
  },
];

async function utxoUpdatePsbt({ args, node, signal }: RpcCall): Promise<string> {
  const descriptors = args.has('descriptors') ? args.array('descriptors') : [];
  const known = await providerOfScanObjects(descriptors, node.chain.params.address, signal);
  const psbt = psbtOf(args.value('psbt'));
  // Secrets are not needed: as a precaution there are none.
  const options = { keys: known.withoutSecrets(), hashType: sighash.SIGHASH_ALL, finalize: false };
  await processPsbt(node, psbt, options);
  return encodePsbt(psbt);
}

async function descriptorProcessPsbt({ args, node, signal }: RpcCall): Promise<JsonObject> {
  const known = await providerOfScanObjects(args.array('descriptors'), node.chain.params.address, signal);
  const psbt = psbtOf(args.value('psbt'));
  const hashType = hashTypeOf(args.value('sighashtype'));
  const keys = args.boolean('bip32derivs') ? known : known.withoutOrigins();
  await processPsbt(node, psbt, { keys, hashType, finalize: args.boolean('finalize') });
  const complete = psbt.inputs.every(isFinal);
  return {
    psbt: encodePsbt(psbt),
    complete,
    hex: complete ? toHex(extractTransaction(psbt).raw) : undefined,
  };
}

type ProcessOptions = { readonly keys: SigningProvider; readonly hashType: number; readonly finalize: boolean };

/** Core's ProcessPSBT. Changes the maps. */
async function processPsbt(node: StarlingNode, psbt: Psbt, options: ProcessOptions): Promise<void> {
  const rules = signingRules();
  for (const at of psbt.inputs.keys()) await addSpent(node, psbt, at, options.keys);
  const signer = psbtSigner(psbt, rules);
  for (const [at, map] of psbt.inputs.entries()) {
    if (!isFinal(map)) signPsbtInput(psbt, at, signer, options, rules);
  }
  for (const at of psbt.outputs.keys()) updatePsbtOutput(psbt, at, options.keys, rules.flags);
  removeUnnecessarySources(psbt, options.hashType);
}

/** The whole source, from the index or the mempool; else, of a segwit output, the coin alone. */
async function addSpent(node: StarlingNode, psbt: Psbt, at: number, keys: SigningProvider): Promise<void> {
  const [map, input] = [psbt.inputs[at], psbt.tx.inputs[at]];
  assert(map !== undefined && input !== undefined, 'a map for each input');
  if (singleValue(map, InputType.NON_WITNESS_UTXO) !== undefined) return;
  const source = await sourceTransaction(node, txidFromBytes(input.prevTxid));
  if (source !== undefined) {
    map.set(mapKey(InputType.NON_WITNESS_UTXO), source.raw);
    return;
  }
  const coin = node.chain.getCoin({ txid: input.prevTxid, index: input.prevIndex });
  if (coin !== undefined && isSegwitOutput(keys, coin.output.scriptPubKey)) setWitnessUtxo(map, coin.output);
}

async function sourceTransaction({ indexes, mempool }: StarlingNode, txid: Txid): Promise<Transaction | undefined> {
  const indexed = await indexes.transaction(txid);
  return indexed?.tx ?? pooledTransaction(mempool, txid);
}

/** Core's IsSegWitOutput: also behind a P2SH whose script is known. */
function isSegwitOutput(keys: SigningProvider, scriptPubKey: Uint8Array): boolean {
  if (witnessProgram(scriptPubKey) !== undefined) return true;
  const redeemScript =
    solver(scriptPubKey).kind === 'scripthash' ? keys.script(scriptPubKey.subarray(2, 22)) : undefined;
  return redeemScript !== undefined && witnessProgram(redeemScript) !== undefined;
}
