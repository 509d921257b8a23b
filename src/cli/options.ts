/**
 * Every flag of every command, as one table. Help, parsing, the configuration file and the type of the settings
 * all follow from a row; a new flag is a new row.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { BUILT_IN_NAMES, PROFILE_NAMES } from './config/names.ts';
import { DASHBOARD_OPTIONS } from './dashboard-options.ts';
import { INDEX_OPTIONS } from './index-options.ts';
import { MEMPOOL_OPTIONS } from './mempool-options.ts';
import { METRICS_OPTIONS } from './metrics-options.ts';
import { type CommandName, list, type OptionRow, single, toggle } from './option-row.ts';
import { REACH_OPTIONS } from './reach-options.ts';
import { RPC_OPTIONS } from './rpc-options.ts';
import {
  activationHeight,
  blockHashOrZero,
  hexNumber,
  LOG_LEVELS,
  listenAddress,
  moduleLevel,
  nonEmpty,
  oneOf,
  onOff,
  path,
  peerAddress,
  positiveNumber,
  wholeNumber,
} from './values.ts';
import { ZMQ_OPTIONS } from './zmq-options.ts';

const LOG_FORMATS = ['auto', 'human', 'json'] as const;

const ON_A_CHAIN: readonly CommandName[] = ['node', 'import', 'export', 'info'];
/** Also those that only call a node. */
const OF_A_NETWORK: readonly CommandName[] = [...ON_A_CHAIN, 'rpc', 'status', 'peers', 'top', 'ban', 'stop'];
const ANYWHERE: readonly CommandName[] = [...ON_A_CHAIN, 'devnet'];

