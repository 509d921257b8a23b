/** Blocks by what their filters say: scanblocks. */
import type { HeaderEntry } from '#chain';
import type { BlockHash } from '#primitives';
import { fromHex, Slices, toHex } from '#util';
import { scriptsOfScanObjects } from '../core-io/scan-objects.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { type Args, checkMembers } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { checkFilterType } from './filters.ts';
import { bodyOf, spentCoinsOf } from './find-block.ts';
import { NO_SCAN, SCAN_ABORTED, SCAN_ACTION, SCAN_OBJECTS } from './scan.ts';

export const SCAN_BLOCKS_METHODS: readonly RpcMethod[] = [
  {
    name: 'scanblocks',
    category: 'blockchain',
    about:
      'Return relevant blockhashes for given descriptors (requires blockfilterindex).\n' +
      'This call may take several minutes. Make sure to use no RPC timeout.',
    params: [
      SCAN_ACTION,
      SCAN_OBJECTS,
      param.number('start_height', 'Height to start to scan from', { default: 0 }),
      param.number('stop_height', 'Height to stop to scan', { hint: 'chain tip' }),
      param.string('filtertype', 'The type name of the filter', { default: 'basic' }),
      param.named('options', '', {
        optional: true,
        inner: [
          param.boolean(
            'filter_false_positives',
            'Filter false positives (slower and may fail on pruned nodes). Otherwise they may occur at a rate of 1/M',
            { default: false },
          ),
        ],
      }),
    ],
    results: [
      NO_SCAN,
      result.object(
        '',
        '',
        [
          result.number('from_height', 'The height we started the scan from'),
          result.number('to_height', 'The height we ended the scan at'),
          result.array('relevant_blocks', 'Blocks that may have matched a scanobject.', [
            result.hex('blockhash', 'A relevant blockhash'),
          ]),
          result.boolean('completed', 'true if the scan process was not aborted'),
        ],
        { when: "when action=='start'; only returns after scan completes" },
      ),
      result.object(
        '',
        '',
        [
          result.number('progress', 'Approximate percent complete'),
          result.number('current_height', 'Height of the block currently being scanned'),
        ],
        { when: "when action=='status' and a scan is currently in progress" },
      ),
      SCAN_ABORTED,
    ],
    examples: [
      {
        cli: 'start \'["addr(bcrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4d0wwte)"]\' 300000',
        json: '"start", ["addr(bcrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4d0wwte)"], 300000',
      },
      { cli: 'status', json: '"status"' },
      { cli: 'abort', json: '"abort"' },
    ],
    handler: scanBlocks,
  },
];

function scanBlocks(call: RpcCall): JsonValue | Promise<JsonValue> {
  const { args, blockScan } = call;
  const action = args.string('action');
  switch (action) {
    case 'status': {
      const { progress, height } = blockScan;
      return progress === undefined ? null : { progress, current_height: height };
    }
    case 'abort':
      return blockScan.abort();
    case 'start':
      return startScan(call);
    default:
      throw invalidParameter(`Invalid action '${action}'`);
  }
}

async function startScan(call: RpcCall): Promise<JsonObject> {
  const { args, node, blockScan, signal } = call;
  const running = blockScan.run(async (abortSignal, onProgress) => {
    checkFilterType(call);
    const isExact = filtersFalsePositives(args);
    const [first, last] = rangeOf(call);
    const either = AbortSignal.any([signal, abortSignal]);
    const found: BlockHash[] = [];
    let height = first;
    try {
      const scripts = await scriptsOfScanObjects(args.array('scanobjects'), node.chain.params.address, either);
      const isRelevant = matcherOf(call, [...scripts.keys()], isExact);
      const slices = new Slices(call.clock);
      for (; height <= last; height += 1) {
        onProgress((height - first) / Math.max(last - first, 1), height);
        await slices.rest();
        either.throwIfAborted();
        const entry = node.chain.activeAt(height);
        // A shorter chain took its place meanwhile.
        if (entry === undefined) break;
        if (await isRelevant(entry)) found.push(entry.hash);
      }
    } catch (error) {
      if (!abortSignal.aborted || error !== abortSignal.reason) throw error;
      return scanJson(first, height, found, false);
    }
    return scanJson(first, height - 1, found, true);
  });
  if (running === undefined) throw invalidParameter('Scan already in progress, use action "abort" or "status"');
  return running;
}

function scanJson(first: number, last: number, found: readonly BlockHash[], isCompleted: boolean): JsonObject {
  return { from_height: first, to_height: Math.max(first, last), relevant_blocks: found, completed: isCompleted };
}

function filtersFalsePositives(args: Args): boolean {
  const options = args.has('options') ? args.object('options') : {};
  checkMembers(options, { filter_false_positives: 'bool' }, { mayLack: true, isStrict: true });
  return options['filter_false_positives'] === true;
}

function rangeOf({ args, node: { chain } }: RpcCall): readonly [first: number, last: number] {
  const first = args.int('start_height');
  if (first < 0 || chain.activeAt(first) === undefined) throw new RpcError(RpcCode.misc, 'Invalid start_height');
  const last = args.has('stop_height') ? args.int('stop_height') : chain.tip().height;
  if (last < first || chain.activeAt(last) === undefined) throw new RpcError(RpcCode.misc, 'Invalid stop_height');
  return [first, last];
}

/** Whether a block has one of the scripts (hex): by its filter, and if `isExact` by itself as well. */
function matcherOf(
  { node: { chain, indexes } }: RpcCall,
  scripts: readonly string[],
  isExact: boolean,
): (entry: HeaderEntry) => Promise<boolean> {
  const wanted = new Set(scripts);
  const bytes = scripts.map(fromHex);
  const isWanted = ({ scriptPubKey }: { readonly scriptPubKey: Uint8Array }): boolean =>
    wanted.has(toHex(scriptPubKey));
  return async (entry) => {
    if ((await indexes.matches(entry.hash, bytes)) !== true) return false;
    if (!isExact) return true;
    const { transactions } = await bodyOf(chain, entry);
    if (transactions.some(({ outputs }) => outputs.some(isWanted))) return true;
    const spent = await spentCoinsOf(chain, entry);
    return spent.some((coins) => coins.some(({ output }) => isWanted(output)));
  };
}
