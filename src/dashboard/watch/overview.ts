/** The node at a glance. */
import type { NodeStatus, StarlingNode } from '#node';
import { coreIo } from '#rpc';
import { VERSION } from '#util';
import type { Overview, PeerRow, SyncState, Tip } from '../contract.ts';
import { nextRetarget } from './retarget.ts';

const MAX_LISTEN_ADDRESSES = 16;
/** As many digits as the RPC gives, so that both say the same. */
const RPC_DIGITS = 16;

export type OverviewInput = {
  readonly node: Pick<StarlingNode, 'chain' | 'indexes'>;
  /** Of the network perhaps a second old; of the sync the newest. */
  readonly status: Pick<NodeStatus, 'sync' | 'net' | 'announcedBlocks'>;
  readonly peers: readonly PeerRow[];
  readonly startedAtMs: number;
  readonly isInitialDownload: boolean;
  readonly tipConnectedAtMs: number | null;
};

export function overviewOf(input: OverviewInput): Overview {
  const { node, status, peers, startedAtMs, isInitialDownload, tipConnectedAtMs } = input;
  const { chain, indexes } = node;
  const { net } = status;
  const tip = chain.tip();
  const inbound = peers.filter(({ direction }) => direction === 'inbound').length;
  return {
    chain: chain.params.chainName,
    userAgent: `/Starling:${VERSION}/`,
    startedAtMs,
    self: {
      peerId: net.peerId,
      listenAddresses: net.listenAddresses.slice(0, MAX_LISTEN_ADDRESSES),
      reachability: net.reachability,
    },
    tip: tipOf(tip, tipConnectedAtMs),
    sync: syncOf(status.sync),
    isInitialDownload,
    retarget: nextRetarget(chain, tip),
    networkHashesPerSecond:
      tip.height === 0 ? null : asRpc(coreIo.networkHashesPerSecond(chain, coreIo.DEFAULT_HASH_RATE_BLOCKS, -1)),
    peers: { inbound, outbound: peers.length - inbound, isNetworkActive: net.isActive },
    bytesIn: net.bytesIn,
    bytesOut: net.bytesOut,
    knownAddresses: net.knownAddresses,
    prunedBelowHeight: chain.pruneTargetBytes() === undefined ? null : chain.lowestStoredHeight(),
    indexes: indexes.info().map(({ name }) => name),
    announcedBlocks: status.announcedBlocks,
  };
}

function tipOf(tip: NodeStatus['tip'], connectedAtMs: number | null): Tip {
  const { height, hash, header, medianTimePast, chainWork } = tip;
  return {
    height,
    hash,
    timeSeconds: header.time,
    medianTimeSeconds: medianTimePast,
    connectedAtMs,
    difficulty: asRpc(coreIo.difficultyOf(header.bits)),
    chainWork: coreIo.workHex(chainWork),
  };
}

function asRpc(value: number): number {
  return Number(value.toPrecision(RPC_DIGITS));
}

function syncOf({ peers: _, secondsLeft, ...sync }: NodeStatus['sync']): SyncState {
  return { ...sync, secondsLeft: secondsLeft ?? null };
}