export const OPTIONS = {
  network: single({
    flag: 'network',
    value: 'NAME|FILE',
    help: 'mainnet, testnet3, testnet4, signet, regtest, or a network file (.json)',
    commands: OF_A_NETWORK,
    choices: BUILT_IN_NAMES,
    parse: nonEmpty,
    default: 'mainnet',
  }),
  datadir: single({
    flag: 'datadir',
    value: 'DIR',
    help: 'where blocks, coins and keys are kept; each network has its own folder in it',
    commands: OF_A_NETWORK,
    parse: path,
    default: join(homedir(), '.starling'),
    defaultText: '~/.starling',
  }),
  config: single({
    flag: 'config',
    value: 'FILE',
    help: 'read settings from a file: TOML, JSON, or a bitcoin.conf; flags and STARLING_… variables go before it',
    commands: OF_A_NETWORK,
    parse: path,
    default: undefined,
  }),
  profile: single({
    flag: 'profile',
    value: 'NAME|FILE',
    help: `begin with the settings of ${PROFILE_NAMES.join(', ')}, or of a file`,
    commands: OF_A_NETWORK,
    choices: PROFILE_NAMES,
    parse: nonEmpty,
    default: undefined,
  }),
  listen: list({
    flag: 'listen',
    value: 'ADDR',
    help: 'accept connections on this multiaddr; may be repeated; "none" to accept none',
    commands: ['node'],
    parse: listenAddress,
    default: [],
    defaultText: "all interfaces, the network's port",
  }),
  bootstrap: list({
    flag: 'bootstrap',
    value: 'ADDR',
    help: 'a node to find others by; may be repeated',
    commands: ['node'],
    parse: peerAddress,
    default: [],
  }),
  connect: list({
    flag: 'connect',
    value: 'ADDR',
    help: 'a peer to stay connected with; may be repeated',
    commands: ['node'],
    parse: peerAddress,
    default: [],
  }),
  ...REACH_OPTIONS,
  maxPeers: single({
    flag: 'max-peers',
    value: 'N',
    help: 'most connections, both directions together',
    commands: ['node'],
    parse: wholeNumber(1, 1000),
    default: 125,
  }),
  asmap: single({
    flag: 'asmap',
    value: 'FILE',
    help: 'count peers of one autonomous system as one group, by a map in Bitcoin Core’s format',
    commands: ['node'],
    parse: path,
    default: undefined,
    defaultText: 'groups are IPv4 /16 and IPv6 /32',
  }),
  maxUpload: single({
    flag: 'max-upload',
    value: 'MIB',
    help: 'upload no more than this in 24 hours, if serving fewer old blocks can do it; 0 for no limit',
    commands: ['node'],
    parse: wholeNumber(0, 1_000_000_000),
    default: 0,
  }),
  dbCache: single({
    flag: 'db-cache',
    value: 'MIB',
    help: 'memory for coins, in MiB; more makes the first sync faster',
    commands: ['node', 'import'],
    parse: wholeNumber(4, 65_536),
    default: 300,
  }),
  prune: single({
    flag: 'prune',
    value: 'MIB',
    help: 'remove old block files to stay below so much, in MiB, at least 550; 0 keeps all, 1 waits to be told',
    commands: ['node', 'import'],
    parse: wholeNumber(0, 1_000_000_000),
    default: 0,
  }),
  fastPrune: toggle({
    flag: 'fast-prune',
    help: 'block files of 64 KiB, and any --prune: to try pruning on a small chain',
    commands: ['node', 'import'],
  }),
  ...INDEX_OPTIONS,
  ...MEMPOOL_OPTIONS,
  ...RPC_OPTIONS,
  ...METRICS_OPTIONS,
  ...ZMQ_OPTIONS,
  ...DASHBOARD_OPTIONS,
  mine: single({
    flag: 'mine',
    value: 'ADDRESS',
    help: 'make blocks that pay this address, on a chain whose difficulty one processor meets',
    commands: ['node'],
    parse: nonEmpty,
    default: undefined,
  }),
  mineInterval: single({
    flag: 'mine-interval',
    value: 'SECONDS',
    help: 'least time between the blocks of --mine; 0 leaves it to the proof of work',
    commands: ['node'],
    parse: wholeNumber(0, 86_400),
    default: undefined,
    defaultText: "the chain's block spacing where the difficulty is fixed, else 0",
  }),
  reindex: toggle({
    flag: 'reindex',
    help: 'first build index and coins anew from the block files',
    commands: ['node', 'import'],
  }),
  reindexChainstate: toggle({
    flag: 'reindex-chainstate',
    help: 'first build the coins anew from index and block files',
    commands: ['node', 'import'],
  }),
  par: single({
    flag: 'par',
    value: 'N',
    help: 'threads that check scripts; 0 for as many as there are cores, 1 for the main thread',
    commands: ['node', 'import'],
    parse: wholeNumber(0, 16),
    default: 0,
  }),
  assumeValid: single({
    flag: 'assume-valid',
    value: 'HASH',
    help: 'take the scripts of this block and its ancestors as valid; 0 checks all',
    commands: ['node', 'import'],
    parse: blockHashOrZero,
    default: undefined,
    defaultText: "the network's own",
  }),
  minimumChainWork: single({
    flag: 'minimum-chain-work',
    value: 'HEX',
    help: 'work below which no chain is believed to be the network’s',
    commands: ['node', 'import'],
    parse: hexNumber,
    default: undefined,
    defaultText: "the network's own",
  }),
  checkpoints: single({
    flag: 'checkpoints',
    value: 'ON',
    help: 'true or false: refuse forks below the blocks that the network file names',
    commands: ['node', 'import'],
    parse: onOff,
    default: true,
  }),
  testActivationHeight: list({
    flag: 'test-activation-height',
    value: 'NAME@HEIGHT',
    help: 'on regtest, where bip34, dersig, cltv, csv or segwit begin to count; may be repeated',
    commands: ['node', 'import'],
    parse: activationHeight,
    default: [],
  }),
  from: single({
    flag: 'from',
    value: 'HEIGHT',
    help: 'first block to write',
    commands: ['export'],
    parse: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    default: 0,
  }),
  to: single({
    flag: 'to',
    value: 'HEIGHT',
    help: 'last block to write',
    commands: ['export'],
    parse: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    default: undefined,
    defaultText: 'the tip',
  }),
  json: toggle({ flag: 'json', help: 'print JSON', commands: ['info', 'config', 'status', 'peers', 'ban'] }),
  once: toggle({ flag: 'once', help: 'print one frame and end', commands: ['top'] }),
  nodes: single({
    flag: 'nodes',
    value: 'N',
    help: 'nodes beside the seed; the first of them mines',
    commands: ['devnet'],
    parse: wholeNumber(2, 50),
    default: 5,
  }),
  blockInterval: single({
    flag: 'block-interval',
    value: 'SECONDS',
    help: 'time between blocks',
    commands: ['devnet'],
    parse: positiveNumber(0.1, 3600),
    default: 5,
  }),
  txRate: single({
    flag: 'tx-rate',
    value: 'N',
    help: 'transactions a second, all nodes together; 0 for none',
    commands: ['devnet'],
    parse: positiveNumber(0, 100),
    default: 1,
  }),
  keep: toggle({ flag: 'keep', help: 'keep the data directories when it stops', commands: ['devnet'] }),
  logLevel: single({
    flag: 'log-level',
    value: 'LEVEL',
    help: 'debug, info, warn, error or silent',
    commands: ANYWHERE,
    choices: LOG_LEVELS,
    parse: oneOf(...LOG_LEVELS),
    default: 'info',
  }),
  logModule: list({
    flag: 'log-module',
    value: 'MODULE=LEVEL',
    help: 'another level for the lines of one module, such as net=debug; may be repeated',
    commands: ANYWHERE,
    parse: moduleLevel,
    default: [],
  }),
  logFormat: single({
    flag: 'log-format',
    value: 'FORMAT',
    help: 'human, json (one object a line), or auto: human on a terminal, json elsewhere',
    commands: ANYWHERE,
    choices: LOG_FORMATS,
    parse: oneOf(...LOG_FORMATS),
    default: 'auto',
  }),
} as const satisfies Readonly<Record<string, OptionRow<unknown>>>;

export type OptionName = keyof typeof OPTIONS;

/** Everything a command may read; what its own flags do not cover has the default. */
export type Settings = { readonly [Name in OptionName]: ReturnType<(typeof OPTIONS)[Name]['parse']> };
