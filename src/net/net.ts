/**
 * The network in this thread: builds the parts, joins them, and takes them down in reverse. Who decides what:
 * `gater` who may connect, `peers` who is one, `slots` whom we call and who gets a place, `reputation` who must go.
 */
import { join } from 'node:path';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { type OffenceName, protocolId } from '#protocol';
import type { Clock, Logger, Random, TimerHandle } from '#util';
import { AddressExchange } from './addrman/address-exchange.ts';
import { openAsmap } from './addrman/asmap.ts';
import { AddressManager } from './addrman/manager.ts';
import { createNetGroups, type NetGroups } from './addrman/net-groups.ts';
import { BY_RELAYS } from './by-relays.ts';
import { Discovery } from './discovery.ts';
import { createGater, type Gater } from './gater.ts';
import { Gossip, topicIds } from './gossip.ts';
import { gossipSettings } from './gossip-settings.ts';
import { GossipWatchdog } from './gossip-watchdog.ts';
import { createHost, type Host, type HostParts, startHost, stopHost } from './host.ts';
import { loadPeerKey } from './identity.ts';
import { type JsonFile, openJsonFile } from './json-file.ts';
import { groupsByText, makeSlots, type Slots } from './make-slots.ts';
import { LocalPeers } from './mdns.ts';
import { type CompleteNetOptions, completeOptions, type NetOptions } from './options.ts';
import { Peers } from './peers.ts';
import type { Net, NetHandlers, PeerIdText } from './port.ts';
import { type ConnectionProtector, loadPsk } from './psk.ts';
import { Reputation } from './reputation.ts';
import { createRequester } from './requests.ts';
import { runsOverRelays, streamLimits, streamNames } from './rows.ts';
import { createServer, type ServeDeps, type Server } from './serving.ts';
import type { ConnectionFacts } from './slots/port.ts';
import { createWire, type WireDeps } from './wire.ts';

export type NetDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

/** A foreign or silent node is not dialled again for this long. */
const USELESS_COOLDOWN_MS = 600_000;
/** The addresses are written this long after one proved good, unless they were a moment ago. */
const SAVE_SOON_MS = 500;

/** What is there before the parts, and what they are made from. */
type Base = NetDeps & {
  readonly options: CompleteNetOptions;
  readonly handlers: NetHandlers;
  readonly key: PrivateKey;
  readonly protector: ConnectionProtector | undefined;
  readonly local: LocalPeers;
  readonly relays: Set<PeerIdText>;
  readonly self: PeerIdText;
  readonly reputation: Reputation;
  readonly groups: NetGroups;
  readonly groupOf: (address: string) => string | undefined;
  readonly anchorsFile: JsonFile;
  readonly addresses: AddressManager;
  readonly manual: ReadonlySet<PeerIdText>;
  readonly seeds: ReadonlySet<PeerIdText>;
};

type Charge = (peer: PeerIdText, offence: OffenceName, detail: string) => void;

type Parts = {
  readonly host: Host;
  readonly peers: Peers;
  readonly server: Server;
  readonly gossip: Gossip;
  readonly watchdog: GossipWatchdog;
  readonly slots: Slots;
  /** Ends every dial. */
  readonly dialling: AbortController;
  readonly discovery: Discovery;
  readonly exchange: AddressExchange;
  readonly request: Net['request'];
  readonly charge: Charge;
};

/** Starts the network. It listens and dials when the promise resolves. Throws NodeError. */
export async function createNet(options: NetOptions, handlers: NetHandlers, deps: NetDeps): Promise<Net> {
  const base = await openBase(completeOptions(options), handlers, deps);
  const parts = await assemble(base);
  await listen(base, parts);
  parts.gossip.start();
  parts.watchdog.start();
  parts.discovery.start();
  parts.slots.outbound.start();
  return netOf(base, parts);
}

