/** What gossip brings: decoded here, validated by the topic's own file before it is passed on. */
import type { GossipMessage, GossipVerdict, Net, PeerIdText } from '#net';
import { type BlockHash, DecodeError } from '#primitives';
import { type Decoded, type TopicName, topics } from '#protocol';
import { BlockIngest, type BlockIngestDeps } from './block-ingest.ts';
import { TxIngest, type TxIngestDeps } from './tx-ingest.ts';

export type IngestDeps = BlockIngestDeps & TxIngestDeps;

/** What a topic's message decodes to. */
type Message<Name extends TopicName> = Decoded<(typeof topics)[Name]['codec']>;

type Handlers = {
  readonly [Name in TopicName]: (message: Message<Name>, from: PeerIdText) => Promise<GossipVerdict>;
};

export type Ingest = {
  readonly message: (message: GossipMessage) => Promise<GossipVerdict>;
  /** Whether gossip has carried the block: peers need no hello to hear of it. */
  readonly wasAnnounced: (hash: BlockHash) => boolean;
  /** We are about to announce the block ourselves. */
  readonly markAnnounced: (hash: BlockHash) => void;
};

export function createIngest(deps: IngestDeps): Ingest {
  const blocks = new BlockIngest(deps);
  const txs = new TxIngest(deps);
  const handlers: Handlers = {
    block: (compact, from) => blocks.announced(compact, from),
    tx: (message, from) => txs.announced(message, from),
  };
  return {
    message: (message) => {
      if (message.topic === 'block' && !blocks.hasWork(message)) return Promise.resolve('reject');
      return decodeAndHandle(handlers, message.topic, message, deps.charge);
    },
    wasAnnounced: (hash) => blocks.wasAnnounced(hash),
    markAnnounced: (hash) => blocks.markAnnounced(hash),
  };
}

async function decodeAndHandle<Name extends TopicName>(
  handlers: Handlers,
  name: Name,
  { data, from }: GossipMessage,
  charge: Net['charge'],
): Promise<GossipVerdict> {
  let message: Message<Name>;
  try {
    message = topics[name].codec.decode(data) as Message<Name>;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    charge(from, 'undecodable-message', `${name}: ${error.message}`);
    return 'reject';
  }
  return handlers[name](message, from);
}
