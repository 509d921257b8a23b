/** What sync and the mempool ask of peers: typed requests over the plain-data network port. */
import type { Net, PeerIdText, ResponseFrame } from '#net';
import { type BlockHash, type BlockHeader, DecodeError, type Transaction } from '#primitives';
import { type Decoded, type Hello, streams } from '#protocol';
import type { TxRef } from '#relay';
import { NodeError } from '#util';

type CompactBlock = Decoded<typeof streams.compact.response>;

export type Requests = {
  readonly hello: (peer: PeerIdText, ours: Hello, signal: AbortSignal) => Promise<Hello>;
  readonly headers: (
    peer: PeerIdText,
    locator: readonly BlockHash[],
    stop: BlockHash | undefined,
    signal: AbortSignal,
  ) => Promise<readonly BlockHeader[]>;
  readonly blocks: (
    peer: PeerIdText,
    hashes: readonly BlockHash[],
    signal: AbortSignal,
  ) => AsyncGenerator<{ readonly hash: BlockHash; readonly bytes: Uint8Array | undefined }>;
  /** What the peer's mempool holds, as it says. */
  readonly mempool: (
    peer: PeerIdText,
    request: Decoded<typeof streams.mempool.request>,
    signal: AbortSignal,
  ) => AsyncGenerator<Decoded<typeof streams.mempool.response>[number]>;
  /** In the order asked, `tx` undefined where the peer has none (any more); may end early. */
  readonly transactions: (
    peer: PeerIdText,
    refs: readonly TxRef[],
    signal: AbortSignal,
  ) => AsyncGenerator<{ readonly ref: TxRef; readonly tx: Transaction | undefined }>;
  /** The compact form of a block; undefined if the peer does not have it. What it holds besides the header is a claim. */
  readonly compact: (peer: PeerIdText, hash: BlockHash, signal: AbortSignal) => Promise<CompactBlock | undefined>;
  /**
   * Transactions at some places of a block, as many as asked; undefined if the peer does not have the block. Whether they
   * are the right ones only the block's merkle root tells.
   */
  readonly blockTxs: (
    peer: PeerIdText,
    hash: BlockHash,
    indexes: readonly number[],
    signal: AbortSignal,
  ) => Promise<readonly Transaction[] | undefined>;
};

/** A peer's answer did not hold what was asked. The peer has been charged. */
function badAnswer(message: string): NodeError {
  return new NodeError('NETWORK', message);
}

export function createRequests(net: Pick<Net, 'request' | 'charge'>): Requests {
  const decode = <T>(peer: PeerIdText, name: string, decoder: () => T): T => {
    try {
      return decoder();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      net.charge(peer, 'undecodable-message', `${name}: ${error.message}`);
      throw badAnswer(`${name}: ${error.message}`);
    }
  };
  return {
    hello: async (peer, ours, signal) => {
      const payload = await single(net.request(peer, 'hello', streams.hello.request.encode(ours), signal));
      return decode(peer, 'hello', () => streams.hello.response.decode(payload));
    },
    headers: async (peer, locator, stop, signal) => {
      const request = streams.headers.request.encode({ locator, stopHash: stop });
      const payload = await single(net.request(peer, 'headers', request, signal));
      return decode(peer, 'headers', () => streams.headers.response.decode(payload));
    },
    blocks: (peer, hashes, signal) => requestBlocks(net, peer, hashes, signal),
    transactions: async function* (peer, refs, signal) {
      let answered = 0;
      for await (const frame of net.request(peer, 'txs', streams.txs.request.encode(refs), signal)) {
        const ref = refs[answered++];
        if (ref === undefined) throw badAnswer('txs: more transactions than asked');
        if (frame.status === 3) {
          yield { ref, tx: undefined };
          continue;
        }
        const tx = decode(peer, 'txs', () => streams.txs.response.decode(okPayload(frame)));
        if (ref.id !== (ref.kind === 'txid' ? tx.txid : tx.wtxid)) {
          net.charge(peer, 'wrong-response', 'txs: another transaction than asked');
          throw badAnswer('txs: another transaction than asked');
        }
        yield { ref, tx };
      }
    },
    mempool: async function* (peer, request, signal) {
      for await (const frame of net.request(peer, 'mempool', streams.mempool.request.encode(request), signal)) {
        yield* decode(peer, 'mempool', () => streams.mempool.response.decode(okPayload(frame)));
      }
    },
    compact: async (peer, hash, signal) => {
      const frame = await singleFrame(net.request(peer, 'compact', streams.compact.request.encode(hash), signal));
      if (frame.status === 3) return undefined;
      const compact = decode(peer, 'compact', () => streams.compact.response.decode(okPayload(frame)));
      if (compact.header.hash === hash) return compact;
      net.charge(peer, 'wrong-response', 'compact: another block than asked');
      throw badAnswer('compact: another block than asked');
    },
    blockTxs: async (peer, hash, indexes, signal) => {
      const request = streams.blocktxn.request.encode({ hash, indexes });
      const frame = await singleFrame(net.request(peer, 'blocktxn', request, signal));
      if (frame.status === 3) return undefined;
      const txs = decode(peer, 'blocktxn', () => streams.blocktxn.response.decode(okPayload(frame)));
      if (txs.length === indexes.length) return txs;
      // Core's READ_STATUS_INVALID in ProcessCompactBlockTxns.
      const problem = `blocktxn: ${txs.length} transactions instead of ${indexes.length}`;
      net.charge(peer, 'wrong-response', problem);
      throw badAnswer(problem);
    },
  };
}

/** Sync compares each body with the hash: it remembers who served what. */
async function* requestBlocks(
  net: Pick<Net, 'request'>,
  peer: PeerIdText,
  hashes: readonly BlockHash[],
  signal: AbortSignal,
): ReturnType<Requests['blocks']> {
  let answered = 0;
  for await (const frame of net.request(peer, 'blocks', streams.blocks.request.encode(hashes), signal)) {
    const hash = hashes[answered++];
    if (hash === undefined) throw badAnswer('blocks: more blocks than asked');
    yield { hash, bytes: frame.status === 3 ? undefined : okPayload(frame) };
  }
}

async function single(frames: AsyncIterable<ResponseFrame>): Promise<Uint8Array> {
  return okPayload(await singleFrame(frames));
}

async function singleFrame(frames: AsyncIterable<ResponseFrame>): Promise<ResponseFrame> {
  let first: ResponseFrame | undefined;
  for await (const frame of frames) first ??= frame;
  if (first === undefined) throw badAnswer('an empty response');
  return first;
}

function okPayload(frame: ResponseFrame): Uint8Array {
  if (frame.status !== 0) throw badAnswer(`the peer answered ${STATUS_TEXT[frame.status]}`);
  return frame.payload;
}

const STATUS_TEXT = ['ok', 'invalid request', 'server error', 'not found', 'busy'] as const;
