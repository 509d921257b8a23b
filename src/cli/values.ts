/** Turns the text of a flag or a configuration line into a value. Each parser throws a `NodeError` that says what fits. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { type BlockHash, parseBlockHash } from '#primitives';
import { NodeError } from '#util';
import { closest } from './suggest.ts';

const SHOWN_TEXT = 80;

/** The text is not what the flag takes. `expected` completes "… is expected". */
function unfit(text: string, expected: string): NodeError {
  const shown = text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
  return new NodeError('BAD_CONFIG', `"${shown}" does not fit: ${expected} is expected`);
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw unfit(text, `a whole number ${range}`);
    return value;
  };
}

export function positiveNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw unfit(text, `a number from ${min} to ${max}`);
    return value;
  };
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, min: 60, h: 3600, d: 86_400, w: 604_800 };
const MAX_SECONDS = 100 * 365 * 86_400;

/** A time with its unit, in seconds. */
export function secondsOf(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,10}) ?(s|min|h|d|w)$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (!(seconds >= 1 && seconds <= MAX_SECONDS)) {
    throw unfit(text, 'a number with s, min, h, d or w, such as 90min or 7d, at most a hundred years,');
  }
  return seconds;
}

/** CFeeRate has 64 bits; more than this is taken for a rate in other units. */
const MAX_SAT_PER_KVB = 100_000_000;

/** A fee rate as Bitcoin Core's flags have it, in sat per 1000 virtual bytes. */
export function btcPerKvb(text: string): number {
  const [, whole, decimals = ''] = /^(\d{1,2})(?:\.(\d{1,8}))?$/.exec(text) ?? [];
  const value = whole === undefined ? Number.NaN : Number(whole + decimals.padEnd(8, '0'));
  if (!(value <= MAX_SAT_PER_KVB))
    throw unfit(text, 'a fee rate in BTC per 1000 virtual bytes, such as 0.00001, at most 1,');
  return value;
}

export function oneOf<const T extends string>(...choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw unfit(text, `one of ${choices.join(', ')}`);
    return found;
  };
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Whose lines have a level of their own: the names that loggers are given, as a test checks. */
export const LOG_MODULES = [
  ...[
    'chain',
    'dashboard',
    'indexes',
    'ingest',
    'local',
    'mempool',
    'mempool-sync',
    'metrics',
    'miner',
    'net',
    'peers',
    'rebroadcast',
  ],
  ...['rpc', 'sync', 'zmq'],
] as const;

export type ModuleLevel = { readonly module: string; readonly level: LogLevel };

export function moduleLevel(text: string): ModuleLevel {
  const [module = '', word, more] = text.split('=');
  const level = LOG_LEVELS.find((known) => known === word);
  if (more === undefined && level !== undefined && LOG_MODULES.some((known) => known === module))
    return { module, level };
  const modules = `one of ${LOG_MODULES.join(', ')}${level === undefined ? '' : closest(module, LOG_MODULES)}`;
  throw unfit(text, `module=level (${modules}; one of ${LOG_LEVELS.join(', ')}), such as net=debug,`);
}

/** Core's names of what is buried, and the fields of a network file. */
const DEPLOYMENTS = { bip34: 'bip34', dersig: 'bip66', cltv: 'bip65', csv: 'csv', segwit: 'segwit' } as const;

export type ActivationHeight = {
  readonly rule: (typeof DEPLOYMENTS)[keyof typeof DEPLOYMENTS];
  readonly height: number;
};

const MAX_HEIGHT = 0x7fffffff;

/** Core's -testactivationheight=name@height. */
export function activationHeight(text: string): ActivationHeight {
  const [, name = '', digits] = /^([a-z0-9]+)@(\d{1,10})$/.exec(text) ?? [];
  const rule = Object.entries(DEPLOYMENTS).find(([known]) => known === name)?.[1];
  const height = Number(digits);
  if (rule === undefined || !(height < MAX_HEIGHT)) {
    throw unfit(text, `name@height, with a name of ${Object.keys(DEPLOYMENTS).join(', ')}, such as segwit@100,`);
  }
  return { rule, height };
}

/** A block hash, or `none` for 0 (Core's -assumevalid=0). */
export function blockHashOrZero(text: string): BlockHash | 'none' {
  if (text === '0') return 'none';
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw unfit(text, 'the 64 hex digits of a block hash, or 0');
  return parseBlockHash(text);
}

