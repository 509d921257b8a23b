/** Real nodes in this process: disk, libp2p over loopback TCP, everything but the command line. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { HeaderEntry } from '#chain';
import type { NetworkParams } from '#consensus';
import { createNode, type NodeOptions, type NodeStatus, type StarlingNode } from '#node';
import type { SyncStatus } from '#sync';
import { type Logger, nullLogger, systemClock, systemRandom } from '#util';
import type { ChainBuilder } from './chain-builder.ts';
import { makeTempDir } from './temp-dir.ts';

export type TestNodes = AsyncDisposable & {
  /** Starts a node; the same name finds its data again. */
  readonly start: (name: string, options?: Partial<NodeOptions>, log?: Logger) => Promise<StarlingNode>;
};

export async function createTestNodes(params: NetworkParams): Promise<TestNodes> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await makeTempDir());
  const nodes = stack.use(new AsyncDisposableStack());
  const resources = stack.move();
  return {
    start: async (name, options = {}, log = nullLogger) => {
      const node = await createNode(
        {
          params,
          datadir: join(directory.path, name),
          listen: ['/ip4/127.0.0.1/tcp/0'],
          bootstrap: [],
          connect: [],
          maxPeers: 20,
          targetOutbound: 4,
          trickleMs: 0,
          dbCacheBytes: 16 << 20,
          netThread: 'main',
          scriptThreads: 1,
          ...options,
        },
        { clock: systemClock, random: systemRandom, log },
      );
      nodes.use(node);
      return node;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

export async function addressesOf(node: StarlingNode): Promise<readonly string[]> {
  return (await node.status()).net.listenAddresses;
}

/** Resolves when the node's tip satisfies the condition. */
export function tipOf(node: StarlingNode, when: (tip: HeaderEntry) => boolean): Promise<HeaderEntry> {
  return new Promise((resolve) => {
    const check = (tip: HeaderEntry): void => {
      if (!when(tip)) return;
      stop();
      resolve(tip);
    };
    const stop = node.onTip(check);
    check(node.chain.tip());
  });
}

/** Resolves when the node says that its sync is in this phase. */
export async function phaseOf(node: StarlingNode, phase: SyncStatus['phase']): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = (sync: SyncStatus): void => {
    if (sync.phase === phase) resolve();
  };
  const stop = node.onSync(check);
  check((await node.status()).sync);
  await promise;
  stop();
}

/** Asks for the status until it satisfies the condition; the runner's timeout bounds it. */
export async function statusWhen(node: StarlingNode, when: (status: NodeStatus) => boolean): Promise<NodeStatus> {
  for (;;) {
    const status = await node.status();
    if (when(status)) return status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Mines until a block has come by gossip to all: what is announced before a mesh has formed is lost. */
export async function gossipFlows(
  from: StarlingNode,
  to: readonly StarlingNode[],
  builder: ChainBuilder,
): Promise<void> {
  const heard = (): Promise<number[]> =>
    Promise.all(to.map(async (node) => (await node.status()).announcedBlocks.withoutRoundTrip));
  await phaseOf(from, 'at-tip');
  const before = await heard();
  for (let now = before; now.some((count, at) => count === before[at]); now = await heard()) {
    assert.deepEqual(await from.submitBlock(builder.mine().raw), { kind: 'accepted' });
    await Promise.all(to.map((node) => tipOf(node, (tip) => tip.hash === builder.tip.hash)));
  }
  await Promise.all(to.map((node) => phaseOf(node, 'at-tip')));
}
