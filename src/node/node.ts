/** The node: everything that exists, in the order in which it comes to be. Disposal is the reverse order. */
import { join } from 'node:path';
import { type Chain, type ChainChange, type HeaderEntry, networkDirectory } from '#chain';
import { checkSelection } from '#indexes';
import { checkMempoolOptions, createMempool, type Mempool } from '#mempool';
import { createNet, createWorkerNet, type MeteredNet, type Net, type NetHandlers } from '#net';
import { networkId } from '#protocol';
import { createSync, type Sync } from '#sync';
import { errorText, VERSION } from '#util';
import { createCachedVerifier } from '#verify';
import { BlockAnnouncer } from './block-announcer.ts';
import { BlockOrigins } from './block-origins.ts';
import { ChainQuality } from './chain-quality.ts';
import { CompactForms } from './compact-forms.ts';
import { createEvents, type NodeEvents, waysToListen } from './events.ts';
import { feeFilter } from './fee-filter.ts';
import { BlockDelay, figuresOf } from './figures.ts';
import { HedgePace } from './hedge-pace.ts';
import { createIngest, type Ingest } from './ingest.ts';
import { initialDownload } from './initial-download.ts';
import { judgeBlock } from './judge.ts';
import { createLateNet, type LateNet, type NetCalls } from './late-net.ts';
import { createLocal } from './local.ts';
import { MempoolSync } from './mempool-sync.ts';
import { createMining } from './mining.ts';
import { openData } from './open-data.ts';
import { createNodePeers } from './operator.ts';
import { Peers } from './peers.ts';
import { Persistence } from './persistence.ts';
import type { NodeDeps, NodeOptions, NodeStatus, StarlingNode } from './port.ts';
import { Rebroadcast } from './rebroadcast.ts';
import { createRequests, type Requests } from './requests.ts';
import { countRunningTime } from './running-time.ts';
import { createServe } from './serve.ts';
import { TxAnnouncer } from './tx-announcer.ts';
import { UploadTarget } from './upload-target.ts';
import { createUsefulNotes, type NoteUseful } from './useful-peers.ts';

/** Blocks behind the best header at which the first sync counts as done. */
const NEARLY_SYNCED_BLOCKS = 2;
/** Half of what Core takes for an outbound link; here it delays all links, and each node on the way has its own. */
const DEFAULT_TRICKLE_MS = 1_000;
/** Core's. */
const MAX_BLOCKS_TO_ANNOUNCE = 8;
/** BIP14 form. */
const USER_AGENT = `/Starling:${VERSION}/`;

/** What the parts made so far are, while the others are being made. */
type Parts = {
  readonly deps: NodeDeps;
  readonly chain: Chain;
  readonly mempool: Mempool;
  readonly net: NetCalls;
  readonly requests: Requests;
  readonly sync: Sync;
  readonly announcer: TxAnnouncer;
  readonly forms: CompactForms;
  readonly blocks: BlockAnnouncer;
  readonly origins: BlockOrigins;
  readonly noteUseful: NoteUseful;
  readonly events: NodeEvents;
  /** Latched: true from the first time that sync reached the tip (Core's IsInitialBlockDownload, reversed). */
  readonly isSynced: () => boolean;
  readonly blockDelay: BlockDelay;
  readonly signal: AbortSignal;
};

