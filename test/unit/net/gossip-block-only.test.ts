/** Around a stand-in for gossipsub: with some peers a topic does not exist. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { GossipSub } from '@libp2p/gossipsub';
import { hideTopic } from '../../../src/net/gossip-block-only.ts';

const HIDDEN = 'txs';
const OPEN = 'blocks';

type Rpc = {
  subscriptions: { topic?: string }[];
  messages: { topic?: string }[];
  control?: Record<string, readonly object[]>;
};

let sent: Rpc[];
let received: Rpc[];
let pubsub: {
  sendRpc: (peer: string, rpc: Rpc) => boolean;
  handleReceivedRpc: (from: string, rpc: Rpc) => Promise<void>;
  msgIdToStrFn: (id: Uint8Array) => string;
  mcache: { msgs: Map<string, { message: { topic: string } }> };
};

const all = (): Rpc => ({
  subscriptions: [{ topic: HIDDEN }, { topic: OPEN }],
  messages: [{ topic: HIDDEN }, { topic: OPEN }],
  control: {
    ihave: [{ topicID: HIDDEN }, { topicID: OPEN }],
    graft: [{ topicID: HIDDEN }, { topicID: OPEN }],
    prune: [{ topicID: HIDDEN }, { topicID: OPEN }],
    iwant: [{ messageIDs: [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)] }],
    idontwant: [{ messageIDs: [Uint8Array.of(1)] }],
  },
});
const rest: Rpc = {
  subscriptions: [{ topic: OPEN }],
  messages: [{ topic: OPEN }],
  control: {
    ihave: [{ topicID: OPEN }],
    graft: [{ topicID: OPEN }],
    prune: [{ topicID: OPEN }],
    iwant: [{ messageIDs: [Uint8Array.of(2), Uint8Array.of(3)] }],
    idontwant: [{ messageIDs: [Uint8Array.of(1)] }],
  },
};

beforeEach(() => {
  [sent, received] = [[], []];
  pubsub = {
    sendRpc: (_, rpc) => sent.push(rpc) > 0,
    handleReceivedRpc: async (_, rpc) => void received.push(rpc),
    msgIdToStrFn: (id) => String(id[0]),
    // 1 and 2 can be asked for; whether 3 ever was nobody knows.
    mcache: {
      msgs: new Map([
        ['1', { message: { topic: HIDDEN } }],
        ['2', { message: { topic: OPEN } }],
      ]),
    },
  };
  hideTopic(pubsub as unknown as GossipSub, HIDDEN, (peer) => peer === 'blind');
});

describe('a hidden topic', () => {
  it('is left out of all that goes to the peer, and of all that comes from it', async () => {
    assert.equal(pubsub.sendRpc('blind', all()), true);
    await pubsub.handleReceivedRpc('blind', all());
    assert.deepEqual(sent, [rest]);
    assert.deepEqual(received, [rest]);
  });

  it('is there for everybody else', async () => {
    pubsub.sendRpc('other', all());
    await pubsub.handleReceivedRpc('other', all());
    assert.deepEqual([sent, received], [[all()], [all()]]);
  });

  it('leaves nothing to send where it was all', () => {
    assert.equal(pubsub.sendRpc('blind', { subscriptions: [{ topic: HIDDEN }], messages: [] }), true);
    assert.deepEqual(sent, []);
  });
});
