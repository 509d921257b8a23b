/** What getblocktemplate takes and gives. */
import { type Param, param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';

export const TEMPLATE_REQUEST: Param = param.object('template_request', 'Format of the template', {
  inner: [
    param.string('mode', 'This must be set to "template", "proposal" (see BIP 23), or omitted', { optional: true }),
    param.array('capabilities', 'A list of strings', {
      optional: true,
      inner: [
        param.string(
          'str',
          "client side supported feature, 'longpoll', 'coinbasevalue', 'proposal', 'serverlist', 'workid'",
          {
            optional: true,
          },
        ),
      ],
    }),
    param.array('rules', 'A list of strings', {
      inner: [
        param.string('segwit', '(literal) indicates client side segwit support'),
        param.string('str', 'other client side supported softfork deployment', { optional: true }),
      ],
    }),
    param.string(
      'longpollid',
      'delay processing request until the result would vary significantly from the "longpollid" of a prior template',
      { optional: true },
    ),
    param.hex('data', 'proposed block data to check, encoded in hexadecimal; valid only for mode="proposal"', {
      optional: true,
    }),
  ],
});

const TRANSACTION: Result = result.object('', '', [
  result.hex('data', 'transaction data encoded in hexadecimal (byte-for-byte)'),
  result.hex('txid', 'transaction hash excluding witness data, shown in byte-reversed hex'),
  result.hex('hash', 'transaction hash including witness data, shown in byte-reversed hex'),
  result.array('depends', 'array of numbers', [
    result.number(
      '',
      "transactions before this one (by 1-based index in 'transactions' list) that must be present in the final block if this one is",
    ),
  ]),
  result.number('fee', 'difference in value between transaction inputs and outputs (in satoshis)'),
  result.number('sigops', 'total SigOps cost, as counted for purposes of block limits'),
  result.number('weight', 'total transaction weight, as counted for purposes of block limits'),
]);

export const TEMPLATE_RESULTS: readonly Result[] = [
  result.none('', '', { when: "If the proposal was accepted with mode=='proposal'" }),
  result.string('', 'According to BIP22', { when: "If the proposal was not accepted with mode=='proposal'" }),
  result.object(
    '',
    '',
    [
      result.array('capabilities', '', [result.string('value', "A supported feature, for example 'proposal'")]),
      result.number('version', 'The preferred block version'),
      result.array('rules', 'specific block rules that are to be enforced', [
        result.string('', 'name of a rule the client must understand to some extent; see BIP 9 for format'),
      ]),
      result.dictionary('vbavailable', 'set of pending, supported versionbit (BIP 9) softfork deployments', [
        result.number(
          'rulename',
          'identifies the bit number as indicating acceptance and readiness for the named softfork rule',
        ),
      ]),
      result.number('vbrequired', 'bit mask of versionbits the server requires set in submissions'),
      result.string('previousblockhash', 'The hash of current highest block'),
      result.array('transactions', 'contents of non-coinbase transactions that should be included in the next block', [
        TRANSACTION,
      ]),
      result.dictionary('coinbaseaux', "data that should be included in the coinbase's scriptSig content", [
        result.hex('key', 'values must be in the coinbase (keys may be ignored)'),
      ]),
      result.number(
        'coinbasevalue',
        'maximum allowable input to coinbase transaction, including the generation award and transaction fees (in satoshis)',
      ),
      result.string('longpollid', 'an id to include with a request to longpoll on an update to this template'),
      result.string('target', 'The hash target'),
      result.time('mintime', 'The minimum timestamp appropriate for the next block time, expressed in UNIX epoch time'),
      result.array('mutable', 'list of ways the block template may be changed', [
        result.string('value', "A way the block template may be changed, e.g. 'time', 'transactions', 'prevblock'"),
      ]),
      result.hex('noncerange', 'A range of valid nonces'),
      result.number('sigoplimit', 'limit of sigops in blocks'),
      result.number('sizelimit', 'limit of block size'),
      result.number('weightlimit', 'limit of block weight', { optional: true }),
      result.time('curtime', 'current timestamp in UNIX epoch time'),
      result.string('bits', 'compressed target of next block'),
      result.number('height', 'The height of the next block'),
      result.hex('signet_challenge', 'Only on signet', { optional: true }),
      result.hex('default_witness_commitment', 'a valid witness commitment for the unmodified block template', {
        optional: true,
      }),
    ],
    { when: 'Otherwise' },
  ),
];
