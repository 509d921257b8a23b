/**
 * Values of Bitcoin Core's options as ours. A conversion gives flags of ours with their texts, none when the value is what
 * happens anyhow, or says what serves instead when the value has no counterpart. Throws NodeError `BAD_CONFIG` for a value
 * that is wrong in Core as well, or that must not be passed over.
 */
import { availableParallelism } from 'node:os';
import { NodeError } from '#util';

export type Conversion = (text: string) => readonly (readonly [flag: string, text: string])[] | Unused;

/** A value without a counterpart, and what serves instead. */
export type Unused = { readonly instead: string };

const MIB = 1 << 20;

function unfit(expected: string): NodeError {
  return new NodeError('BAD_CONFIG', `${expected} is expected`);
}

/** Core takes every number but 0 as true, nothing as true, and every other text as false (InterpretBool): those are refused. */
export function coreFlag(text: string): '0' | '1' {
  if (text === '') return '1';
  if (!/^[+-]?\d{1,9}$/.test(text)) throw unfit('0 or 1 (Bitcoin Core takes words as 0)');
  return Number(text) === 0 ? '0' : '1';
}

/** For options that name a Bitcoin peer: ours are multiaddrs. */
export function multiaddr(flag: string): Conversion {
  return (text) => {
    if (text.startsWith('/')) return [[flag, text]];
    return text === '0' ? [] : { instead: `peers are multiaddrs: use --${flag}` };
  };
}

/** Core connects to these alone, and to nobody at all for 0. */
export const onlyPeers: Conversion = (text) =>
  text === '0' ? { instead: 'other peers are looked for in any case' } : multiaddr('connect')(text);

export const listens: Conversion = (text) => {
  if (text.startsWith('/') || text === 'none') return [['listen', text]];
  return coreFlag(text) === '0' ? [['listen', 'none']] : [];
};

/** host:port, with Core's default port (Tor's). */
export const socksServer: Conversion = (text) => {
  if (text === '' || text === '0') return [];
  if (text.startsWith('socks5')) return [['proxy', text]];
  const [, host = '', port = '9050'] = /^(\[[0-9a-fA-F:.]+\]|[^:/@\s]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === '') throw unfit('the address and port of a SOCKS5 server, such as 127.0.0.1:9050,');
  return [['proxy', `socks5://${host}:${port}`]];
};

export const onlyNetwork: Conversion = (text) => {
  if (['ipv4', 'ipv6'].includes(text)) return { instead: 'both IPv4 and IPv6 peers are dialled' };
  // Passing it over would dial in the open what was to stay hidden.
  throw new NodeError('BAD_CONFIG', 'only IP addresses are dialled here; remove it, and use proxy= to go by Tor');
};

export const pruneTarget: Conversion = (text) =>
  text === '1' ? { instead: 'there is no pruning by hand; give the size to stay below, in MiB' } : [['prune', text]];

/** Fewer than none leaves so many cores free. */
export const scriptThreads: Conversion = (text) => {
  if (!/^-?\d{1,4}$/.test(text)) throw unfit('a whole number');
  const count = Number(text);
  const most = 16;
  return [
    ['par', String(count < 0 ? Math.max(1, Math.min(most, availableParallelism() + count)) : Math.min(count, most))],
  ];
};

const UNITS: Readonly<Record<string, number>> = {
  k: 1e3,
  K: 2 ** 10,
  m: 1e6,
  M: MIB,
  g: 1e9,
  G: 2 ** 30,
  t: 1e12,
  T: 2 ** 40,
};

export const uploadTarget: Conversion = (text) => {
  const [, digits, unit = 'M'] = /^(\d{1,9})([kKmMgGtT])?$/.exec(text) ?? [];
  if (digits === undefined) throw unfit('a number of MiB, or with one of k K m M g G t T behind it,');
  const bytes = Number(digits) * (UNITS[unit] ?? MIB);
  return [['max-upload', String(bytes === 0 ? 0 : Math.max(1, Math.floor(bytes / MIB)))]];
};

export const mapFile: Conversion = (text) => {
  if (text === '0') return [];
  if (text === '' || text === '1') throw unfit('the path of the file');
  return [['asmap', text]];
};

export const filterIndex: Conversion = (text) => [['blockfilterindex', text === 'basic' ? '1' : coreFlag(text)]];

/** Core's categories of log lines and our modules. */
const MODULES: Readonly<Record<string, readonly string[]>> = {
  net: ['net', 'peers'],
  addrman: ['net'],
  proxy: ['net'],
  tor: ['net'],
  cmpctblock: ['ingest'],
  txpackages: ['ingest'],
  mempool: ['mempool'],
  mempoolrej: ['ingest'],
  estimatefee: ['mempool'],
  validation: ['chain'],
  coindb: ['chain'],
  leveldb: ['chain'],
  blockstorage: ['chain'],
  prune: ['chain'],
  reindex: ['chain'],
  rpc: ['rpc'],
  http: ['rpc'],
};

const noCategory: Unused = { instead: 'no lines are of that category; --log-module names a module' };

export const categoryName: Conversion = (text) => {
  if (['', '1', 'all'].includes(text)) return [['log-level', 'debug']];
  if (['0', 'none'].includes(text)) return [];
  return moduleLevels(text, 'debug');
};

/** LEVEL or CATEGORY:LEVEL. */
export const categoryLevel: Conversion = (text) => {
  const [first = '', second] = text.split(':', 2);
  const level = (second ?? first).replace(/^trace$/, 'debug');
  return second === undefined ? [['log-level', level]] : moduleLevels(first, level);
};

function moduleLevels(category: string, level: string): ReturnType<Conversion> {
  const modules = Object.hasOwn(MODULES, category) ? (MODULES[category] ?? []) : [];
  return modules.length === 0 ? noCategory : modules.map((name) => ['log-module', `${name}=${level}`] as const);
}
