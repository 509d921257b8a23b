/** One block: its header, its content, at four levels of detail. */
import type { ChainReader, Coin } from '#chain';
import type { Block } from '#primitives';
import { nextTurn, toHex } from '#util';
import { blockJson, headerJson } from '../core-io/block-json.ts';
import { txJson } from '../core-io/tx-json.ts';
import type { JsonValue } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { blockHashParam, HEADER_RESULTS } from './described.ts';
import { blockNamed, bodyOf } from './find-block.ts';

const EXAMPLE_HASH = '"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09"';
/** Transactions that are described in one go. */
const SLICE = 200;

const WITHOUT_DETAILS = 1;
const WITH_PREVOUTS = 3;

const BLOCK_RESULTS = [
  ...HEADER_RESULTS,
  result.number('strippedsize', 'The block size excluding witness data'),
  result.number('size', 'The block size'),
  result.number('weight', 'The block weight as defined in BIP 141'),
];

export const BLOCK_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblockheader',
    category: 'blockchain',
    about:
      "If verbose is false, returns a string that is serialized, hex-encoded data for blockheader 'hash'.\n" +
      "If verbose is true, returns an Object with information about blockheader 'hash'.",
    params: [
      blockHashParam('The block hash'),
      param.boolean('verbose', 'true for a json object, false for the hex-encoded data', { default: true }),
    ],
    results: [
      result.object('', '', HEADER_RESULTS, { when: 'for verbose = true' }),
      result.hex('', "A string that is serialized, hex-encoded data for block 'hash'", { when: 'for verbose=false' }),
    ],
    examples: [{ cli: EXAMPLE_HASH, json: EXAMPLE_HASH }],
    handler: ({ args, node: { chain } }) => {
      const entry = blockNamed(chain, args, 'blockhash');
      return args.boolean('verbose') ? headerJson(chain, entry) : toHex(entry.header.raw);
    },
  },
  {
    name: 'getblock',
    category: 'blockchain',
    about:
      "If verbosity is 0, returns a string that is serialized, hex-encoded data for block 'hash'.\n" +
      "If verbosity is 1, returns an Object with information about block 'hash'.\n" +
      "If verbosity is 2, returns an Object with information about block 'hash' and each transaction.\n" +
      'If verbosity is 3, also with the outputs that its inputs spend (only for unpruned blocks of the current best chain).',
    params: [
      blockHashParam('The block hash'),
      param.number(
        'verbosity|verbose',
        '0 for hex-encoded data, 1, 2 and 3 for a JSON object with more and more in it',
        {
          default: 1,
          anyType: true,
        },
      ),
    ],
    results: [
      result.hex('', "A string that is serialized, hex-encoded data for block 'hash'", { when: 'for verbosity = 0' }),
      result.object(
        '',
        '',
        [...BLOCK_RESULTS, result.array('tx', 'The transaction ids', [result.hex('', 'The transaction id')])],
        { when: 'for verbosity = 1' },
      ),
      result.object(
        '',
        '',
        [
          ...BLOCK_RESULTS,
          result.array('tx', '', [
            result.object('', '', [
              result.elision('', 'The transactions in the format of the getrawtransaction RPC'),
              result.amount('fee', 'The transaction fee, omitted if block undo data is not available', {
                optional: true,
              }),
            ]),
          ]),
        ],
        { when: 'for verbosity = 2 and 3' },
      ),
    ],
    examples: [{ cli: EXAMPLE_HASH, json: EXAMPLE_HASH }],
    handler: getBlock,
  },
];

async function getBlock({ args, node: { chain }, signal }: RpcCall): Promise<JsonValue> {
  const verbosity = args.verbosity('verbosity');
  const entry = blockNamed(chain, args, 'blockhash');
  const block = await bodyOf(chain, entry);
  if (verbosity <= 0) return toHex(block.raw);
  if (verbosity === WITHOUT_DETAILS) {
    return blockJson(
      chain,
      entry,
      block,
      block.transactions.map(({ txid }) => txid),
    );
  }
  const spent = await chain.readUndo(entry.hash);
  const txs = await describeAll(chain, block, spent, verbosity >= WITH_PREVOUTS, signal);
  return blockJson(chain, entry, block, txs);
}

/** Others get a turn in between: a full block has thousands. */
async function describeAll(
  { params }: ChainReader,
  block: Block,
  spent: readonly (readonly Coin[])[] | undefined,
  prevouts: boolean,
  signal: AbortSignal,
): Promise<readonly JsonValue[]> {
  const described: JsonValue[] = [];
  for (const [index, tx] of block.transactions.entries()) {
    const coins = index === 0 ? undefined : spent?.[index - 1];
    described.push(txJson(tx, params.address, coins === undefined ? {} : { spent: coins, prevouts }));
    if (index % SLICE === SLICE - 1) await nextTurn();
    signal.throwIfAborted();
  }
  return described;
}
