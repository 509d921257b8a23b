/** What a server is started with. Names in comments are Core's options. */

export type RpcUser = { readonly name: string; readonly salt: string; readonly hmac: string };

export type RpcOptions = {
  /** Addresses to listen on, IP or IP:port ([…] around IPv6); empty: loopback alone (-rpcbind). */
  readonly bind: readonly string[];
  /** Where an address names none; 0 takes a free one (-rpcport). */
  readonly port: number;
  /** IPs and subnets that may connect beside loopback (-rpcallowip). */
  readonly allowIps: readonly string[];
  /** Names under which browsers and others may reach it, beside IP addresses and localhost. */
  readonly allowHosts: readonly string[];
  /** One user by name and password; without a password a cookie file is made (-rpcuser, -rpcpassword). */
  readonly user: string;
  readonly password: string;
  /** user:salt$hmac (-rpcauth). */
  readonly auths: readonly string[];
  /** Where the cookie goes (-rpccookiefile); the network's folder by default. */
  readonly cookieFile: string | undefined;
  /** user:method,method (-rpcwhitelist). */
  readonly whitelist: readonly string[];
  /** Whether who is not in the whitelist may call nothing (-rpcwhitelistdefault); default: if there is a whitelist. */
  readonly whitelistDefault: boolean | undefined;
  /** Whether what the chain and the mempool hold is given out without a login (-rest). */
  readonly rest: boolean;
  /** Calls at work at once (-rpcthreads). */
  readonly threads: number;
  /** Calls that wait for that; more are refused with 503 (-rpcworkqueue). */
  readonly workQueue: number;
  /** Of a connection that is silent (-rpcservertimeout). */
  readonly serverTimeoutMs: number;
};

/** The figures of Core 29: with those of 27 (4 and 16) four long polls leave nobody to stop the node. */
export const DEFAULT_RPC_OPTIONS: RpcOptions = {
  bind: [],
  port: 0,
  allowIps: [],
  allowHosts: [],
  user: '',
  password: '',
  auths: [],
  cookieFile: undefined,
  whitelist: [],
  whitelistDefault: undefined,
  rest: false,
  threads: 16,
  workQueue: 64,
  serverTimeoutMs: 30_000,
};
