/** Every stream protocol, one row each. A new one is a codec in `messages/`, a row here, a handler in `node/serve.ts`. */
import {
  blockTxsRequest,
  blockTxsResponse,
  MAX_BLOCK_TXS_BYTES,
  MAX_BLOCK_TXS_REQUEST_BYTES,
} from './messages/block-txs.ts';
import {
  blocksRequest,
  blocksResponse,
  MAX_BLOCK_BYTES,
  MAX_BLOCKS_REQUEST_BYTES,
  MAX_BLOCKS_REQUESTED,
} from './messages/blocks.ts';
import {
  COMPACT_REQUEST_BYTES,
  compactBlock,
  compactRequest,
  MAX_COMPACT_BLOCK_BYTES,
} from './messages/compact-block.ts';
import {
  headersRequest,
  headersResponse,
  MAX_HEADERS_REQUEST_BYTES,
  MAX_HEADERS_RESPONSE_BYTES,
} from './messages/headers.ts';
import { hello, MAX_HELLO_BYTES } from './messages/hello.ts';
import {
  MAX_MEMPOOL_FRAME_BYTES,
  MAX_MEMPOOL_FRAMES,
  MEMPOOL_REQUEST_BYTES,
  mempoolRequest,
  mempoolResponse,
} from './messages/mempool.ts';
import { MAX_PEERS_RESPONSE_BYTES, PEERS_REQUEST_BYTES, peersRequest, peersResponse } from './messages/peers.ts';
import {
  MAX_TX_BYTES,
  MAX_TXS_REQUEST_BYTES,
  MAX_TXS_REQUESTED,
  MAX_TXS_RESPONSE_BYTES,
  txsRequest,
  txsResponse,
} from './messages/txs.ts';
import { leadingCount, type StreamRow } from './rows.ts';

const MIB = 1 << 20;

/** A block costs at least one look-up on the server's disk, priced as this many bytes. */
const BLOCK_LOOKUP_BYTES = 4 * 1024;

const row = <Request, Item>(fields: StreamRow<Request, Item>): StreamRow<Request, Item> => Object.freeze(fields);

/** One request for each announced block is what an honest peer makes. */
const OF_AN_ANNOUNCED_BLOCK = {
  // The responder may still be waiting for the block itself. Who asks turns to others long before.
  timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 30_000 },
  maxInboundStreams: 8,
  maxOutboundStreams: 4,
  cost: () => 1,
  costPerByte: 0,
  quota: { burst: 30, perSecond: 3 },
};

