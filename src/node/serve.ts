/** Answers to what peers ask, one handler a stream protocol. Blocks go out as stored bytes, never decoded. */
import type { ChainReader } from '#chain';
import type { MempoolEntry } from '#mempool';
import type { NodeStreamName, PeerIdText, ResponseFrame, ResponseStatus } from '#net';
import { Block, type BlockHash, DecodeError, type Txid, type Wtxid } from '#primitives';
import { type Decoded, type Hello, MAX_MEMPOOL_FRAME_ENTRIES, streams } from '#protocol';
import type { CompactForms } from './compact-forms.ts';
import type { TxAnnouncer } from './tx-announcer.ts';
import type { UploadTarget } from './upload-target.ts';

/** Core's MAX_HEADERS_RESULTS. */
const MAX_HEADERS = 2000;
/** Core's HISTORICAL_BLOCK_AGE, measured from the best header. */
const HISTORICAL_SECONDS = 7 * 24 * 3600;
/** Core's: transactions of a block are given only if it is no deeper below the tip. */
const MAX_BLOCKTXN_DEPTH = 10;
/** Core's: as for compact blocks. */
const MAX_CMPCTBLOCK_DEPTH = 5;

export type ServeDeps = {
  readonly chain: ChainReader;
  readonly mempool: {
    readonly get: (id: Txid | Wtxid) => Pick<MempoolEntry, 'raw'> | undefined;
    readonly entries: () => Iterable<Pick<MempoolEntry, 'wtxid' | 'fee' | 'vsize'>>;
  };
  readonly announcer: Pick<TxAnnouncer, 'isWaiting'>;
  /** Looks at a peer's hello and gives ours; undefined when the peer is refused. */
  readonly hello: (peer: PeerIdText, theirs: Hello) => Hello | undefined;
  /** A block that is not stored yet: if it was just rebuilt, or once it is. */
  readonly rebuilt: (hash: BlockHash) => Promise<Block | undefined>;
  readonly forms: Pick<CompactForms, 'of' | 'built'>;
  readonly upload: Pick<UploadTarget, 'servesHistoricalBlocks' | 'serving'>;
  /** The operator asked for this peer: it gets old blocks whatever was uploaded. */
  readonly isManual: (peer: PeerIdText) => boolean;
  /** Nothing of our transactions goes to this peer. */
  readonly isBlockOnly: (peer: PeerIdText) => boolean;
  /** The peer sent bytes that do not decode. */
  readonly undecodable: (peer: PeerIdText, detail: string) => void;
};

/** What a stream's request decodes to. */
type Request<Name extends NodeStreamName> = Decoded<(typeof streams)[Name]['request']>;

type Handlers = {
  readonly [Name in NodeStreamName]: (
    request: Request<Name>,
    peer: PeerIdText,
  ) => AsyncIterable<ResponseFrame> | Iterable<ResponseFrame>;
};

export type Serve = (
  name: NodeStreamName,
  peer: PeerIdText,
  request: Uint8Array,
  signal: AbortSignal,
) => AsyncIterable<ResponseFrame>;

export function createServe(deps: ServeDeps): Serve {
  const storedBlock = lastStoredBlock(deps.chain);
  const handlers: Handlers = {
    hello: (request, peer) => {
      const ours = deps.hello(peer, request);
      return [ours === undefined ? status(1) : ok(streams.hello.response.encode(ours))];
    },
    headers: (request) => {
      const { locator, stopHash } = request;
      const headers =
        locator.length > 0
          ? deps.chain.headersAfter(locator, stopHash, MAX_HEADERS)
          : singleHeader(deps.chain, stopHash);
      return [ok(streams.headers.response.encode(headers))];
    },
    blocks: (hashes, peer) => serveBlocks(deps, hashes, peer),
    compact: (hash) => serveCompact(deps, storedBlock, hash),
    blocktxn: (request) => serveBlockTxs(deps, storedBlock, request),
    txs: (refs, peer) => (deps.isBlockOnly(peer) ? [status(3)] : serveTxs(deps, refs)),
    mempool: (request, peer) => (deps.isBlockOnly(peer) ? [] : serveMempool(deps, request)),
  };
  return async function* serve(name, peer, request, signal) {
    const answer = decodeAndHandle(handlers, name, request, peer, deps.undecodable);
    for await (const frame of answer) {
      if (signal.aborted) return;
      deps.upload.serving(frame.payload.length);
      yield frame;
    }
  };
}

/** Generic in the name, so that each handler gets the request type of its own row. */
function decodeAndHandle<Name extends NodeStreamName>(
  handlers: Handlers,
  name: Name,
  bytes: Uint8Array,
  peer: PeerIdText,
  undecodable: ServeDeps['undecodable'],
): AsyncIterable<ResponseFrame> | Iterable<ResponseFrame> {
  let request: Request<Name>;
  try {
    request = streams[name].request.decode(bytes) as Request<Name>;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    undecodable(peer, `${name}: ${error.message}`);
    return [status(1)];
  }
  return handlers[name](request, peer);
}

function singleHeader(chain: ChainReader, hash: BlockHash | undefined) {
  const entry = hash === undefined ? undefined : chain.getHeader(hash);
  return entry === undefined ? [] : [entry.header];
}

