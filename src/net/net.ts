/**
 * The network in this thread: starts the parts that `assemble` joined, and takes them down in reverse. Who decides what:
 * `gater` who may connect, `peers` who is one, `slots` whom we call and who gets a place, `reputation` who must go.
 */
import type { PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { protocolId } from '#protocol';
import type { TimerHandle } from '#util';
import type { AddressExchange } from './addrman/address-exchange.ts';
import { assemble, type Parts } from './assemble.ts';
import { type Base, type NetDeps, openBase } from './base.ts';
import { BY_RELAYS } from './by-relays.ts';
import type { MeteredNet, NetFigures } from './figures.ts';
import { type Host, startHost, stopHost } from './host.ts';
import { createOperatorPeers } from './operator-peers.ts';
import { type CompleteNetOptions, completeOptions, type NetOptions } from './options.ts';
import type { NetHandlers, NetStatus } from './port.ts';
import { runsOverRelays, streamLimits, streamNames } from './rows.ts';
import type { ConnectionFacts } from './slots/port.ts';

/** The addresses are written this long after one proved good, unless they were a moment ago. */
const SAVE_SOON_MS = 500;

/** Starts the network. It listens and dials when the promise resolves. Throws NodeError. */
export async function createNet(options: NetOptions, handlers: NetHandlers, deps: NetDeps): Promise<MeteredNet> {
  const base = await openBase(completeOptions(options), handlers, deps);
  const parts = await assemble(base);
  await listen(base, parts);
  parts.gossip.start();
  parts.watchdog.start();
  parts.discovery.start();
  parts.slots.outbound.start();
  return netOf(base, parts);
}

/** Registers everything that identify tells of, then starts listening: the last step that can fail. */
async function listen(base: Base, { host, peers, server, discovery, exchange }: Parts): Promise<void> {
  host.addEventListener('connection:open', (event) => peers.opened(event.detail));
  host.addEventListener('connection:close', (event) => peers.closed(event.detail));
  host.addEventListener('peer:identify', ({ detail }) => {
    peers.identified(detail);
    if (!peers.table.isAnnounced(detail.peerId.toString())) return;
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

function netOf(base: Base, parts: Parts): MeteredNet {
  const { clock, log, self, addresses, reputation } = base;
  const { host, peers, gossip, charge, server } = parts;
  let saving: TimerHandle | undefined;
  return {
    peerId: self,
    status: async () => statusOf(base, parts),
    figures: async () => figuresOf(base, parts),
    peers: createOperatorPeers(base, parts),
    request: parts.request,
    publish: (topic, data) => gossip.publish(topic, data),
    charge,
    disconnect: (peer, reason) => peers.drop(peer, reason),
    confirmPeer: (peer, relaysTransactions) => {
      const facts = peers.confirm(peer, relaysTransactions);
      if (facts === undefined) return;
      noteOrigin(base, facts);
      const connection = peers.table.connectionOf(peer);
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

function statusOf({ self, options, addresses, reputation }: Base, { host, peers, gossip }: Parts): NetStatus {
  return {
    peerId: self,
    listenAddresses: listenAddresses(host, options),
    reachability: host.services.reachability.state(),
    peers: peers.table.list().map((info) => ({
      ...info,
      penaltyPoints: reputation.points(info.id),
      gossipScore: gossip.scoreOf(info.id),
    })),
    knownAddresses: addresses.size.tried + addresses.size.fresh,
    addressSources: addresses.quality(),
    ...peers.table.totals(),
    gossip: gossip.counts(),
    isActive: peers.isActive,
    standing: reputation.standing(),
  };
}

function figuresOf({ addresses }: Base, { gossip, server, slots, meter }: Parts): NetFigures {
  const { tried, fresh } = addresses.size;
  return {
    ...meter.figures(),
    gossip: gossip.figures(),
    serving: server.figures(),
    addresses: { tried, new: fresh },
    places: slots.places,
    thread: undefined,
  };
}

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

function listenAddresses(host: Host, options: CompleteNetOptions): string[] {
  const announced = host.getMultiaddrs().map((address) => address.toString());
  // Behind a router nothing we listen on is public: better to show what was configured than nothing.
  if (announced.length > 0) return announced;
  const configured = options.listen.filter((text) => text !== BY_RELAYS);
  return configured.map((text) => `${text}/p2p/${host.peerId.toString()}`);
}
