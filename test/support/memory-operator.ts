/** `OperatorPeers` of a node in memory: where libp2p knows more, this tells what there is. */
import type { AddedPeer, OperatorPeers, PeerDetails, PeerIdText, PeerInfo } from '#net';
import type { Clock } from '#util';
import { parseBanTarget } from '../../src/net/bans/ban-target.ts';
import type { Reputation } from '../../src/net/reputation.ts';

const MAX_ADDED = 64;

/** Whom a node dials. */
export type Target = {
  readonly id: PeerIdText;
  readonly address: string;
  readonly isManual: boolean;
  readonly isSeed: boolean;
  failures: number;
};

/** What is looked at of a connection. */
type End = {
  readonly info: PeerInfo;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly isConfirmed: boolean;
  readonly exchanges: { readonly size: number };
};

export type MemoryOperatorDeps = {
  readonly clock: Clock;
  readonly reputation: Reputation;
  readonly ends: ReadonlyMap<PeerIdText, End>;
  readonly targets: Target[];
  readonly dialSoon: (target: Target) => void;
  readonly dialNow: (target: Target) => boolean;
  readonly disconnect: (peer: PeerIdText, reason: string) => void;
  readonly setActive: (isActive: boolean) => void;
};

export function memoryOperatorPeers(deps: MemoryOperatorDeps): OperatorPeers {
  const { ends, targets, reputation } = deps;
  return {
    ...changing(deps),
    list: async () => [...ends.values()].map((end) => detailsOf(end, reputation)),
    added: async () => targets.filter(({ isManual }) => isManual).map((target) => addedOf(target, ends)),
    disconnect: async (wanted) => {
      const meant = [...ends.values()].filter(({ info }) => info.id === wanted || info.address === wanted);
      for (const { info } of meant) deps.disconnect(info.id, 'the operator disconnected it');
      return meant.length;
    },
    ban: async (text, options = {}) => {
      const target = parseBanTarget(text, idIn);
      if (target === undefined) return 'invalid';
      const verdict = reputation.ban(target, options);
      if (verdict === 'banned' && ends.has(target.text)) deps.disconnect(target.text, 'the operator banned it');
      return verdict;
    },
    unban: async (text) => {
      const target = parseBanTarget(text, idIn);
      if (target === undefined) return 'invalid';
      return reputation.unban(target) ? 'lifted' : 'not-banned';
    },
    bans: async () => reputation.bans(),
    clearBans: async () => reputation.clearBans(),
    pingAll: async () => {},
    totals: async () => {
      const all = [...ends.values()];
      return {
        bytesIn: all.reduce((sum, { bytesIn }) => sum + bytesIn, 0),
        bytesOut: all.reduce((sum, { bytesOut }) => sum + bytesOut, 0),
      };
    },
    addresses: async (count) => {
      const known = targets.map(({ id }) => ({ id, address: '/memory/0', lastSeenAt: deps.clock.now() }));
      return count > 0 ? known.slice(0, count) : known;
    },
  };
}

function changing({
  targets,
  dialSoon,
  dialNow,
  setActive,
}: MemoryOperatorDeps): Pick<OperatorPeers, 'add' | 'remove' | 'tryOnce' | 'setActive'> {
  return {
    add: async (address) => {
      const target = targetOf(address);
      if (target === undefined) return 'invalid';
      if (targets.some((other) => other.isManual && other.address === address)) return 'already-added';
      if (targets.length >= MAX_ADDED) return 'full';
      targets.push(target);
      dialSoon(target);
      return 'added';
    },
    remove: async (wanted) => {
      const at = targets.findIndex(({ isManual, id, address }) => isManual && (id === wanted || address === wanted));
      if (at < 0) return 'not-added';
      targets.splice(at, 1);
      return 'removed';
    },
    tryOnce: async (address) => {
      const target = targetOf(address);
      if (target === undefined) return 'invalid';
      return dialNow(target) ? 'connected' : 'failed';
    },
    setActive: async (isActive) => setActive(isActive),
  };
}

function targetOf(address: string): Target | undefined {
  const [, id] = /^\/memory\/0\/p2p\/(memory\w+)$/.exec(address) ?? [];
  return id === undefined ? undefined : { id, address, isManual: true, isSeed: false, failures: 0 };
}

function idIn(text: string): PeerIdText | undefined {
  return /^memory\w+$/.test(text) ? text : undefined;
}

function addedOf({ id, address }: Target, ends: ReadonlyMap<PeerIdText, End>): AddedPeer {
  const info = ends.get(id)?.info;
  return { id, addresses: [address], connected: info && { address: info.address, direction: info.direction } };
}

function detailsOf({ info, bytesIn, bytesOut, isConfirmed, exchanges }: End, reputation: Reputation): PeerDetails {
  return {
    ...info,
    bytesIn,
    bytesOut,
    penaltyPoints: reputation.points(info.id),
    gossipScore: 0,
    phase: isConfirmed ? 'confirmed' : 'announced',
    netgroup: undefined,
    protocols: [],
    bytesByProtocol: {},
    lastSentAt: undefined,
    lastReceivedAt: undefined,
    minLatencyMs: info.latencyMs,
    localEndpoint: undefined,
    pingWaitMs: undefined,
    lastBlockAt: undefined,
    lastTxAt: undefined,
    streams: exchanges.size,
    meshTopics: [],
  };
}
