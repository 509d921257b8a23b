/** Logs and memory, as far as Core's words have a meaning here. */
import process from 'node:process';
import { invalidParameter } from '../errors.ts';
import type { JsonInput, JsonObject } from '../json/value.ts';
import { arrayOf, stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { type Param, param } from '../table/param.ts';
import { result } from '../table/result.ts';

/** Core's, in its order, and the module whose debug lines say it; none where nothing here does. */
const CATEGORIES: Readonly<Record<string, string | undefined>> = {
  addrman: 'net',
  bench: undefined,
  blockstorage: 'chain',
  cmpctblock: 'ingest',
  coindb: 'chain',
  estimatefee: 'mempool',
  http: 'rpc',
  i2p: undefined,
  ipc: undefined,
  leveldb: 'chain',
  libevent: undefined,
  mempool: 'mempool',
  mempoolrej: 'mempool',
  net: 'net',
  proxy: 'net',
  prune: 'chain',
  qt: undefined,
  rand: undefined,
  reindex: 'chain',
  rpc: 'rpc',
  scan: 'rpc',
  selectcoins: undefined,
  tor: undefined,
  txpackages: 'mempool',
  txreconciliation: undefined,
  util: undefined,
  validation: 'chain',
  walletdb: undefined,
  zmq: 'zmq',
};
const ALL: readonly string[] = ['all', '1'];
const NONE: readonly string[] = ['none', '0'];

const categoryList = (name: string, about: string): Param =>
  param.array(name, about, {
    optional: true,
    inner: [param.string(`${name}_category`, 'the valid logging category', { optional: true })],
  });

export const DEBUG_METHODS: readonly RpcMethod[] = [
  {
    name: 'logging',
    category: 'control',
    about:
      'Gets and sets the logging configuration.\n' +
      'When called without an argument, returns the list of categories with status that are currently being debug logged or not.\n' +
      'When called with arguments, adds or removes categories from debug logging and return the lists above.\n' +
      'The arguments are evaluated in order "include", "exclude".\n' +
      'If an item is both included and excluded, it will thus end up being excluded.\n' +
      `The valid logging categories are: ${Object.keys(CATEGORIES).join(', ')}\n` +
      'A category is a module of this program: those of one module change together.\n' +
      'In addition, "all" and "1" stand for all categories, "none" and "0" in "exclude" for taking back none.',
    params: [
      categoryList('include', 'The categories to add to debug logging'),
      categoryList('exclude', 'The categories to remove from debug logging'),
    ],
    results: [
      result.dictionary('', 'keys are the logging categories, and values indicates its status', [
        result.boolean('category', 'if being debug logged or not. false:inactive, true:active'),
      ]),
    ],
    examples: [{ cli: '\'["all"]\' \'["http"]\'', json: '["all"], ["libevent"]' }],
    handler: logging,
  },
  {
    name: 'getmemoryinfo',
    category: 'control',
    about: 'Returns an object containing information about memory usage.',
    params: [
      param.string('mode', 'determines what kind of information is returned: "stats" for general statistics.', {
        default: 'stats',
      }),
    ],
    results: [
      result.object('', '', [
        result.object('locked', 'Information about locked memory manager; this program has none', [
          result.number('used', 'Number of bytes used'),
          result.number('free', 'Number of bytes available in current arenas'),
          result.number('total', 'Total number of bytes managed'),
          result.number('locked', 'Amount of bytes that succeeded locking'),
          result.number('chunks_used', 'Number allocated chunks'),
          result.number('chunks_free', 'Number unused chunks'),
        ]),
        result.object('process', 'Memory of the process in bytes', [
          result.number('resident', 'In physical memory'),
          result.number('heap_used', 'Alive or not yet collected on the heap of the main thread'),
          result.number('heap_total', 'Taken for that heap'),
          result.number('external', 'Buffers and what native code holds'),
        ]),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: memoryInfo,
  },
];

function logging({ args, debugLogs }: RpcCall): JsonObject {
  change('include', true);
  change('exclude', false);
  return Object.fromEntries(
    Object.entries(CATEGORIES).map(([name, module]) => [
      name,
      module !== undefined && (debugLogs?.isOn(module) ?? false),
    ]),
  );

  function change(list: 'include' | 'exclude', on: boolean): void {
    if (!args.has(list)) return;
    for (const module of modulesOf(arrayOf(args.value(list)), on)) debugLogs?.set(module, on);
  }
}

function modulesOf(names: readonly JsonInput[], isIncluding: boolean): readonly string[] {
  const modules = names.map(stringOf).flatMap((name) => {
    if (ALL.includes(name)) return Object.values(CATEGORIES);
    if (NONE.includes(name) && !isIncluding) return [];
    if (!(name in CATEGORIES)) throw invalidParameter(`unknown logging category ${name}`);
    return [CATEGORIES[name]];
  });
  return modules.filter((module) => module !== undefined);
}

function memoryInfo({ args }: RpcCall): JsonObject {
  const mode = args.string('mode');
  if (mode === 'mallocinfo') throw invalidParameter('mallocinfo mode not available');
  if (mode !== 'stats') throw invalidParameter(`unknown mode ${mode}`);
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    locked: { used: 0, free: 0, total: 0, locked: 0, chunks_used: 0, chunks_free: 0 },
    process: { resident: rss, heap_used: heapUsed, heap_total: heapTotal, external },
  };
}
