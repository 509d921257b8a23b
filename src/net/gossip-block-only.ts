/**
 * Block-only connections over gossipsub, which knows no such thing: with these peers the topic of transactions does not
 * exist. They do not hear that we subscribe to it; that they do is not heard; nothing of it is taken from them or given to
 * them. So they learn no more of our transactions than of a node that has none (as Core's block-relay-only peers).
 */
import type { GossipSub } from '@libp2p/gossipsub';
import type { PeerId } from '@libp2p/interface';
import { assert } from '#util';
import type { PeerIdText } from './port.ts';

type OnTopic = { readonly topicID?: string };
type Control = {
  readonly ihave?: readonly OnTopic[];
  readonly graft?: readonly OnTopic[];
  readonly prune?: readonly OnTopic[];
  readonly iwant?: readonly { readonly messageIDs?: readonly Uint8Array[] }[];
};
type Rpc = {
  readonly subscriptions: readonly { readonly topic?: string }[];
  readonly messages: readonly { readonly topic?: string }[];
  readonly control?: Control;
};

/** What gossipsub has at run time beyond its declared interface. */
type Internals = {
  sendRpc: (peer: PeerIdText, rpc: Rpc) => boolean;
  handleReceivedRpc: (from: PeerId, rpc: Rpc) => Promise<void>;
  readonly msgIdToStrFn: (id: Uint8Array) => string;
  /** Messages that can be asked for by their ids. */
  readonly mcache: { readonly msgs: ReadonlyMap<string, { readonly message: { readonly topic: string } }> };
};

/** To be called before anything else takes hold of how gossipsub sends and receives. */
export function hideTopic(pubsub: GossipSub, topic: string, isHiddenFrom: (peer: PeerIdText) => boolean): void {
  const internals = internalsOf(pubsub);
  const isOther = (part: { readonly topic?: string }): boolean => part.topic !== topic;
  const topicOf = (id: Uint8Array): string | undefined =>
    internals.mcache.msgs.get(internals.msgIdToStrFn(id))?.message.topic;

  const withoutTopic = (rpc: Rpc): Rpc => ({
    ...rpc,
    subscriptions: (rpc.subscriptions ?? []).filter(isOther),
    messages: rpc.messages.filter(isOther),
    ...(rpc.control === undefined ? {} : { control: controlWithout(rpc.control, topic, topicOf) }),
  });

  const send = internals.sendRpc.bind(pubsub);
  internals.sendRpc = (peer, rpc) => {
    if (!isHiddenFrom(peer)) return send(peer, rpc);
    const rest = withoutTopic(rpc);
    const isEmpty = rest.subscriptions.length + rest.messages.length === 0 && rest.control === undefined;
    return isEmpty || send(peer, rest);
  };
  const handle = internals.handleReceivedRpc.bind(pubsub);
  internals.handleReceivedRpc = (from, rpc) => handle(from, isHiddenFrom(from.toString()) ? withoutTopic(rpc) : rpc);
}

function controlWithout(control: Control, topic: string, topicOf: (id: Uint8Array) => string | undefined): Control {
  const isOther = ({ topicID }: OnTopic): boolean => topicID !== topic;
  return {
    ...control,
    ihave: (control.ihave ?? []).filter(isOther),
    graft: (control.graft ?? []).filter(isOther),
    prune: (control.prune ?? []).filter(isOther),
    // An id can be computed by who knows the transaction: whether we would give it tells that we have it.
    iwant: (control.iwant ?? []).map((each) => ({
      ...each,
      messageIDs: (each.messageIDs ?? []).filter((id) => topicOf(id) !== topic),
    })),
  };
}

function internalsOf(pubsub: GossipSub): Internals {
  const internals = pubsub as unknown as Partial<Internals>;
  assert(typeof internals.sendRpc === 'function', 'gossipsub hides how it sends');
  assert(typeof internals.handleReceivedRpc === 'function', 'gossipsub hides its RPC handler');
  assert(typeof internals.msgIdToStrFn === 'function', 'gossipsub hides its message ids');
  assert(internals.mcache?.msgs instanceof Map, 'gossipsub hides its messages');
  return internals as Internals;
}
