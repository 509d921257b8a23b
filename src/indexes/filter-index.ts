/**
 * Basic block filters (Core's BlockFilterIndex). The record of a block is its filter header; `f` | height | hash has the
 * filter.
 */
import type { ChainReader } from '#chain';
import { type BlockHash, idToBytes } from '#primitives';
import type { KeyValueStore } from '#store';
import { assert } from '#util';
import { encodeFilter, filterElements, filterHeader } from './basic-filter.ts';
import type { Indexer } from './follower.ts';
import { blockKey, damagedIndex, readRecord } from './index-records.ts';
import type { BlockFilter } from './port.ts';

const FILTER = 0x66;
const HEADER_BYTES = 32;

export function createFilterIndexer(store: KeyValueStore): Indexer {
  /** The header of the block where the index stands. */
  let previous = new Uint8Array(HEADER_BYTES);
  return {
    name: 'basic block filter index',
    stand: (ref) => {
      const header = ref === undefined ? new Uint8Array(HEADER_BYTES) : readRecord(store, ref);
      assert(header !== undefined, 'the index stands where it has a record');
      previous = new Uint8Array(header);
      return true;
    },
    add: async ({ entry, block, spent }) => {
      const filter = encodeFilter(filterElements(block, await spent()), idToBytes(entry.hash));
      const header = filterHeader(filter, previous);
      return {
        record: header,
        ops: [{ kind: 'put', key: blockKey(FILTER, entry), value: filter }],
        taken: () => {
          previous = new Uint8Array(header);
        },
      };
    },
  };
}

/** Throws NodeError. */
export function findFilter(
  store: KeyValueStore,
  chain: Pick<ChainReader, 'getHeader'>,
  hash: BlockHash,
): BlockFilter | undefined {
  const entry = chain.getHeader(hash);
  const header = entry === undefined ? undefined : readRecord(store, entry);
  if (entry === undefined || header === undefined) return undefined;
  const filter = store.get(blockKey(FILTER, entry));
  if (filter === undefined) throw damagedIndex(`the filter of block ${hash} is missing`);
  return { filter, header };
}
