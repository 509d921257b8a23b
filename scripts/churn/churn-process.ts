/** Some nodes of `churn.ts`, in this process: networks alone, which take every peer for one with a good hello. */
import process from 'node:process';
import { createNet, type Net } from '#net';
import { nullLogger, systemClock, systemRandom } from '#util';
import type { FromChurnProcess, NodeReport, ToChurnProcess } from './messages.ts';

/** First bytes of regtest's genesis hash. */
const NETWORK = '0f9188f1';
const MAX_PEERS = 60;

type Member = { readonly net: Net; readonly startedMs: number; readonly seeds: ReadonlySet<string> };

const members: Member[] = [];
/** Ends when the process does. */
const others: Net[] = [];

async function start(seeds: readonly string[], targetOutbound: number): Promise<Net> {
  const started = Promise.withResolvers<Net>();
  const net = await createNet(
    {
      network: NETWORK,
      dataDir: undefined,
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: seeds,
      seeds: [],
      connect: [],
      maxPeers: MAX_PEERS,
      targetOutbound,
      userAgent: 'churn',
      allowPrivateAddresses: true,
    },
    {
      peerConnected: ({ id }) => void started.promise.then((ready) => ready.confirmPeer(id, true)),
      peerDisconnected: () => {},
      serve: async function* () {},
      gossip: async () => 'ignore',
    },
    { clock: systemClock, random: systemRandom, log: nullLogger },
  );
  started.resolve(net);
  return net;
}

async function join(seeds: readonly string[], outbound: number): Promise<Net> {
  const net = await start(seeds, outbound);
  const ids = new Set(seeds.map((address) => address.split('/').at(-1) ?? ''));
  members.push({ net, startedMs: performance.now(), seeds: ids });
  return net;
}

async function reportOf({ net, startedMs, seeds }: Member): Promise<NodeReport> {
  const { peers } = await net.status();
  const fullRelay = peers.filter(({ id, kind }) => kind === 'full-relay' && !seeds.has(id)).length;
  return { id: net.peerId, ageMs: performance.now() - startedMs, fullRelay, peers: peers.map(({ id }) => id) };
}

async function answer(message: ToChurnProcess): Promise<FromChurnProcess> {
  if (message.kind === 'report') return { addresses: [], reports: await Promise.all(members.map(reportOf)) };
  if (message.kind === 'replace') {
    const [gone] = members.splice(systemRandom.below(members.length), 1);
    await gone?.net[Symbol.asyncDispose]();
    await join(message.seeds, message.outbound);
    return { addresses: [], reports: [] };
  }
  const addresses: string[] = [];
  for (let count = 0; count < message.count; count += 1) {
    const { seeds, outbound } = message;
    const net = await (message.isMember ? join(seeds, outbound) : start(seeds, outbound));
    if (!message.isMember) others.push(net);
    addresses.push(...(await net.status()).listenAddresses);
  }
  return { addresses, reports: [] };
}

process.on('message', (message: ToChurnProcess) => void answer(message).then((reply) => process.send?.(reply)));
process.on('disconnect', () => process.exit());
