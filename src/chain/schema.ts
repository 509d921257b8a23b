/** The stamp of a data directory: which network it holds and in which layout. Written once, checked at each opening. */
import type { NetworkParams } from '#consensus';
import type { KeyValueStore } from '#store';
import { NodeError } from '#util';

/** Raised when an older Starling could no longer read the directory. */
const SCHEMA_VERSION = 1;
const STAMP_KEY = Buffer.from('Sstamp');

type Stamp = { readonly schema: number; readonly network: string; readonly genesis: string };

export function readStamp(store: KeyValueStore): Stamp | undefined {
  const value = store.get(STAMP_KEY);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(value).toString()) as Stamp;
  } catch (cause) {
    throw new NodeError('CORRUPT_DATA', 'the stamp of the data directory is damaged; restore it from a copy', {
      cause,
    });
  }
}

export async function writeStamp(store: KeyValueStore, params: NetworkParams): Promise<void> {
  const stamp: Stamp = { schema: SCHEMA_VERSION, network: params.name, genesis: params.genesis.hash };
  await store.write([{ kind: 'put', key: STAMP_KEY, value: Buffer.from(JSON.stringify(stamp)) }], { sync: true });
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
