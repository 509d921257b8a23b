/**
 * Who may call what: one user with a password (or the cookie), users by salted hash (Core's -rpcauth), and the methods
 * of each (Core's -rpcwhitelist). Secrets are compared in constant time.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { NodeError } from '#util';
import type { RpcOptions, RpcUser } from '../options.ts';

const RPC_AUTH = /^([^:$]+):([^:$]+)\$([0-9a-fA-F]{64})$/;
/** Of a header; user and password of any sensible length fit. */
const MAX_HEADER_CHARS = 4_096;

export class Credentials {
  readonly #login: { readonly user: string; readonly password: string };
  readonly #users: readonly RpcUser[];
  readonly #methods: ReadonlyMap<string, ReadonlySet<string>>;
  readonly #isListNeeded: boolean;

  /** Throws NodeError `BAD_CONFIG`. */
  constructor(options: RpcOptions, login: { readonly user: string; readonly password: string }) {
    this.#login = login;
    this.#users = options.auths.map(parseAuth);
    this.#methods = parseWhitelist(options.whitelist);
    this.#isListNeeded = options.whitelistDefault ?? options.whitelist.length > 0;
  }

  /** The user's name, if the header proves it. */
  userOf(authorization: string): string | undefined {
    if (authorization.length > MAX_HEADER_CHARS || !authorization.startsWith('Basic ')) return undefined;
    const pair = Buffer.from(authorization.slice(6).trim(), 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon === -1) return undefined;
    const [name, password] = [pair.slice(0, colon), pair.slice(colon + 1)];
    const { user, password: expected } = this.#login;
    if (isEqual(`${name}:${password}`, `${user}:${expected}`)) return name;
    const known = this.#users.some(
      (each) =>
        isEqual(each.name, name) &&
        isEqual(createHmac('sha256', each.salt).update(password).digest('hex'), each.hmac.toLowerCase()),
    );
    return known ? name : undefined;
  }

  /** Asks for the methods only where they matter. */
  mayCallAll(user: string, methods: () => readonly string[]): boolean {
    if (!this.#methods.has(user)) return !this.#isListNeeded;
    return methods().every((method) => this.mayCall(user, method));
  }

  mayCall(user: string, method: string): boolean {
    const methods = this.#methods.get(user);
    return methods === undefined ? !this.#isListNeeded : methods.has(method);
  }
}

/** Of digests, so that not even the length shows. */
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}

function parseAuth(text: string): RpcUser {
  const [, name, salt, hmac] = RPC_AUTH.exec(text) ?? [];
  if (name === undefined || salt === undefined || hmac === undefined) {
    throw new NodeError('BAD_CONFIG', 'Invalid -rpcauth argument: user:salt$hash is expected, with 64 hex digits');
  }
  return { name, salt, hmac };
}

/** Several entries of one user allow what stands in all of them, as in Core. */
function parseWhitelist(entries: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, ReadonlySet<string>>();
  for (const entry of entries) {
    const colon = entry.indexOf(':');
    const user = colon === -1 ? entry : entry.slice(0, colon);
    const names = colon === -1 ? [] : entry.slice(colon + 1).split(',');
    const listed = new Set(names.map((name) => name.trim()).filter((name) => name !== ''));
    methods.set(user, methods.get(user)?.intersection(listed) ?? listed);
  }
  return methods;
}
