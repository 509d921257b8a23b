/**
 * A node, watched while somebody reads: what it tells by itself is gathered for GATHER_MS, the rest is asked once a second.
 * Each part bounds what it gathers. A look at the node that fails is left out: the node says why, or is about to end.
 */
import type { NodeStatus, StarlingNode } from '#node';
import { type Clock, errorText, type Logger, type TimerHandle } from '#util';
import type { FeedState, Overview } from '../contract.ts';
import type { LogSource, Tell, Watch } from '../port.ts';
import type { BandwidthMeter } from './bandwidth.ts';
import { BlockDetailsReader } from './block-details.ts';
import type { BlockList } from './block-list.ts';
import { WaitingLines } from './log-lines.ts';
import type { MempoolView } from './mempool-view.ts';
import { overviewOf } from './overview.ts';
import { PeerRows } from './peer-rows.ts';

const GATHER_MS = 200;
const LOOK_INTERVAL_MS = 1_000;

export type WatchDeps = {
  readonly node: StarlingNode;
  readonly clock: Clock;
  readonly log: Logger;
  readonly logs: LogSource;
  readonly startedAtMs: number;
  readonly isInitialDownload: () => boolean;
  readonly blocks: BlockList;
  readonly mempool: MempoolView;
  readonly bandwidth: BandwidthMeter;
};

/** Resolves once the first look at the node is done. Rejects where the node stops. */
export async function watchNode(deps: WatchDeps, tell: Tell): Promise<Watch> {
  const { node, bandwidth } = deps;
  const [status, list] = await Promise.all([node.status(), node.peers.list()]);
  const peers = new PeerRows();
  peers.update(list);
  peers.takeDelta();
  bandwidth.look(list);
  return new NodeWatch(deps, tell, status, peers);
}

class NodeWatch implements Watch {
  readonly #deps: WatchDeps;
  readonly #tell: Tell;
  readonly #watching = new DisposableStack();
  readonly #peers: PeerRows;
  readonly #details: BlockDetailsReader;
  readonly #lines: WaitingLines;
  #status: NodeStatus;
  #overview: Overview;
  #mempoolVersion: string;
  #isOverviewOld = false;
  #areBlocksOld = false;
  #gatherTimer: TimerHandle | undefined;
  #lookTimer: TimerHandle | undefined;
  #isLookSoon = false;
  #isStopped = false;

  constructor(deps: WatchDeps, tell: Tell, status: NodeStatus, peers: PeerRows) {
    const { node, blocks, mempool, logs } = deps;
    this.#deps = deps;
    this.#tell = tell;
    this.#status = status;
    this.#peers = peers;
    this.#watching.defer(blocks.watch(() => this.#blocksChanged()));
    this.#details = this.#watching.use(new BlockDetailsReader({ ...deps, chain: node.chain }));
    this.#lines = this.#watching.use(new WaitingLines(logs, () => this.#gather()));
    this.#watching.defer(node.onTip(() => this.#overviewChanged()));
    this.#watching.defer(
      node.onSync((sync) => {
        this.#status = { ...this.#status, sync };
        this.#overviewChanged();
      }),
    );
    this.#watching.defer(
      node.onPeer((event) => {
        if (event.kind === 'left') this.#peers.left(event.id, event.reason);
        // Whoever joined is in the next list, with all that is known.
        else this.#lookSoon();
        this.#overviewChanged();
      }),
    );
    mempool.project();
    this.#mempoolVersion = mempool.version();
    this.#overview = this.#makeOverview();
    this.#lookLater(LOOK_INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#watching.dispose();
    this.#gatherTimer?.cancel();
    this.#lookTimer?.cancel();
    this.#deps.bandwidth.rest();
  }

  state(): FeedState {
    this.#flush();
    const { clock, blocks, mempool, bandwidth, logs } = this.#deps;
    return {
      atMs: clock.now(),
      gatherMs: GATHER_MS,
      overview: this.#overview,
      blocks: blocks.rows(),
      mempool: mempool.state(),
      peers: this.#peers.rows(),
      bandwidth: bandwidth.state(),
      logs: logs.recent(),
    };
  }

  #makeOverview(): Overview {
    const { node, blocks, startedAtMs, isInitialDownload } = this.#deps;
    return overviewOf({
      node,
      status: this.#status,
      peers: this.#peers.rows(),
      startedAtMs,
      isInitialDownload: isInitialDownload(),
      tipConnectedAtMs: blocks.connectedAtMs(node.chain.tip().hash),
    });
  }

  #overviewChanged(): void {
    this.#isOverviewOld = true;
    this.#gather();
  }

  #blocksChanged(): void {
    this.#areBlocksOld = true;
    this.#details.poke();
    this.#gather();
  }

  #gather(): void {
    if (this.#isStopped) return;
    this.#gatherTimer ??= this.#deps.clock.after(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#gatherTimer?.cancel();
    this.#gatherTimer = undefined;
    if (this.#areBlocksOld) {
      this.#areBlocksOld = false;
      this.#tell('blocks', this.#deps.blocks.takeDelta());
    }
    const peers = this.#peers.takeDelta();
    if (peers !== undefined) this.#tell('peers', peers);
    if (this.#isOverviewOld) {
      this.#isOverviewOld = false;
      this.#overview = this.#makeOverview();
      this.#tell('overview', this.#overview);
    }
    const logs = this.#lines.take();
    if (logs !== undefined) this.#tell('logs', logs);
  }

  #lookLater(delayMs: number): void {
    this.#lookTimer?.cancel();
    this.#lookTimer = this.#deps.clock.after(delayMs, () => void this.#look());
  }

  /** Unless a look is under way: the next one is not far then. However many join, it is not put off. */
  #lookSoon(): void {
    if (this.#lookTimer === undefined || this.#isLookSoon) return;
    this.#isLookSoon = true;
    this.#lookLater(GATHER_MS);
  }

  async #look(): Promise<void> {
    const { node, bandwidth, log } = this.#deps;
    this.#lookTimer = undefined;
    this.#isLookSoon = false;
    try {
      const [status, list] = await Promise.all([node.status(), node.peers.list()]);
      if (this.#isStopped) return;
      this.#status = status;
      this.#peers.update(list);
      const sample = bandwidth.look(list);
      if (sample !== undefined) this.#tell('bandwidth', sample);
      this.#tellMempool();
      this.#overviewChanged();
    } catch (error) {
      if (this.#isStopped) return;
      log.debug('the node could not be looked at', { error: errorText(error) });
    }
    this.#lookLater(LOOK_INTERVAL_MS);
  }

  #tellMempool(): void {
    const { mempool } = this.#deps;
    mempool.project();
    const version = mempool.version();
    if (version === this.#mempoolVersion) return;
    this.#mempoolVersion = version;
    this.#tell('mempool', mempool.state());
  }
}
