/** BIP157's filters: getblockfilter. */
import { toHex, toReversedHex } from '#util';
import { RpcCode, RpcError } from '../errors.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { blockHashParam } from './described.ts';
import { blockNamed } from './find-block.ts';

export const FILTER_METHODS: readonly RpcMethod[] = [
  {
    name: 'getblockfilter',
    category: 'blockchain',
    about: 'Retrieve a BIP 157 content filter for a particular block.',
    params: [
      blockHashParam('The hash of the block'),
      param.string('filtertype', 'The type name of the filter', { default: 'basic' }),
    ],
    results: [
      result.object('', '', [
        result.hex('filter', 'the hex-encoded filter data'),
        result.hex('header', 'the hex-encoded filter header'),
      ]),
    ],
    examples: [{ cli: '"blockhash" "basic"', json: '"blockhash", "basic"' }],
    handler: getBlockFilter,
  },
];

/** There is one type; its index may not be kept. */
export function checkFilterType({ args, node: { indexes } }: RpcCall): void {
  const type = args.string('filtertype');
  if (type !== 'basic') throw new RpcError(RpcCode.invalidAddressOrKey, 'Unknown filtertype');
  if (!indexes.info().some(({ name }) => name === 'basic block filter index')) {
    throw new RpcError(RpcCode.misc, `Index is not enabled for filtertype ${type}`);
  }
}

async function getBlockFilter(call: RpcCall): Promise<JsonObject> {
  checkFilterType(call);
  const { args, node } = call;
  const { chain, indexes } = node;
  const entry = blockNamed(chain, args, 'blockhash');
  const found = await indexes.filter(entry.hash);
  if (found !== undefined) return { filter: toHex(found.filter), header: toReversedHex(found.header) };
  if (chain.txCount(entry.hash) === 0) {
    throw new RpcError(RpcCode.invalidAddressOrKey, 'Filter not found. Block was not connected to active chain.');
  }
  throw new RpcError(RpcCode.misc, 'Filter not found. Block filters are still in the process of being indexed.');
}
