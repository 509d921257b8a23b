/** Builds the parts and joins them: the one place that knows who hears of what. Nothing runs yet. */
import { protocolId } from '#protocol';
import { AddressExchange } from './addrman/address-exchange.ts';
import type { Base } from './base.ts';
import { Discovery } from './discovery.ts';
import { createGater, type Gater } from './gater.ts';
import { Gossip, topicIds } from './gossip.ts';
import { gossipSettings } from './gossip-settings.ts';
import { GossipWatchdog } from './gossip-watchdog.ts';
import { createHost, type Host, type HostParts } from './host.ts';
import { makeSlots, type Slots } from './make-slots.ts';
import { NetMeter } from './net-meter.ts';
import type { PeerTable } from './peer-table.ts';
import { Peers } from './peers.ts';
import type { Net, PeerIdText } from './port.ts';
import { createRequester } from './requests.ts';
import { streamNames } from './rows.ts';
import type { Charge } from './service-meter.ts';
import { createServer, type ServeDeps, type Server } from './serving.ts';
import { createStreamMeter } from './stream-meter.ts';
import { createWire, type WireDeps } from './wire.ts';

/** A foreign or silent node is not dialled again for this long. */
const USELESS_COOLDOWN_MS = 600_000;

export type Parts = {
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
  readonly meter: NetMeter;
  readonly charge: Charge;
};

export async function assemble(base: Base): Promise<Parts> {
  const { clock, log, options, handlers } = base;
  const { network, tuning } = options;
  const meter = new NetMeter(network, clock);
  const gater = makeGater(
    base,
    () => peers,
    () => slots,
  );
  const host = await makeHost(base, gater, {
    isProbe: (connection) => peers.table.isProbe(connection),
    charge: (...offence) => charge(...offence),
    metrics: createStreamMeter({
      clock,
      trafficOf: (stream) => peers.table.trafficOf(stream),
      countsOf: (protocol) => meter.protocol(protocol),
    }),
  });
  const { pubsub, identify, dht } = host.services;
  const peers = makePeers(
    base,
    gater,
    () => watchdog,
    () => slots,
  );
  const charge = makeCharge(base, peers, meter);
  const dialling = new AbortController();
  const slots = await joinSlots(base, gater, host, { peers, meter, signal: dialling.signal });
  const gossip = new Gossip({
    network,
    pubsub,
    clock,
    log,
    deliver: handlers.gossip,
    deliverCopy: handlers.gossipCopy,
    isAnnounced: (peer) => peers.table.isAnnounced(peer),
    isBlockOnly: (peer) => peers.table.kindOf(peer) === 'block-only',
    charge,
    meter: meter.gossip,
  });
  const watchdog = new GossipWatchdog({ pubsub, identify, clock, log, peers, charge }, tuning.watchdogMs);
  const whenAnnounced: PeerTable['whenAnnounced'] = (connection) => peers.table.whenAnnounced(connection);
  const connectionOf: PeerTable['connectionOf'] = (peer) => peers.table.connectionOf(peer);
  const request = createRequester({ network, clock, connectionOf, charge, meter: meter.asked });
  const isShort = (): boolean => slots.outbound.isShort();
  const onFound = (): void => slots.outbound.poke();
  const exchange = new AddressExchange({ ...base, connectionOf, request, charge, onFound });
  const serve: ServeDeps['serve'] = (name, from, bytes, signal) => {
    if (name !== 'peers') return handlers.serve(name, from, bytes, signal);
    return peers.table.kindOf(from) === 'block-only' ? nothing() : exchange.serve(from, bytes);
  };
  const server = createServer({ clock, log, serve, whenAnnounced, charge, meter: meter.served });
  const parts = { ...base, libp2p: host, dht, network, isShort, onFound };
  const discovery = new Discovery(parts, tuning);
  base.local.onFound((peer) => discovery.foundLocally(peer));
  return { host, peers, server, gossip, watchdog, slots, dialling, discovery, exchange, request, charge, meter };
}

function makeGater(base: Base, peers: () => Peers, slots: () => Slots): Gater {
  const { clock, reputation, self, options, manual, local } = base;
  return createGater({
    clock,
    reputation,
    self,
    allowPrivateAddresses: options.allowPrivateAddresses,
    isActive: () => peers().isActive,
    isManual: (peer) => manual.has(peer) || slots().outbound.diallingFor(peer) === 'manual',
    isWanted: (peer) => slots().outbound.diallingFor(peer) !== undefined,
    isRelayed: (peer) => peers().table.isRelayed(peer),
    whenAnnounced: (peer) => peers().table.whenAnnounced({ remotePeer: peer }),
    isTrustedAddress: (address) => local.has(address) || manual.isGiven(address),
    hasInboundSlot: () => slots().inbound.hasRoom(),
    hasQuerySlot: () => slots().outbound.hasQuerySlot(),
    connectionsOfPeer: (peer) => peers().table.connectionsOfPeer(peer),
    connectionsOfHost: (host) => peers().table.connectionsOfHost(host),
    sparesLocalHosts: options.tuning.sparesLocalHosts,
  });
}

function makeHost(base: Base, gater: Gater, late: Pick<HostParts, 'isProbe' | 'charge' | 'metrics'>): Promise<Host> {
  const { options, reputation } = base;
  const gossip = gossipSettings({
    topics: topicIds(options.network),
    reputationOf: (peer) => -reputation.points(peer),
    exemptIps: options.allowPrivateAddresses ? ['127.0.0.1', '::1'] : [],
  });
  return createHost(options, { ...base, ...late, gater: gater.hooks, gossip });
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
        if (why === 'inactive') return;
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

function makeCharge(base: Base, peers: Peers, meter: NetMeter): Charge {
  const { log, reputation, manual, addresses } = base;
  return (peer, offence, detail) => {
    const isManual = manual.has(peer) || peers.table.kindOf(peer) === 'manual';
    meter.offences.add(offence);
    const judgement = reputation.charge(peer, peers.table.ipOf(peer), offence, isManual);
    log.debug('offence', { peer, offence, judgement, detail: detail.slice(0, 200) });
    if (judgement === 'ban') addresses.forget(peer);
    if (judgement !== 'noted') peers.drop(peer, `${judgement} for ${offence}`);
  };
}

type WireParts = Pick<WireDeps, 'peers' | 'meter' | 'signal'>;

function joinSlots(base: Base, gater: Gater, host: Host, parts: WireParts): Promise<Slots> {
  const { clock, log, options, reputation } = base;
  const { dialTimeoutMs } = options.tuning;
  const dial: WireDeps['dial'] = (addresses, dialSignal) => host.dial(addresses, { signal: dialSignal });
  const wire = createWire({ ...parts, clock, log, dial, dialTimeoutMs });
  const isUnwelcome = (peer: PeerIdText): boolean => reputation.isPeerBanned(peer) || gater.isCoolingDown(peer);
  return makeSlots({ ...base, wire, isUnwelcome, isActive: () => parts.peers.isActive }, options);
}

/** What a block-only peer is told of addresses. */
async function* nothing(): AsyncGenerator<never> {}