async function openBase(options: CompleteNetOptions, handlers: NetHandlers, deps: NetDeps): Promise<Base> {
  const { clock, random } = deps;
  const log = deps.log.child('net');
  const { dataDir, reach, tuning } = options;
  const file = (name: string) => openJsonFile(dataDir === undefined ? undefined : join(dataDir, name), log);
  const key = await loadPeerKey(dataDir, log);
  const groups = createNetGroups(options.asmapFile === undefined ? undefined : await openAsmap(options.asmapFile));
  return {
    clock,
    random,
    log,
    options,
    handlers,
    key,
    protector: reach.pskFile === undefined ? undefined : await loadPsk(reach.pskFile, log),
    local: new LocalPeers(),
    relays: new Set(),
    self: peerIdFromPrivateKey(key).toString(),
    reputation: await Reputation.open(clock, log, file('bans.json'), tuning),
    groups,
    groupOf: groupsByText(groups),
    anchorsFile: file('anchors.json'),
    addresses: await AddressManager.open({ clock, random, file: file('peers.json'), groups }, options),
    manual: idsOf(options.connect),
    seeds: idsOf([...options.bootstrap, ...options.seeds]),
  };
}

async function assemble(base: Base): Promise<Parts> {
  const { clock, log, options, handlers } = base;
  const { network, tuning } = options;
  const gater = makeGater(
    base,
    () => peers,
    () => slots,
  );
  const host = await makeHost(base, gater, {
    isProbe: (connection) => peers.isProbe(connection),
    charge: (...offence) => charge(...offence),
  });
  const { pubsub, identify, dht } = host.services;
  const peers = makePeers(
    base,
    gater,
    () => watchdog,
    () => slots,
  );
  const charge = makeCharge(base, peers);
  const dialling = new AbortController();
  const slots = await joinSlots(base, gater, host, peers, dialling.signal);
  const gossip = new Gossip({
    network,
    pubsub,
    clock,
    log,
    deliver: handlers.gossip,
    deliverCopy: handlers.gossipCopy,
    isAnnounced: (peer) => peers.isAnnounced(peer),
    isBlockOnly: (peer) => peers.kindOf(peer) === 'block-only',
    charge,
  });
  const watchdog = new GossipWatchdog({ pubsub, identify, clock, log, peers, charge }, tuning.watchdogMs);
  const whenAnnounced: Peers['whenAnnounced'] = (connection) => peers.whenAnnounced(connection);
  const connectionOf: Peers['connectionOf'] = (peer) => peers.connectionOf(peer);
  const request = createRequester({ network, clock, connectionOf, charge });
  const isShort = (): boolean => slots.outbound.isShort();
  const onFound = (): void => slots.outbound.poke();
  const exchange = new AddressExchange({ ...base, connectionOf, request, charge, onFound });
  const serve: ServeDeps['serve'] = (name, from, bytes, signal) => {
    if (name !== 'peers') return handlers.serve(name, from, bytes, signal);
    return peers.kindOf(from) === 'block-only' ? nothing() : exchange.serve(from, bytes);
  };
  const server = createServer({ clock, log, serve, whenAnnounced, charge });
  const parts = { ...base, libp2p: host, dht, network, isShort, onFound };
  const discovery = new Discovery(parts, tuning);
  base.local.onFound((peer) => discovery.foundLocally(peer));
  return { host, peers, server, gossip, watchdog, slots, dialling, discovery, exchange, request, charge };
}

function makeGater(base: Base, peers: () => Peers, slots: () => Slots): Gater {
  const { clock, reputation, self, options, manual, local } = base;
  return createGater({
    clock,
    reputation,
    self,
    allowPrivateAddresses: options.allowPrivateAddresses,
    isManual: (peer) => manual.has(peer),
    isWanted: (peer) => slots().outbound.diallingFor(peer) !== undefined,
    isRelayed: (peer) => peers().isRelayed(peer),
    whenAnnounced: (peer) => peers().whenAnnounced({ remotePeer: peer }),
    isLocalPeer: (address) => local.has(address),
    hasInboundSlot: () => slots().inbound.hasRoom(),
    hasQuerySlot: () => slots().outbound.hasQuerySlot(),
    connectionsOfPeer: (peer) => peers().connectionsOfPeer(peer),
    connectionsOfHost: (host) => peers().connectionsOfHost(host),
  });
}

