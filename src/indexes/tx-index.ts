/**
 * Where each transaction lies (Core's TxIndex). `t` | txid: block file (compact size), offset of the block in it (4),
 * offset in the block and length of the transaction (compact sizes). A block that the chain leaves keeps what it added
 * until another block has the transaction.
 */
import {
  BLOCK_HEADER_BYTES,
  BlockHeader,
  compactSizeLength,
  DecodeError,
  idToBytes,
  Reader,
  Transaction,
  type Txid,
  Writer,
} from '#primitives';
import type { BatchOp, FilePosition, KeyValueStore } from '#store';
import { assert, concatBytes } from '#util';
import type { IndexedBlock } from './block-source.ts';
import type { Indexer } from './follower.ts';
import { damagedIndex } from './index-records.ts';
import type { IndexedChain, IndexedTransaction } from './port.ts';

const TX = Uint8Array.of(0x74);
const NOTHING = new Uint8Array(0);
const VALUE_BYTES = 16;

export function createTxIndexer(chain: Pick<IndexedChain, 'blockPosition'>): Indexer {
  return {
    name: 'txindex',
    stand: () => true,
    add: async ({ entry, block }) => {
      // Genesis is left out: its output is no coin.
      const ops = entry.height === 0 ? [] : placesOf(block, chain.blockPosition(entry.hash));
      return { record: NOTHING, ops, taken: () => {} };
    },
  };
}

function placesOf({ transactions }: IndexedBlock['block'], position: FilePosition | undefined): BatchOp[] {
  assert(position !== undefined, 'a block that was read is stored');
  let offset = BLOCK_HEADER_BYTES + compactSizeLength(transactions.length);
  const writer = new Writer(VALUE_BYTES);
  return transactions.map(({ txidBytes, size }) => {
    writer.compactSize(position.file).u32(position.offset).compactSize(offset).compactSize(size);
    offset += size;
    return { kind: 'put', key: concatBytes(TX, txidBytes), value: writer.finish() };
  });
}

/** Throws NodeError, `CORRUPT_DATA` when something else lies there. */
export async function findTransaction(
  store: KeyValueStore,
  chain: Pick<IndexedChain, 'readBlockPart'>,
  txid: Txid,
): Promise<IndexedTransaction | undefined> {
  const value = store.get(concatBytes(TX, idToBytes(txid)));
  if (value === undefined) return undefined;
  try {
    const reader = new Reader(value);
    const position = { file: reader.compactSize(), offset: reader.u32() };
    const [offset, length] = [reader.compactSize(), reader.compactSize()];
    const [header, raw] = await Promise.all([
      chain.readBlockPart(position, 0, BLOCK_HEADER_BYTES),
      chain.readBlockPart(position, offset, length),
    ]);
    const tx = Transaction.fromBytes(raw);
    if (tx.txid === txid) return { tx, blockHash: new BlockHeader(header).hash };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
  }
  throw damagedIndex(`transaction ${txid} is not where the txindex says`);
}