export const streams = Object.freeze({
  hello: row({
    version: 1,
    request: hello,
    response: hello,
    maxRequestBytes: MAX_HELLO_BYTES,
    maxFrameBytes: MAX_HELLO_BYTES,
    maxFrames: () => 1,
    maxResponseBytes: MAX_HELLO_BYTES,
    timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 10_000 },
    maxInboundStreams: 2,
    maxOutboundStreams: 1,
    cost: () => 1,
    costPerByte: 0,
    quota: { burst: 5, perSecond: 1 / 3 },
  }),

  headers: row({
    version: 1,
    request: headersRequest,
    response: headersResponse,
    maxRequestBytes: MAX_HEADERS_REQUEST_BYTES,
    maxFrameBytes: MAX_HEADERS_RESPONSE_BYTES,
    maxFrames: () => 1,
    maxResponseBytes: MAX_HEADERS_RESPONSE_BYTES,
    timeouts: { firstFrameMs: 30_000, progressMs: 10_000, totalMs: 30_000 },
    maxInboundStreams: 8,
    maxOutboundStreams: 4,
    cost: () => 1,
    costPerByte: 0,
    // Mainnet's headers are 450 requests, which a peer makes one after another, 30 to 60 a second. A full answer costs
    // 0.4 ms of CPU time to put together and 4 to send and encrypt, a quarter of a core at this rate: less than what
    // the same bytes of blocks cost, of which a peer may ask far more.
    quota: { burst: 100, perSecond: 60 },
  }),

  blocks: row({
    version: 1,
    request: blocksRequest,
    response: blocksResponse,
    maxRequestBytes: MAX_BLOCKS_REQUEST_BYTES,
    maxFrameBytes: MAX_BLOCK_BYTES,
    maxFrames: (request) => leadingCount(request, MAX_BLOCKS_REQUESTED),
    maxResponseBytes: MAX_BLOCKS_REQUESTED * MAX_BLOCK_BYTES,
    timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 600_000 },
    maxInboundStreams: 8,
    maxOutboundStreams: 4,
    // Units are bytes. The rate is several times what one Noise connection carries (70 to 180 MB/s measured): it stops
    // nobody who reads what he asked for; 65,000 small blocks a second are more than anybody connects.
    cost: (request) => leadingCount(request, MAX_BLOCKS_REQUESTED) * BLOCK_LOOKUP_BYTES,
    costPerByte: 1,
    quota: { burst: 256 * MIB, perSecond: 256 * MIB },
  }),

  compact: row({
    version: 1,
    request: compactRequest,
    response: compactBlock,
    maxRequestBytes: COMPACT_REQUEST_BYTES,
    maxFrameBytes: MAX_COMPACT_BLOCK_BYTES,
    maxFrames: () => 1,
    maxResponseBytes: MAX_COMPACT_BLOCK_BYTES,
    ...OF_AN_ANNOUNCED_BLOCK,
  }),

  blocktxn: row({
    version: 1,
    request: blockTxsRequest,
    response: blockTxsResponse,
    maxRequestBytes: MAX_BLOCK_TXS_REQUEST_BYTES,
    maxFrameBytes: MAX_BLOCK_TXS_BYTES,
    maxFrames: () => 1,
    maxResponseBytes: MAX_BLOCK_TXS_BYTES,
    ...OF_AN_ANNOUNCED_BLOCK,
  }),

  txs: row({
    version: 1,
    request: txsRequest,
    response: txsResponse,
    maxRequestBytes: MAX_TXS_REQUEST_BYTES,
    maxFrameBytes: MAX_TX_BYTES,
    maxFrames: (request) => leadingCount(request, MAX_TXS_REQUESTED),
    maxResponseBytes: MAX_TXS_RESPONSE_BYTES,
    timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 30_000 },
    maxInboundStreams: 8,
    maxOutboundStreams: 4,
    cost: (request) => leadingCount(request, MAX_TXS_REQUESTED),
    costPerByte: 0,
    quota: { burst: 2000, perSecond: 200 },
  }),

  mempool: row({
    version: 1,
    request: mempoolRequest,
    response: mempoolResponse,
    maxRequestBytes: MEMPOOL_REQUEST_BYTES,
    maxFrameBytes: MAX_MEMPOOL_FRAME_BYTES,
    maxFrames: () => MAX_MEMPOOL_FRAMES,
    maxResponseBytes: MAX_MEMPOOL_FRAMES * MAX_MEMPOOL_FRAME_BYTES,
    timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 30_000 },
    maxInboundStreams: 2,
    maxOutboundStreams: 1,
    cost: () => 1,
    costPerByte: 0,
    // A full mempool of 300,000 transactions is 30 requests, once after joining.
    quota: { burst: 30, perSecond: 1 / 10 },
  }),

  peers: row({
    version: 1,
    request: peersRequest,
    response: peersResponse,
    maxRequestBytes: PEERS_REQUEST_BYTES,
    maxFrameBytes: MAX_PEERS_RESPONSE_BYTES,
    maxFrames: () => 1,
    maxResponseBytes: MAX_PEERS_RESPONSE_BYTES,
    timeouts: { firstFrameMs: 10_000, progressMs: 10_000, totalMs: 30_000 },
    maxInboundStreams: 2,
    maxOutboundStreams: 1,
    cost: () => 1,
    costPerByte: 0,
    // Core answers one getaddr a connection. The answer is the same for a day, so asking more often gives nothing.
    quota: { burst: 2, perSecond: 1 / 600 },
  }),
});

export type StreamName = keyof typeof streams;
