/**
 * Flags of the RPC server and its client, which are Bitcoin Core's. Rows of the one table in `options.ts`. Defaults of the
 * server stand here as texts: the program would load it to print its help.
 */
import type { CommandName } from './option-row.ts';
import { list, single, toggle } from './option-row.ts';
import { nonEmpty, onOff, path, secondsOf, wholeNumber } from './values.ts';

const SERVER: readonly CommandName[] = ['node'];
const CLIENT: readonly CommandName[] = ['rpc', 'status', 'peers', 'top', 'ban', 'stop'];
const BOTH: readonly CommandName[] = [...SERVER, ...CLIENT];
const MAX_SECONDS = 86_400;

const SERVER_OPTIONS = {
  server: single({
    flag: 'server',
    value: 'ON',
    help: 'true or false: answer JSON-RPC calls',
    commands: SERVER,
    parse: onOff,
    default: true,
  }),
  rest: toggle({
    flag: 'rest',
    help: 'answer public REST requests (/rest/…) at the same port, without a login',
    commands: SERVER,
  }),
  rpcBind: list({
    flag: 'rpc-bind',
    value: 'ADDR',
    help: 'listen for calls on this IP address, with or without a port; may be repeated; needs --rpc-allow-ip',
    commands: SERVER,
    parse: nonEmpty,
    default: [],
    defaultText: 'loopback',
  }),
  rpcAllowIp: list({
    flag: 'rpc-allow-ip',
    value: 'IP',
    help: 'let this IP address or subnet connect to the RPC server; may be repeated',
    commands: SERVER,
    parse: nonEmpty,
    default: [],
  }),
  rpcAllowHost: list({
    flag: 'rpc-allow-host',
    value: 'NAME',
    help: 'answer calls to this host name, beside IP addresses and localhost; may be repeated',
    commands: SERVER,
    parse: nonEmpty,
    default: [],
  }),
  rpcAuth: list({
    flag: 'rpc-auth',
    value: 'USER',
    help: 'a user by name and salted hash, user:salt$hash, as Bitcoin Core’s rpcauth.py makes them; may be repeated',
    commands: SERVER,
    parse: nonEmpty,
    default: [],
  }),
  rpcWhitelist: list({
    flag: 'rpc-whitelist',
    value: 'LIST',
    help: 'the methods that a user may call, user:method,method; may be repeated',
    commands: SERVER,
    parse: nonEmpty,
    default: [],
  }),
  rpcWhitelistDefault: single({
    flag: 'rpc-whitelist-default',
    value: 'ON',
    help: 'true or false: who is not in --rpc-whitelist may call nothing',
    commands: SERVER,
    parse: onOff,
    default: undefined,
    defaultText: 'true if there is a whitelist',
  }),
  rpcThreads: single({
    flag: 'rpc-threads',
    value: 'N',
    help: 'calls that are worked on at once',
    commands: SERVER,
    parse: wholeNumber(1, 1000),
    default: 16,
  }),
  rpcWorkQueue: single({
    flag: 'rpc-work-queue',
    value: 'N',
    help: 'calls that may wait for that; more are refused',
    commands: SERVER,
    parse: wholeNumber(1, 100_000),
    default: 64,
  }),
  rpcServerTimeout: single({
    flag: 'rpc-server-timeout',
    value: 'SECONDS',
    help: 'close connections to the RPC server that are silent for so long',
    commands: SERVER,
    parse: wholeNumber(1, MAX_SECONDS),
    default: 30,
  }),
};

const CLIENT_OPTIONS = {
  rpcConnect: single({
    flag: 'rpc-connect',
    value: 'HOST',
    help: 'the node to call, with or without a port',
    commands: CLIENT,
    parse: nonEmpty,
    default: undefined,
    defaultText: 'the one that uses the data directory',
  }),
  rpcWait: toggle({ flag: 'rpc-wait', help: 'wait until the node answers', commands: CLIENT }),
  rpcWaitTimeout: single({
    flag: 'rpc-wait-timeout',
    value: 'SECONDS',
    help: 'how long --rpc-wait waits; 0 for ever',
    commands: CLIENT,
    parse: wholeNumber(0, MAX_SECONDS),
    default: 0,
  }),
  rpcClientTimeout: single({
    flag: 'rpc-client-timeout',
    value: 'SECONDS',
    help: 'how long an answer may take; 0 for ever',
    commands: CLIENT,
    parse: wholeNumber(0, MAX_SECONDS),
    default: 900,
  }),
  for: single({
    flag: 'for',
    value: 'TIME',
    help: 'how long to ban: a number with s, min, h, d or w, such as 90min or 7d',
    commands: ['ban'],
    parse: secondsOf,
    default: undefined,
    defaultText: '24h',
  }),
  reason: single({
    flag: 'reason',
    value: 'TEXT',
    help: 'why, to be listed with the ban; cut after 64 characters',
    commands: ['ban'],
    parse: nonEmpty,
    default: undefined,
  }),
  named: toggle({ flag: 'named', help: 'arguments are name=value', commands: ['rpc'] }),
  stdin: toggle({ flag: 'stdin', help: 'read more arguments from standard input, one a line', commands: ['rpc'] }),
};

export const RPC_OPTIONS = {
  ...SERVER_OPTIONS,
  rpcPort: single({
    flag: 'rpc-port',
    value: 'PORT',
    help: 'where JSON-RPC calls are answered; 0 takes a free port',
    commands: BOTH,
    parse: wholeNumber(0, 65_535),
    default: undefined,
    defaultText: "Bitcoin Core's of the network, or a free one if that is taken",
  }),
  rpcUser: single({
    flag: 'rpc-user',
    value: 'NAME',
    help: 'the name that goes with --rpc-password',
    commands: BOTH,
    parse: nonEmpty,
    default: undefined,
  }),
  rpcPassword: single({
    flag: 'rpc-password',
    value: 'PASSWORD',
    help: 'log in by a password instead of the cookie file; others see it in the list of processes',
    commands: BOTH,
    parse: nonEmpty,
    default: undefined,
  }),
  rpcCookieFile: single({
    flag: 'rpc-cookie-file',
    value: 'FILE',
    help: 'the file by which programs of the same user log in',
    commands: BOTH,
    parse: path,
    default: undefined,
    defaultText: ".cookie in the network's folder",
  }),
  ...CLIENT_OPTIONS,
};
