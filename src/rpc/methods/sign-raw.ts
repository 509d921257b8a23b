/** Raw transactions and signatures: signrawtransactionwithkey, combinerawtransaction. */
import { SigningProvider } from '#descriptor';
import type { Transaction } from '#primitives';
import { txidFromBytes } from '#primitives';
import { decodeWif } from '#script';
import { combineTransactions, MISSING_AMOUNT, publicKeyOf, signTransaction } from '#signing';
import { toHex } from '#util';
import { decodeHexTx } from '../core-io/decode-tx.ts';
import { hashTypeOf, signingRules } from '../core-io/signing.ts';
import { findOutput, readPrevouts } from '../core-io/spent-outputs.ts';
import { RpcCode, RpcError } from '../errors.ts';
import { amount, type JsonObject } from '../json/value.ts';
import { stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { hashTypeParam } from './tx-described.ts';

export const SIGN_RAW_METHODS: readonly RpcMethod[] = [
  {
    name: 'combinerawtransaction',
    category: 'rawtransactions',
    about:
      'Combine multiple partially signed transactions into one transaction.\n' +
      'The combined transaction may be another partially signed transaction or a\n' +
      'fully signed transaction.',
    params: [
      param.array('txs', 'The hex strings of partially signed transactions', {
        inner: [param.hex('hexstring', 'A hex-encoded raw transaction', { optional: true })],
      }),
    ],
    results: [result.string('', 'The hex-encoded raw transaction with signature(s)')],
    examples: [{ cli: '\'["myhex1", "myhex2", "myhex3"]\'', json: '["myhex1", "myhex2", "myhex3"]' }],
    handler: combineRawTransaction,
  },
  {
    name: 'signrawtransactionwithkey',
    category: 'rawtransactions',
    about:
      'Sign inputs for raw transaction (serialized, hex-encoded).\n' +
      'The second argument is an array of base58-encoded private\n' +
      'keys that will be the only keys used to sign the transaction.\n' +
      'The third optional argument (may be null) is an array of previous transaction outputs that\n' +
      'this transaction depends on but may not yet be in the block chain.',
    params: [
      param.string('hexstring', 'The transaction hex string'),
      param.array('privkeys', 'The base58-encoded private keys for signing', {
        inner: [param.hex('privatekey', 'private key in base58-encoding', { optional: true })],
      }),
      param.array('prevtxs', 'The previous dependent transaction outputs', {
        optional: true,
        inner: [
          param.object('', '', {
            optional: true,
            inner: [
              param.hex('txid', 'The transaction id'),
              param.number('vout', 'The output number'),
              param.hex('scriptPubKey', 'output script'),
              param.hex('redeemScript', '(required for P2SH) redeem script', { optional: true }),
              param.hex('witnessScript', '(required for P2WSH or P2SH-P2WSH) witness script', { optional: true }),
              param.amount('amount', '(required for Segwit inputs) the amount spent', { optional: true }),
            ],
          }),
        ],
      }),
      hashTypeParam('The signature hash type. Must be one of:'),
    ],
    results: [
      result.object('', '', [
        result.hex('hex', 'The hex-encoded raw transaction with signature(s)'),
        result.boolean('complete', 'If the transaction has a complete set of signatures'),
        result.array(
          'errors',
          'Script verification errors (if there are any)',
          [
            result.object('', '', [
              result.hex('txid', 'The hash of the referenced, previous transaction'),
              result.number('vout', 'The index of the output to spent and used as input'),
              result.array('witness', '', [result.hex('witness', '')]),
              result.hex('scriptSig', 'The hex-encoded signature script'),
              result.number('sequence', 'Script sequence number'),
              result.string('error', 'Verification or signing error related to the input'),
            ]),
          ],
          { optional: true },
        ),
      ]),
    ],
    examples: [{ cli: '"myhex" "[\\"key1\\",\\"key2\\"]"', json: '"myhex", "[\\"key1\\",\\"key2\\"]"' }],
    handler: signRawTransactionWithKey,
  },
];

function combineRawTransaction({ args, node }: RpcCall): string {
  const copies = args.array('txs').map((hex, at) => {
    const tx = decodeHexTx(stringOf(hex));
    if (tx !== undefined) return tx;
    const message = `TX decode failed for tx ${at}. Make sure the tx has at least one input.`;
    throw new RpcError(RpcCode.deserialization, message);
  });
  const [first, ...others] = copies;
  if (first === undefined) throw new RpcError(RpcCode.deserialization, 'Missing transactions');
  const spent = first.inputs.map((input) => {
    const output = findOutput(node, input);
    if (output === undefined) throw new RpcError(RpcCode.verifyError, 'Input not found or already spent');
    return output;
  });
  return toHex(combineTransactions([first, ...others], spent, signingRules()).raw);
}

function signRawTransactionWithKey({ args, node }: RpcCall): JsonObject {
  const tx = decodeHexTx(args.string('hexstring'));
  if (tx === undefined) {
    throw new RpcError(RpcCode.deserialization, 'TX decode failed. Make sure the tx has at least one input.');
  }
  const keys = new SigningProvider();
  for (const text of args.array('privkeys')) {
    const key = decodeWif(stringOf(text), node.chain.params.address);
    if (key === undefined) throw new RpcError(RpcCode.invalidAddressOrKey, 'Invalid private key');
    keys.addSecret(publicKeyOf(key), key);
  }
  const given = args.has('prevtxs') ? args.array('prevtxs') : [];
  const { spent, scripts } = readPrevouts(node, tx, given);
  const hashType = hashTypeOf(args.value('sighashtype'));
  const signed = signTransaction(tx, keys.merge(scripts), spent, hashType, signingRules());
  for (const [at, error] of signed.errors) {
    if (error === MISSING_AMOUNT) throw missingAmount(spent[at]);
  }
  const errors = [...signed.errors].map(([at, error]) => inputErrorJson(signed.tx, at, error));
  return {
    hex: toHex(signed.tx.raw),
    complete: errors.length === 0,
    errors: errors.length === 0 ? undefined : errors,
  };
}

/** With Core's CTxOut::ToString. */
function missingAmount(output: { readonly value: bigint; readonly scriptPubKey: Uint8Array } | undefined): RpcError {
  const script = toHex(output?.scriptPubKey ?? new Uint8Array(0)).slice(0, 30);
  const shown = `CTxOut(nValue=${amount(output?.value ?? 0n).text}, scriptPubKey=${script})`;
  return new RpcError(RpcCode.typeError, `Missing amount for ${shown}`);
}

function inputErrorJson(tx: Transaction, at: number, error: string): JsonObject {
  const input = tx.inputs[at];
  return {
    txid: txidFromBytes(input?.prevTxid ?? new Uint8Array(32)),
    vout: input?.prevIndex,
    witness: (input?.witness ?? []).map(toHex),
    scriptSig: toHex(input?.scriptSig ?? new Uint8Array(0)),
    sequence: input?.sequence,
    error,
  };
}
