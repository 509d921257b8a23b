/** The settings of the network module. Defaults are merged once, here; everything below takes the complete object. */
import { isMultiaddr, type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { NodeError } from '#util';
import { hasPublicAddress, isRelayedAddress, isTcpAddress, isUnspecified } from './addresses.ts';
import { BY_RELAYS } from './by-relays.ts';
import { completeReach, type ReachOptions } from './reach-options.ts';

/** Time limits and sizes that tests lower and operators leave alone. Plain numbers: they cross into the worker. */
export type NetTuning = {
  /** From the opening of a connection until the peer must have said which protocols it speaks. */
  readonly identifyTimeoutMs: number;
  /** From `peerConnected` until `confirmPeer`. */
  readonly confirmTimeoutMs: number;
  /** Between two looks at the gossip streams of all peers. */
  readonly watchdogMs: number;
  /** libp2p's own liveness ping. The timeout is long, because a peer's busy event loop is no dead peer. */
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** How long an incoming connection may take for its handshakes. */
  readonly inboundUpgradeTimeoutMs: number;
  /** How long a stream that a peer opens may take to say its protocol. */
  readonly streamNegotiationTimeoutMs: number;
  /** Between two rounds of the outbound slots while there are too few peers, and otherwise. */
  readonly dialBusyMs: number;
  readonly dialIdleMs: number;
  readonly dialTimeoutMs: number;
  /** First and last waiting time before a failed address is dialled again. */
  readonly backoffFirstMs: number;
  readonly backoffLastMs: number;
  /** How long a peer that we dropped is not dialled again. */
  readonly cooldownMs: number;
  /** Between two walks through the DHT while there are too few outbound peers. */
  readonly walkBusyMs: number;
  readonly walkIdleMs: number;
  /** Between two looks at whether others can reach us. */
  readonly reachLookMs: number;
  /** How long an address of ours may take to be verified before relays are asked. */
  readonly relayPatienceMs: number;
  /** Half-life of a peer's penalty points. */
  readonly penaltyHalfLifeMs: number;
  readonly banMs: number;
  /** Hosts with loopback and private addresses are under no limit and are not banned; off, they are as all others. */
  readonly sparesLocalHosts: boolean;
};

export type NetOptions = {
  /** 8 hex digits: the first bytes of the genesis hash. In every protocol id. */
  readonly network: string;
  /** Where key, addresses and bans are kept; undefined keeps nothing. */
  readonly dataDir: string | undefined;
  /** Multiaddrs; port 0 takes a free one; empty listens nowhere. */
  readonly listen: readonly string[];
  /** Nodes to find others by, with /p2p/ id. */
  readonly bootstrap: readonly string[];
  /** The network's own seeds, with /p2p/ id. */
  readonly seeds: readonly string[];
  /** Peers to stay connected with, with /p2p/ id: never banned, always redialled. */
  readonly connect: readonly string[];
  /** Peers in all, both directions. */
  readonly maxPeers: number;
  /** Outbound peers for blocks and transactions that we hold. */
  readonly targetOutbound: number;
  /** Outbound peers for blocks alone: by default 2 beside 8 of the others, and none beside fewer. */
  readonly targetBlockOnly?: number;
  readonly userAgent: string;
  /**
   * Keep, dial and announce loopback and private addresses. By default only when we listen on such addresses alone
   * or were told of a peer on one: a public node must not probe its own LAN because the DHT says so.
   */
  readonly allowPrivateAddresses?: boolean;
  /** A file in Bitcoin Core's asmap format: autonomous systems are the netgroups then, instead of IPv4 /16 and IPv6 /32. */
  readonly asmapFile?: string | undefined;
  readonly reach?: Partial<ReachOptions>;
  readonly tuning?: Partial<NetTuning>;
  /** The network thread died and this Net is of no more use. The in-process version never calls it. */
  readonly onFatal?: (error: Error) => void;
};

export type CompleteNetOptions = Omit<Required<NetOptions>, 'tuning' | 'reach' | 'onFatal'> & {
  readonly reach: ReachOptions;
  readonly tuning: NetTuning;
};

export const DEFAULT_TUNING: NetTuning = {
  identifyTimeoutMs: 10_000,
  confirmTimeoutMs: 10_000,
  watchdogMs: 10_000,
  pingIntervalMs: 30_000,
  pingTimeoutMs: 20_000,
  inboundUpgradeTimeoutMs: 3_000,
  streamNegotiationTimeoutMs: 5_000,
  dialBusyMs: 500,
  dialIdleMs: 5_000,
  dialTimeoutMs: 5_000,
  backoffFirstMs: 2_000,
  backoffLastMs: 600_000,
  cooldownMs: 60_000,
  walkBusyMs: 3_000,
  walkIdleMs: 300_000,
  reachLookMs: 5_000,
  relayPatienceMs: 60_000,
  penaltyHalfLifeMs: 600_000,
  banMs: 24 * 3_600_000,
  sparesLocalHosts: true,
};

/** Checks and completes the settings. Throws NodeError BAD_CONFIG with one line that names the culprit. */
export function completeOptions(options: NetOptions): CompleteNetOptions {
  if (!/^[0-9a-f]{8}$/.test(options.network)) {
    throw new NodeError('BAD_CONFIG', `not a network id of 8 hex digits: ${JSON.stringify(options.network)}`);
  }
  const reach = completeReach(options.reach);
  const listen = options.listen.filter((text) => text !== BY_RELAYS).map((text) => parse(text));
  for (const text of reach.announce) parse(text);
  const peers = [...options.bootstrap, ...options.seeds, ...options.connect].map((text) => parsePeerAddress(text));
  // Listening on every interface is listening in public; being told of a local peer means a local network.
  const isLocalNetwork =
    (listen.length > 0 && listen.every((address) => !hasPublicAddress(address) && !isUnspecified(address))) ||
    peers.some((address) => !hasPublicAddress(address));
  return {
    network: options.network,
    dataDir: options.dataDir,
    listen: options.listen,
    bootstrap: options.bootstrap,
    seeds: options.seeds,
    connect: options.connect,
    maxPeers: atLeast('maxPeers', options.maxPeers, 1),
    targetOutbound: atLeast('targetOutbound', options.targetOutbound, 0),
    targetBlockOnly: atLeast('targetBlockOnly', options.targetBlockOnly ?? (options.targetOutbound < 8 ? 0 : 2), 0),
    userAgent: options.userAgent,
    allowPrivateAddresses: options.allowPrivateAddresses ?? isLocalNetwork,
    asmapFile: options.asmapFile,
    reach,
    tuning: { ...DEFAULT_TUNING, ...options.tuning },
  };
}

/** A multiaddr of a node: ip or dns, tcp, and /p2p/ id. Throws NodeError BAD_CONFIG. */
function parsePeerAddress(text: string): Multiaddr {
  const address = parse(text, isRelayedAddress);
  if (address.getComponents().at(-1)?.name !== 'p2p') {
    throw new NodeError('BAD_CONFIG', `peer address ${JSON.stringify(text.slice(0, 200))} lacks its /p2p/<peer id>`);
  }
  return address;
}

/** `isFineToo` widens what is taken. */
function parse(text: string, isFineToo: (address: Multiaddr) => boolean = () => false): Multiaddr {
  try {
    const address = multiaddr(text);
    if (isMultiaddr(address) && (isTcpAddress(address) || isFineToo(address))) return address;
  } catch {
    // Reported below, in our own words.
  }
  throw new NodeError(
    'BAD_CONFIG',
    `not a multiaddr that this node can use: ${JSON.stringify(text.slice(0, 200))} (example: /ip4/127.0.0.1/tcp/8333)`,
  );
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new NodeError('BAD_CONFIG', `${name} must be a whole number of at least ${least}, not ${value}`);
}
