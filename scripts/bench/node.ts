/** A whole node in this process, as the program composes it. */
import { createNode, loadNetwork, overrideNetwork, type StarlingNode } from '#node';
import { nullLogger, systemClock, systemRandom } from '#util';

export type NodeOrder = {
  readonly network: string;
  readonly datadir: string;
  readonly connect: readonly string[];
  /** Peers as any others, unlike those of `connect`: they may be banned. */
  readonly bootstrap?: readonly string[];
  /** False: nobody can call it. */
  readonly isListening?: boolean;
  /** Where libp2p runs; as the program has it unless told otherwise. */
  readonly netThread?: 'worker' | 'main';
  /** 0 unless told otherwise; `default` for the node's own. */
  readonly trickleMs?: 0 | 'default';
  readonly dbCacheBytes?: number;
  /** As the program has them unless told otherwise: as many as there are cores. */
  readonly scriptThreads?: number;
  /** Script results of so many transactions are remembered; as the program has it unless told otherwise. */
  readonly scriptResults?: number;
  /** As the program has them unless told otherwise. */
  readonly prefillsBlocks?: boolean;
  readonly syncsMempool?: boolean;
};

export const DB_CACHE_BYTES = 64 << 20;
/** Some for those it calls, the rest for callers. */
const MAX_PEERS = 16;

export async function startNode(order: NodeOrder): Promise<StarlingNode> {
  const {
    isListening = true,
    bootstrap = [],
    network,
    datadir,
    connect,
    netThread = 'worker',
    trickleMs = 0,
    dbCacheBytes = DB_CACHE_BYTES,
    scriptThreads = 0,
    scriptResults,
    prefillsBlocks = true,
    syncsMempool = true,
  } = order;
  return createNode(
    {
      // The chain is but the first part of the network's.
      params: overrideNetwork(await loadNetwork(network), { minimumChainWork: 0n }),
      datadir,
      listen: isListening ? ['/ip4/127.0.0.1/tcp/0'] : [],
      bootstrap,
      connect,
      maxPeers: MAX_PEERS,
      targetOutbound: connect.length + bootstrap.length,
      ...(trickleMs === 'default' ? {} : { trickleMs }),
      dbCacheBytes,
      ...(scriptResults === undefined
        ? {}
        : { scriptCacheEntries: scriptResults, mempool: { maxScriptResults: scriptResults } }),
      netThread,
      scriptThreads,
      prefillsBlocks,
      syncsMempool,
    },
    { clock: systemClock, random: systemRandom, log: nullLogger },
  );
}

export async function listenAddress(node: StarlingNode): Promise<string> {
  return (await node.status()).net.listenAddresses[0] ?? '';
}

/** Resolves when the tip has reached the height. */
export function reach(running: StarlingNode, height: number): Promise<void> {
  return new Promise((resolve) => {
    const check = (tip: { readonly height: number }): void => {
      if (tip.height < height) return;
      stop();
      resolve();
    };
    const stop = running.onTip(check);
    check(running.chain.tip());
  });
}
