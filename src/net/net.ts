/**
 * The network in this thread: builds the parts, joins them, and takes them down in reverse. Who decides what:
 * `gater` who may connect, `peers` who is one, `dialler` whom we call, `reputation` who must go.
 */
import { join } from 'node:path';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { type OffenceName, protocolId } from '#protocol';
import type { Clock, Logger, Random } from '#util';
import { AddressBook } from './address-book.ts';
import { peerIdOf } from './addresses.ts';
import { Dialler } from './dialler.ts';
import { Discovery } from './discovery.ts';
import { createGater } from './gater.ts';
import { Gossip, topicIds } from './gossip.ts';
import { gossipSettings } from './gossip-settings.ts';
import { GossipWatchdog } from './gossip-watchdog.ts';
import { createHost, type Host, startHost, stopHost } from './host.ts';
import { loadPeerKey } from './identity.ts';
import { openJsonFile } from './json-file.ts';
import { type CompleteNetOptions, completeOptions, type NetOptions } from './options.ts';
import { Peers } from './peers.ts';
import type { Net, NetHandlers, NetStatus, PeerIdText } from './port.ts';
import { Reputation } from './reputation.ts';
import { createRequester } from './requests.ts';
import { streamLimits, streamNames } from './rows.ts';
import { createServer } from './serving.ts';

export type NetDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

/** A foreign or silent node is not dialled again for this long. */
const USELESS_COOLDOWN_MS = 600_000;
/** The address book is written this long after a peer proved good. */
const SAVE_SOON_MS = 500;

