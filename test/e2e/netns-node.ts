/**
 * A whole node for the tests with network namespaces. Takes its options as one JSON argument; prints a line of JSON
 * whenever what it would say of itself has changed; mines so many blocks for each number on its standard input.
 */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { createNode, loadNetwork, type NodeOptions } from '#node';
import { type Logger, nullLogger, systemClock, systemRandom } from '#util';

export type NetnsOptions = Pick<NodeOptions, 'datadir' | 'listen' | 'bootstrap' | 'connect' | 'targetOutbound'> & {
  readonly isRelay: boolean;
};

/** What a line says. */
export type NetnsState = {
  readonly height: number;
  readonly tip: string;
  readonly reachability: string;
  readonly addresses: readonly string[];
  /** Peer id to how it is connected. */
  readonly peers: Readonly<Record<string, 'direct' | 'relayed'>>;
  /** How many peers were reached by a relay first, and then directly. */
  readonly upgraded: number;
};

const LOOK_MS = 100;
const OP_TRUE = Uint8Array.of(0x51);

const { isRelay, ...given }: NetnsOptions = JSON.parse(process.argv[2] ?? '');
let upgraded = 0;
const log: Logger = {
  ...nullLogger,
  debug: (message) => {
    if (message === 'reached without a relay now') upgraded += 1;
  },
  child: () => log,
};
const params = await loadNetwork('regtest');
const node = await createNode(
  { ...given, params, maxPeers: 32, dbCacheBytes: 16 << 20, netThread: 'main', scriptThreads: 1, reach: { isRelay } },
  { clock: systemClock, random: systemRandom, log },
);

let last = '';
const look = async (): Promise<void> => {
  const { net, tip } = await node.status();
  const state: NetnsState = {
    height: tip.height,
    tip: tip.hash,
    reachability: net.reachability,
    addresses: net.listenAddresses,
    upgraded,
    peers: Object.fromEntries(net.peers.map(({ id, isRelayed }) => [id, isRelayed ? 'relayed' : 'direct'])),
  };
  const line = JSON.stringify(state);
  if (line !== last) process.stdout.write(`${line}\n`);
  last = line;
};
const timer = setInterval(() => void look(), LOOK_MS);

for await (const line of createInterface({ input: process.stdin })) {
  for (let count = 0; count < Number(line); count += 1) await node.mineBlock(OP_TRUE);
}
// The other end of the pipe is gone: so is the test.
clearInterval(timer);
await node[Symbol.asyncDispose]();
