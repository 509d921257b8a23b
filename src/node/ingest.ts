/** What gossip brings: decoded here, validated by the topic's own file before it is passed on. */
import type { Mempool } from '#mempool';
import type { GossipMessage, GossipVerdict, Net, PeerIdText } from '#net';
import { type Block, type BlockHash, DecodeError } from '#primitives';
import { type Decoded, type TopicName, topics } from '#protocol';
import { BlockIngest, type BlockIngestDeps } from './block-ingest.ts';
import { BlockRebuilder, type BlockRebuilderDeps, type RebuildStats } from './block-rebuilder.ts';
import { ExtraTransactions, keepRemoved, keepSubmitted } from './extra-transactions.ts';
import { TxIngest, type TxIngestDeps } from './tx-ingest.ts';

export type IngestDeps = Omit<BlockIngestDeps, 'rebuilder'> &
  Omit<BlockRebuilderDeps, 'extra'> &
  TxIngestDeps & { readonly mempool: Pick<Mempool, 'observe'> };

/** What a topic's message decodes to. */
type Message<Name extends TopicName> = Decoded<(typeof topics)[Name]['codec']>;

type Handlers = {
  readonly [Name in TopicName]: (message: Message<Name>, from: PeerIdText) => Promise<GossipVerdict>;
};

export type Ingest = {
  readonly message: (message: GossipMessage) => Promise<GossipVerdict>;
  /** Another peer sent the same as a message that is looked at. */
  readonly copy: (message: GossipMessage) => void;
  /** Whether gossip has carried the block: peers need no hello to hear of it. */
  readonly wasAnnounced: (hash: BlockHash) => boolean;
  /** We are about to announce the block ourselves. */
  readonly markAnnounced: BlockIngest['markAnnounced'];
  readonly unmarkAnnounced: BlockIngest['unmarkAnnounced'];
  /** A block of which gossip has told: if it was just rebuilt, or once it is. Undefined if it is not. */
  readonly rebuilt: (hash: BlockHash) => Promise<Block | undefined>;
  readonly rebuildStats: () => RebuildStats;
  readonly blockRequests: BlockRebuilder['requestFigures'];
  /** To be told before any message of the peer. */
  readonly peerConnected: TxIngest['peerConnected'];
  readonly peerDisconnected: TxIngest['peerDisconnected'];
  /** To be told once the mempool has followed the change. */
  readonly chainChanged: TxIngest['chainChanged'];
  readonly txs: Pick<TxIngest, 'listed' | 'openOf' | 'stats' | 'fetches'>;
  readonly close: () => void;
};

export function createIngest(deps: IngestDeps): Ingest {
  const extra = new ExtraTransactions();
  keepRemoved(deps.mempool, extra);
  const rebuilder = new BlockRebuilder({ ...deps, extra });
  deps.signal.addEventListener('abort', () => rebuilder.close(), { once: true });
  const blocks = new BlockIngest({ ...deps, rebuilder });
  const txs = new TxIngest({
    ...deps,
    mempool: { ...deps.mempool, submit: keepSubmitted(deps.mempool.submit, extra) },
  });
  const handlers: Handlers = {
    block: (compact, from) => blocks.announced(compact, from),
    tx: (message, from) => txs.announced(message, from),
  };
  return {
    message: (message) => {
      const early = message.topic === 'block' ? blocks.judgeEarly(message) : undefined;
      if (early !== undefined) return Promise.resolve(early);
      return decodeAndHandle(handlers, message.topic, message, deps.charge);
    },
    copy: ({ topic, data, from }) => {
      if (topic === 'block') {
        blocks.copied(data, from);
        return;
      }
      const message = decoded(topic, data);
      // What cannot be decoded is charged to who sent it first.
      if (!(message instanceof DecodeError)) txs.copied(message, from);
    },
    wasAnnounced: (hash) => blocks.wasAnnounced(hash),
    markAnnounced: (hash) => blocks.markAnnounced(hash),
    unmarkAnnounced: (hash) => blocks.unmarkAnnounced(hash),
    rebuilt: (hash) => rebuilder.rebuilt(hash),
    rebuildStats: () => rebuilder.stats,
    blockRequests: () => rebuilder.requestFigures(),
    peerConnected: (info) => txs.peerConnected(info),
    peerDisconnected: (id) => txs.peerDisconnected(id),
    chainChanged: (change) => txs.chainChanged(change),
    txs,
    close: () => txs.close(),
  };
}

async function decodeAndHandle<Name extends TopicName>(
  handlers: Handlers,
  name: Name,
  { data, from }: GossipMessage,
  charge: Net['charge'],
): Promise<GossipVerdict> {
  const message = decoded(name, data);
  if (!(message instanceof DecodeError)) return handlers[name](message, from);
  charge(from, 'undecodable-message', `${name}: ${message.message}`);
  return 'reject';
}

function decoded<Name extends TopicName>(name: Name, data: Uint8Array): Message<Name> | DecodeError {
  try {
    return topics[name].codec.decode(data) as Message<Name>;
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
}