/** Opens the data directory, connects what it holds, and listens. Throws NodeError. */
export async function createNode(options: NodeOptions, deps: NodeDeps): Promise<StarlingNode> {
  const { clock, random, log } = deps;
  checkOptions(options);
  const stopping = new AbortController();
  await using stack = new AsyncDisposableStack();

  const verifier = stack.use(createCachedVerifier(options.scriptThreads, options.scriptCacheEntries));
  const { chain, indexes } = stack.use(await openData(options, deps, verifier, (error) => fatal(deps, error)));
  const mempool = stack.use(createMempool({ chain, verifier, clock, log: log.child('mempool') }, options.mempool));
  const persistence = stack.use(await openPersistence(options, deps, mempool));
  const lateNet = createLateNet();
  const net = lateNet.calls;
  const requests = createRequests(net);
  const noteUseful = createUsefulNotes(net, clock);
  const sync = stack.use(makeSync(deps, chain, net, requests, noteUseful));
  const announcer = new TxAnnouncer(clock, random, options.trickleMs ?? DEFAULT_TRICKLE_MS);
  const forms = new CompactForms({ random, prefills: options.prefillsBlocks ?? true });
  const blocks = new BlockAnnouncer({ mempool, announcer, forms, publish: net.publish, random });
  const parts: Parts = {
    deps,
    chain,
    mempool,
    net,
    requests,
    sync,
    announcer,
    forms,
    blocks,
    origins: new BlockOrigins(),
    noteUseful,
    events: createEvents(mempool),
    isSynced: latchSynced(sync, chain),
    blockDelay: new BlockDelay(),
    signal: stopping.signal,
  };
  const peers = stack.adopt(makePeers(parts), (each) => each.close());
  const ingest = stack.adopt(makeIngest(parts, peers), (each) => each.close());
  if (options.syncsMempool ?? true) stack.use(startMempoolSync(parts, peers, ingest));
  stack.use(new Rebroadcast({ mempool, publish: net.publish, clock, random, log: log.child('rebroadcast') }));
  const quality = stack.adopt(makeChainQuality(parts, peers), (each) => each.close());
  const upload = stack.use(new UploadTarget(options.maxUploadBytes ?? 0, clock));
  stack.adopt(observeChain(parts, peers, ingest, quality), (stopObserving) => stopObserving());
  const serve = makeServe(parts, peers, ingest, upload);
  const handlers = { ...peerHandlers(parts, lateNet, peers, ingest, quality), ...gossipHandlers(ingest), serve };
  const realNet = stack.use(await startNet(options, deps, handlers));
  lateNet.start(realNet);
  upload.follow(async () => (await realNet.status()).bytesOut);
  stack.defer(() => stopping.abort(new Error('the node is stopping')));
  void persistence.start();
  const miners = stack.use(new AsyncDisposableStack());
  const { events } = parts;
  const mining = createMining({ chain, mempool, clock, random });

  const resources = stack.move();
  return {
    ...createLocal({
      ...parts,
      ...deps,
      template: mining.template,
      ingest,
      log: log.child('local'),
      onTip: events.tip.add,
      miners,
      mayMine: mayMine(options, sync),
    }),
    chain,
    mempool,
    mempoolFile: persistence.operator,
    mining,
    peers: createNodePeers(realNet, peers, sync, options.reach?.proxy),
    indexes,
    status: () => statusOf(parts, realNet, ingest, upload),
    figures: () => figuresOf({ ...parts, chain, net: realNet, verifier, ingest }),
    onSync: sync.onStatus,
    isInitialDownload: initialDownload(chain, clock),
    ...waysToListen(events),
    blockOrigin: (hash) => parts.origins.of(hash),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Throws NodeError. */
function checkOptions({ mempool, params, indexes, pruneBytes = 0 }: NodeOptions): void {
  checkMempoolOptions(mempool ?? {}, params);
  checkSelection(indexes ?? {}, pruneBytes > 0);
}

async function statusOf(parts: Parts, net: Net, ingest: Ingest, upload: UploadTarget): Promise<NodeStatus> {
  const { chain, sync, mempool, blockDelay } = parts;
  const { count, vsize, refusedBusy } = mempool.stats();
  return {
    network: chain.params.name,
    tip: chain.tip(),
    sync: sync.status(),
    net: await net.status(),
    mempool: { count, bytes: vsize, refusedBusy },
    txRelay: ingest.txs.stats(),
    upload: upload.status,
    lastBlockDelayMs: blockDelay.lastMs,
    announcedBlocks: ingest.rebuildStats(),
  };
}

/** Who knows of nobody to wait for is the first node of its network. */
function mayMine({ params, bootstrap, connect }: NodeOptions, sync: Sync): () => boolean {
  const isAlone = params.seeds.length + bootstrap.length + connect.length === 0;
  return () => {
    const { phase, peers } = sync.status();
    return phase === 'at-tip' || (isAlone && peers === 0);
  };
}

function openPersistence(options: NodeOptions, deps: NodeDeps, mempool: Mempool): Promise<Persistence> {
  const { params, datadir, persistMempool: keepsMempool = true } = options;
  const log = deps.log.child('mempool');
  return Persistence.open({ ...deps, mempool, directory: networkDirectory(datadir, params), keepsMempool, log });
}

function makeSync(deps: NodeDeps, chain: Chain, net: NetCalls, requests: Requests, noteUseful: NoteUseful): Sync {
  const { clock, random, log } = deps;
  return createSync({
    chain,
    requestHeaders: requests.headers,
    requestBlocks: requests.blocks,
    charge: net.charge,
    judge: (peer, what, failure) => {
      const { offence } = judgeBlock(failure, what);
      if (offence !== undefined) net.charge(peer, offence, failure.code);
    },
    disconnect: net.disconnect,
    onNews: (peer) => noteUseful(peer, 'block'),
    fatal: (error) => fatal(deps, error),
    clock,
    random,
    log: log.child('sync'),
  });
}

function latchSynced(sync: Sync, chain: Chain): () => boolean {
  let isSynced = false;
  return () => {
    if (!isSynced) {
      const { phase, height, headerHeight } = sync.status();
      const isBelieved = chain.tip().chainWork >= chain.params.minimumChainWork;
      // With short block intervals there is always one on its way.
      const isNearTip = phase === 'at-tip' || (phase === 'blocks' && headerHeight - height <= NEARLY_SYNCED_BLOCKS);
      isSynced = isBelieved && isNearTip;
    }
    return isSynced;
  };
}

function makePeers({ deps, chain, mempool, net, requests, sync, isSynced }: Parts): Peers {
  const { clock, random, log } = deps;
  return new Peers({
    chain,
    net,
    requests,
    sync,
    clock,
    log: log.child('peers'),
    nonce: Buffer.from(random.bytes(8)).readBigUInt64LE(),
    userAgent: USER_AGENT,
    wantsTransactions: isSynced,
    feeFilterSatPerKvb: () => feeFilter({ ...mempool, isSynced, random }),
  });
}

function makeChainQuality({ deps, chain, net, sync, isSynced }: Parts, peers: Peers): ChainQuality {
  return new ChainQuality({
    chain,
    peers: () => peers.ready(),
    knownHeader: sync.knownHeader,
    ask: (peer) => peers.ask(peer),
    net,
    isSynced,
    isDownloading: () => sync.status().phase === 'blocks',
    clock: deps.clock,
  });
}

function makeIngest(parts: Parts, peers: Peers): Ingest {
  const { deps, net, requests, blockDelay, events, noteUseful, origins } = parts;
  const { clock, random } = deps;
  const log = deps.log.child('ingest');
  return createIngest({
    ...parts,
    charge: net.charge,
    publish: net.publish,
    fill: {
      requestCompact: requests.compact,
      requestBlockTxs: requests.blockTxs,
      peers: (hash) => peers.ready().map((peer) => ({ ...peer, hasBlock: peer.tipHash === hash })),
      pace: new HedgePace(),
      clock: countRunningTime(clock),
      random,
    },
    clock,
    random,
    log,
    onNews: (peer) => noteUseful(peer, 'block'),
    onTold: (peer, hash) => events.blockNews.tell(hash, peer),
    onOrigin: (hash, origin) => origins.note(hash, origin),
    onTaken: (peer) => noteUseful(peer, 'tx'),
    onBlockDelay: (ms) => blockDelay.add(ms),
    onFailure: (error) => log.error('a block could not be stored', { error: errorText(error) }),
  });
}

function makeServe(parts: Parts, peers: Peers, { rebuilt }: Ingest, upload: UploadTarget): NetHandlers['serve'] {
  return createServe({
    ...parts,
    hello: (peer, theirs) => peers.received(peer, theirs),
    rebuilt,
    upload,
    isManual: (peer) => peers.isManual(peer),
    isBlockOnly: (peer) => peers.isBlockOnly(peer),
    undecodable: (peer, detail) => parts.net.charge(peer, 'undecodable-message', detail),
  });
}

function gossipHandlers({ message, copy }: Ingest): Pick<NetHandlers, 'gossip' | 'gossipCopy'> {
  return { gossip: message, gossipCopy: copy };
}

/** A peer is known to ingest from before its first message until after its last request. */
function peerHandlers(
  { events }: Parts,
  { whenStarted }: LateNet,
  peers: Peers,
  ingest: Ingest,
  quality: ChainQuality,
): Pick<NetHandlers, 'peerConnected' | 'peerDisconnected'> {
  return {
    peerConnected: (info) =>
      whenStarted(() => {
        ingest.peerConnected(info);
        peers.connected(info);
        events.peer.tell({ kind: 'joined', peer: info });
      }),
    peerDisconnected: (id, reason) =>
      whenStarted(() => {
        peers.disconnected(id, reason);
        ingest.peerDisconnected(id);
        quality.peerGone(id);
        events.peer.tell({ kind: 'left', id, reason });
      }),
  };
}

function startMempoolSync(parts: Parts, peers: Peers, ingest: Ingest): Disposable {
  const { deps, mempool, sync } = parts;
  const { clock, random, log } = deps;
  const stack = new DisposableStack();
  const mempoolSync = stack.use(
    new MempoolSync({
      ...parts,
      peers: () => peers.ready(),
      ingest: ingest.txs,
      count: () => mempool.stats().count,
      minFeeSatPerKvb: mempool.minFeeSatPerKvb,
      clock,
      random,
      log: log.child('mempool-sync'),
    }),
  );
  stack.defer(sync.onStatus(() => mempoolSync.poke()));
  return stack;
}

/** The order in which the rest of the node hears of a new tip. */
function observeChain(parts: Parts, peers: Peers, ingest: Ingest, quality: ChainQuality): () => void {
  const { deps, chain, events, mempool } = parts;
  const changed = async (change: ChainChange): Promise<void> => {
    const { height, hash } = change.tip;
    deps.log.debug('new tip', { height, hash });
    events.chainChanging.tell(change);
    await mempool.chainChanged(change);
    ingest.chainChanged(change);
    quality.tipMoved();
    if (!ingest.wasAnnounced(hash)) {
      peers.tipMoved();
      announceTip(parts, ingest, change.tip);
    }
    events.chainChanged.tell(change);
    events.tip.tell(change.tip);
  };
  // Peers must not go on asking for what was removed.
  return chain.observe({ changed, pruned: () => peers.tipMoved() });
}

/** Not on a long way to a better one: during a sync each block is a new tip. Whoever hides a block stops nothing. */
function announceTip({ deps, chain, blocks, isSynced }: Parts, ingest: Ingest, tip: HeaderEntry): void {
  const { hash, header, height } = tip;
  if (!isSynced() || chain.bestHeader().height > height + MAX_BLOCKS_TO_ANNOUNCE) return;
  ingest.markAnnounced(hash);
  blocks.tip(header).catch((error) => deps.log.debug('tip not announced', { hash, error: errorText(error) }));
}

function startNet(options: NodeOptions, deps: NodeDeps, handlers: NetHandlers): Promise<MeteredNet> {
  const { params, datadir, listen, reach, bootstrap, connect, maxPeers, targetOutbound, asmapFile } = options;
  const { clock, random, log } = deps;
  const create = options.netThread === 'worker' ? createWorkerNet : createNet;
  return create(
    {
      network: networkId(params.genesis.hash),
      dataDir: join(networkDirectory(datadir, params), 'libp2p'),
      listen,
      bootstrap,
      seeds: params.seeds,
      connect,
      maxPeers,
      targetOutbound,
      reach: reach ?? {},
      asmapFile,
      userAgent: USER_AGENT,
      onFatal: (error) => fatal(deps, error),
    },
    handlers,
    { clock, random, log: log.child('net') },
  );
}

function fatal(deps: NodeDeps, error: unknown): void {
  deps.log.error('the node cannot go on', { error: errorText(error) });
  deps.onFatal?.(error);
}