function makeHost(base: Base, gater: Gater, judges: Pick<HostParts, 'isProbe' | 'charge'>): Promise<Host> {
  const { options, reputation } = base;
  const gossip = gossipSettings({
    topics: topicIds(options.network),
    reputationOf: (peer) => -reputation.points(peer),
    exemptIps: options.allowPrivateAddresses ? ['127.0.0.1', '::1'] : [],
  });
  return createHost(options, { ...base, ...judges, gater: gater.hooks, gossip });
}

function makePeers(base: Base, gater: Gater, watchdog: () => GossipWatchdog, slots: () => Slots): Peers {
  const { clock, log, self, handlers, manual, seeds, addresses, options, groupOf } = base;
  const ours = new Set(streamNames.map((name) => protocolId(options.network, name)));
  return new Peers(
    {
      clock,
      log,
      self,
      handlers,
      isOurs: (protocols) => protocols.some((protocol) => ours.has(protocol)),
      isManual: (peer) => manual.has(peer),
      isSeed: (peer) => seeds.has(peer),
      kindOf: (peer) => slots().outbound.diallingFor(peer) ?? (manual.has(peer) ? 'manual' : 'query'),
      admitInbound: () => slots().inbound.admit(),
      groupOf,
      onGone: (facts) => slots().outbound.disconnected(facts),
      socketOf: gater.socketOf,
      onDropped: (peer, why) => {
        // A seed may be all that we know: it is called again soon.
        const isUseless = why !== 'other' && !seeds.has(peer);
        gater.coolDown(peer, isUseless ? USELESS_COOLDOWN_MS : options.tuning.cooldownMs);
        if (why === 'foreign') addresses.forget(peer);
      },
      onCollapsed: (kept) => watchdog().rebindSoon(kept),
    },
    options.tuning,
  );
}

function makeCharge(base: Base, peers: Peers): Charge {
  const { log, reputation, manual, addresses } = base;
  return (peer, offence, detail) => {
    const judgement = reputation.charge(peer, peers.ipOf(peer), offence, manual.has(peer));
    log.debug('offence', { peer, offence, judgement, detail: detail.slice(0, 200) });
    if (judgement === 'ban') addresses.forget(peer);
    if (judgement !== 'noted') peers.drop(peer, `${judgement} for ${offence}`);
  };
}

function joinSlots(base: Base, gater: Gater, host: Host, peers: Peers, signal: AbortSignal): Promise<Slots> {
  const { clock, log, options, reputation } = base;
  const { dialTimeoutMs } = options.tuning;
  const dial: WireDeps['dial'] = (addresses, dialSignal) => host.dial(addresses, { signal: dialSignal });
  const wire = createWire({ clock, log, peers, dial, dialTimeoutMs, signal });
  const isUnwelcome = (peer: PeerIdText): boolean => reputation.isPeerBanned(peer) || gater.isCoolingDown(peer);
  return makeSlots({ ...base, wire, isUnwelcome }, options);
}

/** Registers everything that identify tells of, then starts listening: the last step that can fail. */
async function listen(base: Base, { host, peers, server, discovery, exchange }: Parts): Promise<void> {
  host.addEventListener('connection:open', (event) => peers.opened(event.detail));
  host.addEventListener('connection:close', (event) => peers.closed(event.detail));
  host.addEventListener('peer:identify', ({ detail }) => {
    peers.identified(detail);
    if (!peers.isAnnounced(detail.peerId.toString())) return;
    discovery.identified(detail);
    void keepRecord(host, exchange, detail.peerId);
  });
  for (const name of streamNames) {
    const { maxInboundStreams, maxOutboundStreams } = streamLimits(name);
    const limits = {
      maxInboundStreams,
      maxOutboundStreams: 4 * maxOutboundStreams,
      runOnLimitedConnection: runsOverRelays(name),
    };
    const { network } = base.options;
    await host.handle(protocolId(network, name), (stream, connection) => server.once(name, stream, connection), limits);
    await host.handle(
      protocolId(network, name, 'kept'),
      (stream, connection) => server.repeatedly(name, stream, connection),
      limits,
    );
  }
  await startHost(host, base.options.listen);
}

