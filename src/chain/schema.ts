/** The stamp of a data directory: which network it holds and in which layout. Written once, checked at each opening. */
import type { NetworkParams } from '#consensus';
import type { BatchOp, KeyValueStore } from '#store';
import { NodeError } from '#util';
import { jsonOp, readJson } from './json-record.ts';

/** Raised when an older Starling could no longer read the directory. 2: counts of transactions in the block index. */
export const SCHEMA_VERSION = 2;
const STAMP_KEY = Buffer.from('Sstamp');

type Stamp = { readonly schema: number; readonly network: string; readonly genesis: string };

export function readStamp(store: KeyValueStore): Stamp | undefined {
  return readJson<Stamp>(store, STAMP_KEY, 'the stamp of the data directory');
}

/** The operation that stamps a store. */
export function stampOp(params: NetworkParams): BatchOp {
  return jsonOp(STAMP_KEY, {
    schema: SCHEMA_VERSION,
    network: params.name,
    genesis: params.genesis.hash,
  } satisfies Stamp);
}

/** Throws NodeError `WRONG_NETWORK` or `SCHEMA_TOO_NEW`. */
export function checkStamp(stamp: Stamp, params: NetworkParams): void {
  if (stamp.schema > SCHEMA_VERSION) {
    throw new NodeError(
      'SCHEMA_TOO_NEW',
      `the data directory has layout ${stamp.schema}, this version knows up to ${SCHEMA_VERSION}; use a newer Starling or another --datadir`,
    );
  }
  if (stamp.genesis !== params.genesis.hash) {
    throw new NodeError(
      'WRONG_NETWORK',
      `the data directory holds network ${stamp.network} (genesis ${stamp.genesis}), not ${params.name} (genesis ${params.genesis.hash}); use another --datadir or --network`,
    );
  }
}
