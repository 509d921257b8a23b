/** What the devnet's parent and its node processes say to each other over the IPC channel. Plain JSON. */

/** The command, not in help, that `devnet` starts for each of its nodes. */
export const DEVNET_NODE_COMMAND = 'devnet-node';

export type DevnetRole = 'seed' | 'miner' | 'node';

/** The first message to a child: all it needs to know. */
export type StartMessage = {
  readonly kind: 'start';
  readonly role: DevnetRole;
  /** The child's own; it removes it when it ends, unless `keep`. */
  readonly datadir: string;
  readonly keep: boolean;
  /** The seed's address; empty for the seed itself. */
  readonly bootstrap: readonly string[];
  /** 32 bytes in hex: the key that the node's coins belong to. Worth nothing. */
  readonly secret: string;
  /** Scripts in hex of all who hold coins; the miner pays them in turn. */
  readonly payees: readonly string[];
  /** Blocks that the miner makes at once. */
  readonly premine: number;
  readonly blockIntervalMs: number;
  /** Time between this node's own transactions; 0 for none. */
  readonly txIntervalMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly logFormat: 'human' | 'json';
};

export type ToChild = StartMessage | { readonly kind: 'stop' };

export type NodeReport = {
  readonly kind: 'report';
  readonly height: number;
  readonly tip: string;
  readonly phase: string;
  readonly peers: number;
  readonly mempool: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly lastBlockDelayMs: number | undefined;
};

export type FromChild =
  /** `rpc` is where JSON-RPC calls are answered; the miner's alone are. `dashboard`: the URL of its dashboard. */
  | {
      readonly kind: 'ready';
      readonly peerId: string;
      readonly addresses: readonly string[];
      readonly rpc: string | undefined;
      readonly dashboard: string;
    }
  | NodeReport;