export function hexNumber(text: string): bigint {
  if (!/^(0x)?[0-9a-fA-F]{1,64}$/.test(text)) throw unfit(text, 'a number of up to 64 hex digits');
  return BigInt(text.startsWith('0x') ? text : `0x${text}`);
}

/** `true` and `1`, `false` and `0`, as Bitcoin Core's configuration files write them. */
export function onOff(text: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw unfit(text, 'true, false, 1 or 0');
}

export function nonEmpty(text: string): string {
  if (text.trim() === '') throw unfit(text, 'some text');
  return text;
}

/** An absolute path; `~` is the home directory also where no shell expands it. */
export function path(text: string): string {
  const given = nonEmpty(text);
  return given === '~' || given.startsWith('~/') ? join(homedir(), given.slice(1)) : resolve(given);
}

const HOST =
  /^\/(?:ip4\/(?:\d{1,3}\.){3}\d{1,3}|ip6\/[0-9a-fA-F:.]{2,45}|dns[46]?\/[\w.-]{1,253})\/tcp\/(\d{1,5})((?:\/tls)?\/ws|\/wss)?(\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,64}\/p2p-circuit)?(?:\/p2p\/([1-9A-HJ-NP-Za-km-z]{40,64}))?$/;
const DNSADDR = /^\/dnsaddr\/[\w.-]{1,253}(\/p2p\/[1-9A-HJ-NP-Za-km-z]{40,64})?$/;

/** A multiaddr to listen on, /p2p-circuit for relays alone, or `none`. TLS is a reverse proxy's job. */
export function listenAddress(text: string): string {
  const [, port, carrier = '', relay, peer] = HOST.exec(text) ?? [];
  const isOurs = ['', '/ws'].includes(carrier) && relay === undefined && peer === undefined;
  if (text === 'none' || text === '/p2p-circuit' || (isPort(port) && isOurs)) return text;
  throw unfit(
    text,
    'a multiaddr such as /ip4/0.0.0.0/tcp/8433 (port 0 takes a free one; /ws after it), /p2p-circuit, or none,',
  );
}

/** A multiaddr under which others reach the node, without its peer id. */
export function announcedAddress(text: string): string {
  const [, port, , relay, peer] = HOST.exec(text) ?? [];
  if (isPort(port) && port !== '0' && relay === undefined && peer === undefined) return text;
  throw unfit(text, 'a multiaddr such as /ip4/203.0.113.7/tcp/8433 or /dns4/node.example/tcp/443/tls/ws');
}

/** A multiaddr of a node, with its peer id: what the node itself prints when it starts. */
export function peerAddress(text: string): string {
  const [, port, , , peer] = HOST.exec(text) ?? [];
  if ((isPort(port) && port !== '0' && peer !== undefined) || DNSADDR.test(text)) return text;
  throw unfit(text, 'a multiaddr with port and peer id, such as /ip4/192.0.2.1/tcp/8433/p2p/12D3Koo…,');
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && Number(text) <= 65535;
}

export type SocksProxy = {
  readonly host: string;
  readonly port: number;
  readonly login: { readonly user: string; readonly password: string } | undefined;
};

/** What RFC 1929 can carry. */
const MAX_LOGIN_BYTES = 255;

/** socks5://[user:password@]host:port; socks5h:// says the same, names are always looked up by the proxy. */
export function socksProxy(text: string): SocksProxy {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const hasMore = url !== undefined && (url.search !== '' || url.hash !== '' || !['', '/'].includes(url.pathname));
  if (url === undefined || !['socks5:', 'socks5h:'].includes(url.protocol) || url.port === '' || hasMore) {
    // Not the text itself: it may hold a password.
    throw new NodeError(
      'BAD_CONFIG',
      'socks5://[user:password@]host:port is expected, such as socks5://127.0.0.1:9050',
    );
  }
  const [user, password] = [url.username, url.password].map((part) => decodeURIComponent(part)) as [string, string];
  const isLogin = user !== '' && password !== '';
  if (!isLogin && `${user}${password}` !== '') throw new NodeError('BAD_CONFIG', 'user and password go together');
  if (Math.max(Buffer.byteLength(user), Buffer.byteLength(password)) > MAX_LOGIN_BYTES) {
    throw new NodeError('BAD_CONFIG', `user and password have at most ${MAX_LOGIN_BYTES} bytes each`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(url.port), login: isLogin ? { user, password } : undefined };
}
