/** One message of each row as bytes on the wire and as a value. Written out by hand from the specification. */
import { Block, BlockHeader, parseBlockHash, parseTxid, Transaction, wtxidFromBytes } from '#primitives';
import { streams, topics } from '#protocol';
import { fromHex } from '#util';
import type { Codec } from '../../../src/protocol/rows.ts';

/** Mainnet's genesis block. */
export const GENESIS_HEADER =
  '0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3' +
  '888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c';
export const GENESIS_COINBASE =
  '01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff4d04ffff001d0104455468652054696d' +
  '65732030332f4a616e2f32303039204368616e63656c6c6f72206f6e206272696e6b206f66207365636f6e64206261696c6f757420666f7220' +
  '62616e6b73ffffffff0100f2052a01000000434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f' +
  '4cef38c4f35504e51ec112de5c384df7ba0b8d578a4c702b6bf11d5fac00000000';
/** As in a locator: internal order. */
const GENESIS_HASH_WIRE = '6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000';
const GENESIS_TXID_WIRE = '3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a';

export const genesisHash = parseBlockHash('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
const genesisTxid = parseTxid('4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b');
const genesisWtxid = wtxidFromBytes(fromHex(GENESIS_TXID_WIRE));
export const coinbase = Transaction.fromBytes(fromHex(GENESIS_COINBASE));
/** A spend with a witness (BIP144): one input, one output, one witness item. */
const WITNESS_TX = `01000000000101${'11'.repeat(32)}0000000000ffffffff01e8030000000000000151010142${'00000000'}`;

type Vector<T> = { readonly codec: Codec<T>; readonly hex: string; readonly value: unknown; readonly maxBytes: number };

const vector = <T>(codec: Codec<T>, maxBytes: number, hex: string, value: unknown): Vector<T> => {
  return { codec, hex, value, maxBytes };
};

/** By row and direction; `rows.test.ts` demands one for each codec in the tables. */
export const vectors = {
  'hello request': vector(
    streams.hello.request,
    streams.hello.maxRequestBytes,
    [
      '01000000', // revision
      '0904000000000000', // services: network, witness, networkLimited
      GENESIS_HASH_WIRE,
      `10${Buffer.from('/starling:0.1.0/').toString('hex')}`,
      '61bc664900000000', // time
      GENESIS_HASH_WIRE, // tip
      '07000000', // tip height
      `0800080008${'00'.repeat(27)}`, // chain work, little endian
      '02000000', // lowest height served
      '01', // relay
      'e803000000000000', // fee filter
      'efcdab8967452301', // nonce
    ].join(''),
    {
      revision: 1,
      services: 0x409n,
      genesisHash,
      userAgent: '/starling:0.1.0/',
      time: 1231469665,
      tipHash: genesisHash,
      tipHeight: 7,
      tipChainWork: 0x0800080008n,
      lowestHeightServed: 2,
      relay: true,
      feeFilterSatPerKvb: 1000n,
      nonce: 0x0123456789abcdefn,
    },
  ),
  'headers request': vector(
    streams.headers.request,
    streams.headers.maxRequestBytes,
    `01${GENESIS_HASH_WIRE}${'00'.repeat(32)}`,
    { locator: [genesisHash], stopHash: undefined },
  ),
  'headers response': vector(streams.headers.response, streams.headers.maxFrameBytes, `01${GENESIS_HEADER}`, [
    new BlockHeader(fromHex(GENESIS_HEADER)),
  ]),
  'blocks request': vector(streams.blocks.request, streams.blocks.maxRequestBytes, `01${GENESIS_HASH_WIRE}`, [
    genesisHash,
  ]),
  'blocks response': vector(
    streams.blocks.response,
    streams.blocks.maxFrameBytes,
    `${GENESIS_HEADER}01${GENESIS_COINBASE}`,
    Block.fromBytes(fromHex(`${GENESIS_HEADER}01${GENESIS_COINBASE}`)),
  ),
  'mempool request': vector(streams.mempool.request, streams.mempool.maxRequestBytes, 'e80300000000000010270000', {
    minFeeSatPerKvb: 1000n,
    skip: 10_000,
  }),
  'mempool response': vector(
    streams.mempool.response,
    streams.mempool.maxFrameBytes,
    `01${GENESIS_TXID_WIRE}cc000000f401000000000000`,
    [{ wtxid: genesisWtxid, vsize: 204, fee: 500n }],
  ),
  'peers request': vector(streams.peers.request, streams.peers.maxRequestBytes, 'e8030000', 1000),
  'peers response': vector(streams.peers.response, streams.peers.maxFrameBytes, `02020102fd0001${'07'.repeat(256)}`, [
    Uint8Array.of(1, 2),
    new Uint8Array(256).fill(7),
  ]),
  'blocktxn request': vector(
    streams.blocktxn.request,
    streams.blocktxn.maxRequestBytes,
    `${GENESIS_HASH_WIRE}040001fd2c0100`, // places 0, 2 (one left out), 303 (300 left out), 304
    { hash: genesisHash, indexes: [0, 2, 303, 304] },
  ),
  'blocktxn response': vector(
    streams.blocktxn.response,
    streams.blocktxn.maxFrameBytes,
    `02${WITNESS_TX}${GENESIS_COINBASE}`,
    [Transaction.fromBytes(fromHex(WITNESS_TX)), coinbase],
  ),
  'compact request': vector(streams.compact.request, streams.compact.maxRequestBytes, GENESIS_HASH_WIRE, genesisHash),
  'bare header': vector(
    streams.compact.response,
    streams.compact.maxFrameBytes,
    `${GENESIS_HEADER}${'00'.repeat(10)}`,
    {
      header: new BlockHeader(fromHex(GENESIS_HEADER)),
      nonce: 0n,
      shortIds: new Uint8Array(0),
      prefilled: [],
    },
  ),
  'txs request': vector(
    streams.txs.request,
    streams.txs.maxRequestBytes,
    `0200${GENESIS_TXID_WIRE}01${GENESIS_TXID_WIRE}`,
    [
      { kind: 'txid', id: genesisTxid },
      { kind: 'wtxid', id: genesisWtxid },
    ],
  ),
  'txs response': vector(
    streams.txs.response,
    streams.txs.maxFrameBytes,
    WITNESS_TX,
    Transaction.fromBytes(fromHex(WITNESS_TX)),
  ),
  block: vector(
    topics.block.codec,
    topics.block.maxBytes,
    [
      GENESIS_HEADER,
      '2a00000000000000', // nonce
      '02010203040506111213141516', // two short ids
      `0200${GENESIS_COINBASE}01${WITNESS_TX}`, // at 0 and, one short id left out, at 2
    ].join(''),
    {
      header: new BlockHeader(fromHex(GENESIS_HEADER)),
      nonce: 42n,
      shortIds: fromHex('010203040506111213141516'),
      prefilled: [
        { index: 0, tx: coinbase },
        { index: 2, tx: Transaction.fromBytes(fromHex(WITNESS_TX)) },
      ],
    },
  ),
  tx: vector(topics.tx.codec, topics.tx.maxBytes, `00${WITNESS_TX}`, {
    kind: 'whole',
    tx: Transaction.fromBytes(fromHex(WITNESS_TX)),
  }),
  'tx entry': vector(topics.tx.codec, topics.tx.maxBytes, `01${GENESIS_TXID_WIRE}881300003930000000000000`, {
    kind: 'entry',
    wtxid: genesisWtxid,
    vsize: 5000,
    fee: 12345n,
  }),
};