function netOf(base: Base, parts: Parts): Net {
  const { clock, log, self, options, addresses, reputation } = base;
  const { host, peers, gossip, charge, server } = parts;
  let saving: TimerHandle | undefined;
  return {
    peerId: self,
    status: async () => ({
      peerId: self,
      listenAddresses: listenAddresses(host, options),
      reachability: host.services.reachability.state(),
      peers: peers.list().map((info) => ({
        ...info,
        penaltyPoints: reputation.points(info.id),
        gossipScore: gossip.scoreOf(info.id),
      })),
      knownAddresses: addresses.size.tried + addresses.size.fresh,
      addressSources: addresses.quality(),
      ...peers.totals(),
      gossip: gossip.counts(),
    }),
    request: parts.request,
    publish: (topic, data) => gossip.publish(topic, data),
    charge,
    disconnect: (peer, reason) => peers.drop(peer, reason),
    confirmPeer: (peer, relaysTransactions) => {
      const facts = peers.confirm(peer, relaysTransactions);
      if (facts === undefined) return;
      noteOrigin(base, facts);
      const connection = peers.connectionOf(peer);
      const tellsAddresses = facts.kind === 'full-relay' || facts.kind === 'manual';
      if (tellsAddresses && connection !== undefined) void parts.exchange.ask(connection);
      parts.slots.outbound.confirmed(facts);
      saving?.cancel();
      saving = clock.after(SAVE_SOON_MS, () => void addresses.saveIfDue());
    },
    noteUseful: (peer, what) => peers.noteUseful(peer, what),
    noteChain: (news) => parts.slots.outbound.chainLooked(news),
    [Symbol.asyncDispose]: async () => {
      await parts.slots.outbound.stop();
      parts.dialling.abort();
      parts.discovery.stop();
      parts.exchange.stop();
      parts.watchdog.stop();
      gossip.stop();
      server.stop();
      saving?.cancel();
      await stopHost(host, log);
      peers.stop();
      await Promise.all([addresses.save(), reputation.close()]);
    },
  };
}

/** What a block-only peer is told of addresses. */
async function* nothing(): AsyncGenerator<never> {}

/** Identify has put the signed record of the peer, if it gave one, into libp2p's store. */
async function keepRecord(host: Host, exchange: AddressExchange, peer: PeerId): Promise<void> {
  const stored = await host.peerStore.get(peer).catch(() => undefined);
  if (stored?.peerRecordEnvelope !== undefined) await exchange.met(peer.toString(), stored.peerRecordEnvelope);
}

/** It answered a call of ours. What the operator told us of, nobody had told the address manager. */
function noteOrigin({ addresses, manual, seeds }: Base, { id, address, kind: connection }: ConnectionFacts): void {
  const kind = manual.has(id) ? 'manual' : seeds.has(id) ? 'seed' : undefined;
  if (kind === undefined || connection === 'inbound') return;
  addresses.add(id, [multiaddr(address)], { kind, group: `${kind}:${id}` });
}

/** The peers that addresses lead to, and the relays on the way: those are as much the operator's choice. */
function idsOf(addresses: readonly string[]): Set<PeerIdText> {
  const parts = addresses.flatMap((text) => multiaddr(text).getComponents());
  return new Set(parts.flatMap(({ name, value }) => (name === 'p2p' && value !== undefined ? [value] : [])));
}

function listenAddresses(host: Host, options: CompleteNetOptions): string[] {
  const announced = host.getMultiaddrs().map((address) => address.toString());
  // Behind a router nothing we listen on is public: better to show what was configured than nothing.
  if (announced.length > 0) return announced;
  const configured = options.listen.filter((text) => text !== BY_RELAYS);
  return configured.map((text) => `${text}/p2p/${host.peerId.toString()}`);
}
