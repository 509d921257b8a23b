/** A row of the method table. Checks, named parameters, help, the OpenRPC document and the client follow from it. */
import type { StarlingNode } from '#node';
import type { Clock, Logger } from '#util';
import type { JsonValue } from '../json/value.ts';
import type { MockableClock } from '../mockable-clock.ts';
import type { PeerNumbers } from '../peer-numbers.ts';
import type { ScanSlot } from '../scan-slot.ts';
import type { Args } from './args.ts';
import type { Param } from './param.ts';
import type { Result } from './result.ts';

/** In the order in which they sort; `hidden` ones are not listed. */
export type Category =
  | 'blockchain'
  | 'control'
  | 'hidden'
  | 'mining'
  | 'network'
  | 'rawtransactions'
  | 'signer'
  | 'util'
  | 'zmq';

export type ActiveCall = { readonly method: string; readonly startedMs: number };

/** What handlers work on; one for the life of a server. */
export type RpcContext = {
  readonly node: StarlingNode;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the server was started, of the clock's monotonic time. */
  readonly startedMs: number;
  /** Asks the program to stop in order. */
  readonly stop: () => void;
  /** The file that the log goes to; empty where it goes to none. */
  readonly logPath: string;
  /** Calls at work, this one included. */
  readonly activeCalls: () => readonly ActiveCall[];
  readonly methods: readonly RpcMethod[];
  /** Whether the node is still on its way to the tip (Core's IsInitialBlockDownload). */
  readonly isInitialDownload: () => boolean;
  readonly peerNumbers: PeerNumbers;
  /** The one scan of all coins that may run. */
  readonly scan: ScanSlot;
  /** The one scan of block filters that may run. */
  readonly blockScan: ScanSlot;
  /** The node's clock, where a test may set it. */
  readonly testClock: Pick<MockableClock, 'setTime' | 'forward'> | undefined;
  /** Debug lines by module, where they can be changed. */
  readonly debugLogs: DebugLogs | undefined;
  /** What is published by ZMQ, in Core's order. */
  readonly zmqNotifications: readonly ZmqNotification[];
};

export type ZmqNotification = { readonly type: string; readonly address: string; readonly hwm: number };

export type DebugLogs = {
  readonly isOn: (module: string) => boolean;
  readonly set: (module: string, on: boolean) => void;
};

export type RpcCall = RpcContext & {
  readonly args: Args;
  /** Aborts when the client has gone or the server stops. */
  readonly signal: AbortSignal;
};

export type Handler = (call: RpcCall) => JsonValue | Promise<JsonValue>;

/** Of an example, the parameters: as on a command line, and as in a JSON array. */
export type Example = { readonly cli: string; readonly json: string };

export type RpcMethod = {
  readonly name: string;
  readonly category: Category;
  readonly about: string;
  readonly params: readonly Param[];
  /** One, or one for each case. */
  readonly results: readonly Result[];
  readonly examples: readonly Example[];
  readonly handler: Handler;
};
