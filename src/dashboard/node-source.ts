/** A node as the dashboard's source. What is kept for as long as it runs is small: the newest blocks, counts of the mempool. */
import type { StarlingNode } from '#node';
import { coreIo } from '#rpc';
import type { Clock, Logger } from '#util';
import { createExplorer } from './explorer/explorer.ts';
import type { DashboardSource, LogSource } from './port.ts';
import { BandwidthMeter } from './watch/bandwidth.ts';
import { BlockList } from './watch/block-list.ts';
import { MempoolView } from './watch/mempool-view.ts';
import { type WatchDeps, watchNode } from './watch/node-watch.ts';

export type NodeSourceDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: LogSource;
};

export function createNodeSource(node: StarlingNode, deps: NodeSourceDeps): DashboardSource & Disposable {
  const { clock } = deps;
  const stack = new DisposableStack();
  const blocks = stack.use(new BlockList(node, clock));
  const watched: WatchDeps = {
    ...deps,
    node,
    blocks,
    startedAtMs: clock.now(),
    isInitialDownload: coreIo.initialDownload(node.chain, clock),
    mempool: stack.use(new MempoolView(node, clock)),
    bandwidth: new BandwidthMeter(clock),
  };
  return {
    watch: (tell) => watchNode(watched, tell),
    explorer: createExplorer(node, blocks.news),
    [Symbol.dispose]: () => stack.dispose(),
  };
}