async function* serveBlocks(
  { chain, upload, isManual }: ServeDeps,
  hashes: readonly BlockHash[],
  peer: PeerIdText,
): AsyncIterable<ResponseFrame> {
  for (const hash of hashes) {
    if (!upload.servesHistoricalBlocks && isHistorical(chain, hash) && !isManual(peer)) {
      yield status(4);
      return;
    }
    const raw = chain.isInvalid(hash) ? undefined : await chain.readBlock(hash);
    // Read from the disk for this answer alone.
    yield raw === undefined ? status(3) : { ...ok(raw), isExclusive: true };
  }
}

function isHistorical(chain: ChainReader, hash: BlockHash): boolean {
  const entry = chain.getHeader(hash);
  return entry !== undefined && chain.bestHeader().header.time - entry.header.time > HISTORICAL_SECONDS;
}

/** Waits for a form that we are asking for ourselves: we passed the header on before we had it. */
async function* serveCompact(
  { chain, forms }: ServeDeps,
  storedBlock: (hash: BlockHash) => Promise<Block | undefined>,
  hash: BlockHash,
): AsyncIterable<ResponseFrame> {
  if (!isRecent(chain, hash, MAX_CMPCTBLOCK_DEPTH)) {
    yield status(3);
    return;
  }
  let form = await forms.of(hash);
  if (form === undefined) {
    const block = await storedBlock(hash);
    form = block === undefined ? undefined : forms.built(block);
  }
  yield form === undefined || chain.isInvalid(hash) ? status(3) : ok(form);
}

function isRecent(chain: ChainReader, hash: BlockHash, maxDepth: number): boolean {
  const entry = chain.getHeader(hash);
  return entry !== undefined && entry.height >= chain.tip().height - maxDepth;
}

/**
 * Waits for a block that is being rebuilt: we passed its announcement on before we had it, and whoever asks us may have
 * nobody else to ask. A place behind the block's end is no offence, unlike in Core: the announcement that it was taken
 * from may be another peer's.
 */
async function* serveBlockTxs(
  { chain, rebuilt }: ServeDeps,
  storedBlock: (hash: BlockHash) => Promise<Block | undefined>,
  { hash, indexes }: Request<'blocktxn'>,
): AsyncIterable<ResponseFrame> {
  if (!isRecent(chain, hash, MAX_BLOCKTXN_DEPTH)) {
    yield status(3);
    return;
  }
  const block = (await rebuilt(hash)) ?? (await storedBlock(hash));
  if (block === undefined || chain.isInvalid(hash)) {
    yield status(3);
    return;
  }
  const txs = indexes.map((index) => block.transactions[index]).filter((tx) => tx !== undefined);
  yield txs.length === indexes.length ? ok(streams.blocktxn.response.encode(txs)) : status(1);
}

/** Reads and decodes blocks; keeps the last one, for who announced a block is asked by several peers at once. */
function lastStoredBlock(chain: ChainReader): (hash: BlockHash) => Promise<Block | undefined> {
  const read = async (hash: BlockHash): Promise<Block | undefined> => {
    const raw = await chain.readBlock(hash);
    return raw === undefined ? undefined : Block.fromBytes(raw);
  };
  let last: { readonly hash: BlockHash; readonly block: Promise<Block | undefined> } | undefined;
  return (hash) => {
    // Not there yet: it may be the next time.
    if (!chain.hasBlock(hash)) return Promise.resolve(undefined);
    if (last?.hash === hash) return last.block;
    const block = read(hash);
    last = { hash, block };
    // A failed look at the disk is not remembered. Who asked hears of it by the promise itself.
    block.catch(() => {
      if (last?.block === block) last = undefined;
    });
    return block;
  };
}

/**
 * What we have announced, so that nobody can probe the mempool for more (as Core). Ends early rather than above the row's
 * bound: the rest can be asked for again.
 */
function* serveTxs({ mempool, announcer }: ServeDeps, refs: Request<'txs'>): Iterable<ResponseFrame> {
  let room = streams.txs.maxResponseBytes;
  for (const { id } of refs) {
    const raw = announcer.isWaiting(id) ? undefined : mempool.get(id)?.raw;
    room -= raw?.length ?? 0;
    if (room < 0) return;
    yield raw === undefined ? status(3) : ok(raw);
  }
}

/** What was announced, as entries; those of a page at a time, since the iterator must not be held over a wait. */
function serveMempool({ mempool, announcer }: ServeDeps, request: Request<'mempool'>): Iterable<ResponseFrame> {
  const { minFeeSatPerKvb, skip } = request;
  const page: Decoded<typeof streams.mempool.response>[number][] = [];
  const maxEntries = streams.mempool.maxFrames(EMPTY) * MAX_MEMPOOL_FRAME_ENTRIES;
  let listed = 0;
  for (const { wtxid, fee, vsize } of mempool.entries()) {
    if (fee * 1000n < minFeeSatPerKvb * BigInt(vsize) || announcer.isWaiting(wtxid)) continue;
    listed += 1;
    if (listed > skip) page.push({ wtxid, vsize, fee });
    if (page.length === maxEntries) break;
  }
  const frames: ResponseFrame[] = [];
  for (let from = 0; from < page.length; from += MAX_MEMPOOL_FRAME_ENTRIES) {
    frames.push(ok(streams.mempool.response.encode(page.slice(from, from + MAX_MEMPOOL_FRAME_ENTRIES))));
  }
  return frames;
}

const EMPTY = new Uint8Array(0);
const ok = (payload: Uint8Array): ResponseFrame => ({ status: 0, payload });
const status = (code: ResponseStatus): ResponseFrame => ({ status: code, payload: EMPTY });
