/** A process of the `rpc` benchmark: a whole node that answers calls. */
import { networkDirectory } from '#chain';
import type { StarlingNode } from '#node';
import { type RpcServer, startRpc } from '#rpc';
import { assert, nullLogger, systemClock, systemRandom } from '#util';
import { cpuMs } from './benchmark.ts';
import { type NodeOrder, reach, startNode } from './node.ts';
import { servePeer } from './peer-process.ts';

/** user and password of the calls. */
const LOGIN = { user: 'bench', password: 'bench' };

let node: StarlingNode | undefined;
let server: RpcServer | undefined;

servePeer(
  {
    /** Gives address and login. */
    start: async (order: NodeOrder) => {
      node = await startNode(order);
      const directory = networkDirectory(order.datadir, node.chain.params);
      const deps = { directory, clock: systemClock, random: systemRandom, log: nullLogger, stop: () => {} };
      server = await startRpc(node, LOGIN, deps);
      return { address: server.addresses[0] ?? '', login: `${LOGIN.user}:${LOGIN.password}` };
    },
    /** Gives the milliseconds from the dial to the last block. */
    sync: async ({ address, height }: { readonly address: string; readonly height: number }) => {
      assert(node !== undefined, 'the node was started');
      const before = performance.now();
      await node.peers.add(address);
      await reach(node, height);
      return performance.now() - before;
    },
    cpuMs,
  },
  async () => {
    await server?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
  },
);
