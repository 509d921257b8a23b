/** Descriptions of parameters and results that the methods about transactions share. */

import { HASH_TYPE_NAMES } from '../core-io/signing.ts';
import { type Param, param } from '../table/param.ts';
import { type Result, type ResultOptions, result } from '../table/result.ts';
import { SCRIPT_PUB_KEY_RESULT } from './described.ts';

const MAY_LACK: ResultOptions = { optional: true };

/** What decoderawtransaction shows. */
export function txResults(txidAbout: string): readonly Result[] {
  return [
    result.hex('txid', txidAbout),
    result.hex('hash', 'The transaction hash (differs from txid for witness transactions)'),
    result.number('size', 'The serialized transaction size'),
    result.number('vsize', 'The virtual transaction size (differs from size for witness transactions)'),
    result.number('weight', "The transaction's weight (between vsize*4-3 and vsize*4)"),
    result.number('version', 'The version'),
    result.time('locktime', 'The lock time'),
    result.array('vin', '', [
      result.object('', '', [
        result.hex('coinbase', 'The coinbase value (only if coinbase transaction)', MAY_LACK),
        result.hex('txid', 'The transaction id (if not coinbase transaction)', MAY_LACK),
        result.number('vout', 'The output number (if not coinbase transaction)', MAY_LACK),
        result.object('scriptSig', 'The script (if not coinbase transaction)', SCRIPT_SIG_RESULTS, MAY_LACK),
        result.array('txinwitness', '', [result.hex('hex', 'hex-encoded witness data (if any)')], MAY_LACK),
        result.number('sequence', 'The script sequence number'),
      ]),
    ]),
    result.array('vout', '', [
      result.object('', '', [
        result.amount('value', 'The value in BTC'),
        result.number('n', 'index'),
        SCRIPT_PUB_KEY_RESULT,
      ]),
    ]),
  ];
}

export const SCRIPT_SIG_RESULTS: readonly Result[] = [
  result.string('asm', 'Disassembly of the signature script'),
  result.hex('hex', 'The raw signature script bytes, hex-encoded'),
];

/** Of createrawtransaction and createpsbt. */
export const CREATE_TX_PARAMS: readonly Param[] = [
  param.array('inputs', 'The inputs', {
    inner: [
      param.object('', '', {
        optional: true,
        inner: [
          param.hex('txid', 'The transaction id'),
          param.number('vout', 'The output number'),
          param.number('sequence', 'The sequence number', {
            hint: "depends on the value of the 'replaceable' and 'locktime' arguments",
          }),
        ],
      }),
    ],
  }),
  param.array(
    'outputs',
    'The outputs specified as key-value pairs.\n' +
      "Each key may only appear once, i.e. there can only be one 'data' output, and no address may be duplicated.\n" +
      'At least one output of either type must be specified.\n' +
      'For compatibility reasons, a dictionary, which holds the key-value pairs directly, is also\n' +
      'accepted as second parameter.',
    {
      anyType: true,
      inner: [
        param.dictionary('', '', {
          optional: true,
          inner: [
            param.amount(
              'address',
              'A key-value pair. The key (string) is the bitcoin address, the value (float or string) is the amount in BTC',
            ),
          ],
        }),
        param.object('', '', {
          optional: true,
          inner: [
            param.hex(
              'data',
              'A key-value pair. The key must be "data", the value is hex-encoded data that becomes a part of an OP_RETURN output',
            ),
          ],
        }),
      ],
    },
  ),
  param.number('locktime', 'Raw locktime. Non-0 value also locktime-activates inputs', { default: 0 }),
  param.boolean(
    'replaceable',
    'Marks this transaction as BIP125-replaceable.\n' +
      'Allows this transaction to be replaced by a transaction with higher fees. If provided, it is an error if explicit sequence numbers are incompatible.',
    { hint: 'true' },
  ),
];

export const CREATE_TX_EXAMPLES = [
  {
    cli: '"[{\\"txid\\":\\"myid\\",\\"vout\\":0}]" "[{\\"address\\":0.01}]"',
    json: '"[{\\"txid\\":\\"myid\\",\\"vout\\":0}]", "[{\\"address\\":0.01}]"',
  },
];

export const isWitnessParam: Param = param.boolean(
  'iswitness',
  'Whether the transaction hex is a serialized witness transaction.\n' +
    'If iswitness is not present, heuristic tests will be used in decoding.\n' +
    'If true, only witness deserialization will be tried.\n' +
    'If false, only non-witness deserialization will be tried.\n' +
    'This boolean should reflect whether the transaction has inputs\n' +
    '(e.g. fully valid, or on-chain transactions), if known by the caller.',
  { hint: 'depends on heuristic tests' },
);

export const hashTypeParam = (about: string): Param =>
  param.string('sighashtype', `${about}${HASH_TYPE_NAMES.map((name) => `\n       "${name}"`).join('')}`, {
    hint: '"DEFAULT for Taproot, ALL otherwise"',
  });

export const DESCRIPTOR_PARAMS: readonly Param[] = [
  param.string('', 'An output descriptor', { optional: true }),
  param.object('', 'An object with an output descriptor and extra information', {
    optional: true,
    inner: [
      param.string('desc', 'An output descriptor'),
      param.range('range', 'Up to what index HD chains should be explored (either end or [begin,end])', {
        default: 1000,
      }),
    ],
  }),
];
