/** The node: everything that exists, in the order in which it comes to be. Disposal is the reverse order. */
import { join } from 'node:path';
import { type ChainChange, type HeaderEntry, networkDirectory, openChain } from '#chain';
import { createMempool } from '#mempool';
import { createNet, createWorkerNet, type Net } from '#net';
import { networkId } from '#protocol';
import { createSync } from '#sync';
import { errorText } from '#util';
import { createInlineVerifier } from '#verify';
import { createIngest } from './ingest.ts';
import { judgeBlock } from './judge.ts';
import { createLocal } from './local.ts';
import { Peers } from './peers.ts';
import type { NodeDeps, NodeOptions, StarlingNode } from './port.ts';
import { createRequests } from './requests.ts';
import { createServe } from './serve.ts';
import { USER_AGENT } from './version.ts';

/** Opens the data directory, connects what it holds, and listens. Throws NodeError. */
export async function createNode(options: NodeOptions, deps: NodeDeps): Promise<StarlingNode> {
  const { clock, random, log } = deps;
  const { params } = options;
  const stopping = new AbortController();
  const fatal = (error: unknown): void => {
    log.error('the node cannot go on', { error: errorText(error) });
    deps.onFatal?.(error);
  };
  await using stack = new AsyncDisposableStack();

  const verifier = stack.use(await createInlineVerifier());
  const chain = stack.use(await openChain({ ...options, verifier, clock, random, log: log.child('chain') }));
  const mempool = stack.use(createMempool({ chain, verifier, clock, log: log.child('mempool') }));

  // Net and sync call each other: what sync needs of the net is looked up when it is used.
  const started = Promise.withResolvers<Net>();
  let net: Net | undefined;
  const theNet = (): Net => {
    if (net === undefined) throw new Error('the network has not started');
    return net;
  };
  const requests = createRequests({
    request: (...args) => theNet().request(...args),
    charge: (...args) => theNet().charge(...args),
  });
  const charge: Net['charge'] = (...args) => theNet().charge(...args);
  const sync = stack.use(
    createSync({
      chain,
      requestHeaders: requests.headers,
      requestBlocks: requests.blocks,
      charge,
      judge: (peer, what, failure) => {
        const { offence } = judgeBlock(failure, what);
        if (offence !== undefined) charge(peer, offence, failure.code);
      },
      disconnect: (peer, reason) => theNet().disconnect(peer, reason),
      fatal,
      clock,
      random,
      log: log.child('sync'),
    }),
  );
  let isSynced = false;
  const checkSynced = (): boolean => {
    isSynced ||= sync.status().phase === 'at-tip';
    return isSynced;
  };
  const peers = stack.adopt(
    new Peers({
      chain,
      net: theNet,
      requests,
      sync,
      clock,
      log: log.child('peers'),
      nonce: Buffer.from(random.bytes(8)).readBigUInt64LE(),
      userAgent: USER_AGENT,
      wantsTransactions: checkSynced,
    }),
    (each) => each.close(),
  );
  let lastBlockDelayMs: number | undefined;
  const ingest = createIngest({
    chain,
    mempool,
    sync,
    charge,
    requests,
    isSynced: checkSynced,
    clock,
    log: log.child('ingest'),
    onBlockDelay: (ms) => {
      lastBlockDelayMs = ms;
    },
    onFailure: (error) => log.error('a block could not be stored', { error: errorText(error) }),
    signal: stopping.signal,
  });
  const serve = createServe({
    chain,
    mempool,
    hello: (peer, theirs) => peers.received(peer, theirs),
    undecodable: (peer, detail) => charge(peer, 'undecodable-message', detail),
  });

  const tipListeners = new Set<(tip: HeaderEntry) => void>();
  const changed = async (change: ChainChange): Promise<void> => {
    await mempool.chainChanged(change);
    if (!change.connected.some(({ entry }) => ingest.wasAnnounced(entry.hash))) peers.tipMoved();
    for (const listener of tipListeners) listener(change.tip);
  };
  stack.adopt(chain.observe({ changed }), (stopObserving) => stopObserving());

  const create = options.netThread === 'worker' ? createWorkerNet : createNet;
  const running = stack.use(
    await create(
      {
        network: networkId(params.genesis.hash),
        dataDir: join(networkDirectory(options.datadir, params), 'libp2p'),
        listen: options.listen,
        bootstrap: options.bootstrap,
        seeds: params.seeds,
        connect: options.connect,
        maxPeers: options.maxPeers,
        targetOutbound: options.targetOutbound,
        userAgent: USER_AGENT,
        onFatal: fatal,
      },
      {
        peerConnected: (info) => void started.promise.then(() => peers.connected(info)),
        peerDisconnected: (id) => void started.promise.then(() => peers.disconnected(id)),
        serve,
        gossip: ingest.message,
      },
      { clock, random, log: log.child('net') },
    ),
  );
  net = running;
  started.resolve(running);
  stack.defer(() => stopping.abort(new Error('the node is stopping')));

  const local = createLocal({ chain, mempool, net: running, ingest, clock, random });
  const resources = stack.move();
  return {
    ...local,
    chain,
    status: async () => {
      const { count, vsize } = mempool.stats();
      return {
        network: params.name,
        tip: chain.tip(),
        sync: sync.status(),
        net: await theNet().status(),
        mempool: { count, bytes: vsize },
        lastBlockDelayMs,
      };
    },
    onTip: (listener) => {
      tipListeners.add(listener);
      return () => tipListeners.delete(listener);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