/** Starts the network. It listens and dials when the promise resolves. Throws NodeError. */
export async function createNet(given: NetOptions, handlers: NetHandlers, deps: NetDeps): Promise<Net> {
  const options = completeOptions(given);
  const log = deps.log.child('net');
  const { clock, random } = deps;
  const { tuning } = options;
  const manual = idsOf(options.connect);
  const seeds = idsOf([...options.bootstrap, ...options.seeds]);
  const isManual = (peer: PeerIdText): boolean => manual.has(peer);

  const key = await loadPeerKey(options.dataDir, log);
  const self = peerIdFromPrivateKey(key).toString();
  const file = (name: string) => openJsonFile(options.dataDir && join(options.dataDir, name), log);
  const reputation = await Reputation.open(clock, log, file('bans.json'), tuning);
  const book = await AddressBook.open(clock, random, file('peers.json'), { ...options, ...tuning });

  const gater = createGater({
    clock,
    reputation,
    self,
    allowPrivateAddresses: options.allowPrivateAddresses,
    isManual,
    isWanted: (peer) => dialler.isWanted(peer),
    hasInboundSlot: () => peers.count() < options.maxPeers && peers.count('inbound') < inboundSlots(options),
    hasOutboundSlot: () => dialler.hasOutboundSlot(),
    connectionsOfPeer: (peer) => peers.connectionsOfPeer(peer),
    connectionsOfHost: (host) => peers.connectionsOfHost(host),
  });
  const topics = topicIds(options.network);
  const host = await createHost(options, {
    key,
    gater: gater.hooks,
    gossip: gossipSettings({
      topics,
      reputationOf: (peer) => -reputation.points(peer),
      exemptIps: options.allowPrivateAddresses ? ['127.0.0.1', '::1'] : [],
    }),
    clock,
    log,
  });

  const ourProtocols = new Set(streamNames.map((name) => protocolId(options.network, name)));
  const peers = new Peers(
    {
      clock,
      log,
      self,
      handlers,
      isOurs: (protocols) => protocols.some((protocol) => ourProtocols.has(protocol)),
      isManual,
      isSeed: (peer) => seeds.has(peer),
      socketOf: gater.socketOf,
      onDropped: (peer, why) => {
        gater.coolDown(peer, why === 'other' ? tuning.cooldownMs : USELESS_COOLDOWN_MS);
        if (why !== 'other') book.failed(peer);
      },
      onCollapsed: (kept) => watchdog.rebindSoon(kept),
    },
    tuning,
  );
  const charge = (peer: PeerIdText, offence: OffenceName, detail: string): void => {
    const judgement = reputation.charge(peer, peers.ipOf(peer), offence, isManual(peer));
    log.debug('offence', { peer, offence, judgement, detail: detail.slice(0, 200) });
    if (judgement === 'ban') book.forget(peer);
    if (judgement !== 'noted') peers.drop(peer, `${judgement} for ${offence}`);
  };
  const server = createServer({
    clock,
    log,
    serve: handlers.serve,
    whenAnnounced: (connection) => peers.whenAnnounced(connection),
    charge,
  });
  const { pubsub, identify, dht } = host.services;
  const gossip = new Gossip({
    network: options.network,
    pubsub,
    clock,
    log,
    deliver: handlers.gossip,
    isAnnounced: (peer) => peers.isAnnounced(peer),
    charge,
  });
  const watchdog = new GossipWatchdog({ pubsub, identify, clock, log, peers, charge }, tuning.watchdogMs);
  const dialler = new Dialler(
    {
      clock,
      log,
      peers,
      book,
      self,
      dial: (addresses, signal) => host.dial(addresses, { signal }),
      isUnwelcome: (peer) => reputation.isPeerBanned(peer) || gater.isCoolingDown(peer),
    },
    {
      manual: options.connect.map((text) => multiaddr(text)),
      seeds: [...options.bootstrap, ...options.seeds].map((text) => multiaddr(text)),
      maxPeers: options.maxPeers,
      targetOutbound: options.targetOutbound,
      tuning,
    },
  );
  const discovery = new Discovery(
    { libp2p: host, dht, clock, random, log, book, isShort: () => dialler.isShort(), onFound: () => dialler.poke() },
    tuning,
  );

  host.addEventListener('connection:open', (event) => peers.opened(event.detail));
  host.addEventListener('connection:close', (event) => {
    peers.closed(event.detail);
    dialler.poke();
  });
  host.addEventListener('peer:identify', (event) => peers.identified(event.detail));
  for (const name of streamNames) {
    const { maxInboundStreams, maxOutboundStreams } = streamLimits(name);
    await host.handle(
      protocolId(options.network, name),
      (stream, connection) => server.handle(name, stream, connection),
      { maxInboundStreams, maxOutboundStreams: 4 * maxOutboundStreams },
    );
  }
  await startHost(host, options.listen);
  gossip.start();
  watchdog.start();
  discovery.start();
  dialler.start();

  let saving: ReturnType<Clock['after']> | undefined;
  const saveSoon = (): void => {
    saving?.cancel();
    saving = clock.after(SAVE_SOON_MS, () => void book.save());
  };

  return {
    peerId: self,
    status: async (): Promise<NetStatus> => ({
      peerId: self,
      listenAddresses: listenAddresses(host, options),
      peers: peers.list(),
      knownAddresses: book.size,
      ...peers.totals(),
    }),
    request: createRequester({
      network: options.network,
      clock,
      connectionOf: (peer) => peers.connectionOf(peer),
      charge,
    }),
    publish: (topic, data) => gossip.publish(topic, data),
    charge,
    disconnect: (peer, reason) => peers.drop(peer, reason),
    confirmPeer: (peer) => {
      if (!peers.confirm(peer)) return;
      const connection = peers.connectionOf(peer);
      book.succeeded(peer, connection?.direction === 'outbound' ? connection.remoteAddr : undefined);
      saveSoon();
    },
    [Symbol.asyncDispose]: async () => {
      dialler.stop();
      discovery.stop();
      watchdog.stop();
      gossip.stop();
      server.stop();
      saving?.cancel();
      await stopHost(host, log);
      peers.stop();
      await Promise.all([book.save(), reputation.close()]);
    },
  };
}

/** Inbound peers have what the outbound target leaves, and half of all at least: otherwise small nodes could not meet. */
function inboundSlots(options: CompleteNetOptions): number {
  return options.maxPeers - Math.min(options.targetOutbound, Math.floor(options.maxPeers / 2));
}

function idsOf(addresses: readonly string[]): Set<PeerIdText> {
  return new Set(addresses.map((text) => peerIdOf(multiaddr(text))).filter((id) => id !== undefined));
}

function listenAddresses(host: Host, options: CompleteNetOptions): string[] {
  const announced = host.getMultiaddrs().map((address) => address.toString());
  // Behind a router nothing we listen on is public: better to show what was configured than nothing.
  return announced.length > 0 ? announced : options.listen.map((text) => `${text}/p2p/${host.peerId.toString()}`);
}
