/** Methods about the server itself. */
import type { JsonObject } from '../json/value.ts';
import type { RpcMethod } from '../table/method.ts';
import { helpOf } from '../table/method-table.ts';
import { openRpcDocument } from '../table/open-rpc.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

export const CONTROL_METHODS: readonly RpcMethod[] = [
  {
    name: 'help',
    category: 'control',
    about: 'List all commands, or get help for a specified command.',
    params: [param.string('command', 'The command to get help on', { hint: 'all commands' })],
    results: [result.string('', 'The help text'), result.any('', '')],
    examples: [],
    handler: ({ args, methods }) => helpOf(methods, args.has('command') ? args.string('command') : ''),
  },
  {
    name: 'stop',
    category: 'control',
    about: 'Request a graceful shutdown of Starling.',
    params: [param.number('wait', 'how long to wait in ms', { optional: true, hidden: true })],
    results: [result.string('', "A string with the content 'Starling stopping'")],
    examples: [],
    handler: ({ stop }) => {
      stop();
      return 'Starling stopping';
    },
  },
  {
    name: 'uptime',
    category: 'control',
    about: 'Returns the total uptime of the server.',
    params: [],
    results: [result.number('', 'The number of seconds that the server has been running')],
    examples: [{ cli: '', json: '' }],
    handler: ({ clock, startedMs }) => Math.floor((clock.monotonicMs() - startedMs) / 1000),
  },
  {
    name: 'getrpcinfo',
    category: 'control',
    about: 'Returns details of the RPC server.',
    params: [],
    results: [
      result.object('', '', [
        result.array('active_commands', 'All active commands', [
          result.object('', 'Information about an active command', [
            result.string('method', 'The name of the RPC command'),
            result.number('duration', 'The running time in microseconds'),
          ]),
        ]),
        result.string('logpath', 'The complete file path to the debug log'),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: ({ activeCalls, clock, logPath }): JsonObject => ({
      active_commands: activeCalls().map(({ method, startedMs }) => ({
        method,
        duration: Math.round((clock.monotonicMs() - startedMs) * 1000),
      })),
      logpath: logPath,
    }),
  },
  {
    name: 'rpc.discover',
    category: 'control',
    about: 'Returns the methods, their parameters and results as an OpenRPC document.',
    params: [],
    results: [result.object('', 'The OpenRPC document', [result.elision('', '')])],
    examples: [{ cli: '', json: '' }],
    handler: ({ methods }) => openRpcDocument(methods),
  },
  ...(['echo', 'echojson'] as const).map(echoMethod),
];

/** The two differ only in what a command line does to the arguments. */
function echoMethod(name: 'echo' | 'echojson'): RpcMethod {
  const build = name === 'echo' ? param.string : param.array;
  return {
    name,
    category: 'hidden',
    about: 'Simply echo back the input arguments. This command is for testing.',
    params: Array.from({ length: 10 }, (_, index) => build(`arg${index}`, '', { optional: true, anyType: true })),
    results: [result.any('', 'Returns whatever was passed in')],
    examples: [],
    handler: ({ args }) => args.all(),
  };
}
