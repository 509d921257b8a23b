/** How the relay names peers and transactions. */
import type { Decoded, streams } from '#protocol';

/** Text, nothing more. */
export type PeerId = string;

/** A transaction by txid or by wtxid, as `txs` requests name it. */
export type TxRef = Decoded<typeof streams.txs.request>[number];
