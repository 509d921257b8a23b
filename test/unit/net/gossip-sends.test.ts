/** Around a stand-in for gossipsub's own `sendRpc`: what it would have sent one by one leaves together. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GossipSub } from '@libp2p/gossipsub';
import { mergeSends } from '../../../src/net/gossip-sends.ts';

type Rpc = { subscriptions: unknown[]; messages: { data: Uint8Array }[]; control: unknown };

let sent: string[];
let controls: unknown[];
let pubsub: { streamsOutbound: Map<string, unknown>; sendRpc: (peer: string, rpc: Rpc) => boolean };

beforeEach(() => {
  sent = [];
  controls = [];
  pubsub = {
    streamsOutbound: new Map([
      ['a', {}],
      ['b', {}],
    ]),
    sendRpc: (peer, { messages, control, subscriptions }) => {
      const data = messages.map((message) => message.data[0]).join();
      sent.push(
        `${peer} ${data}${control === undefined ? '' : ' control'}${subscriptions.length > 0 ? ' topics' : ''}`,
      );
      return true;
    },
  };
  mergeSends(pubsub as unknown as GossipSub, (control) => {
    if (control !== undefined) controls.push(control);
  });
});

const message = (number: number, bytes = 1): Rpc => ({
  subscriptions: [],
  messages: [{ data: new Uint8Array(bytes).fill(number) }],
  control: undefined,
});

describe('gossip to a peer', () => {
  it('of one turn of the event loop is one RPC for each', async () => {
    for (const number of [1, 2, 3]) assert.ok(pubsub.sendRpc('a', message(number)));
    assert.ok(pubsub.sendRpc('b', message(1)));
    assert.deepEqual(sent, []);
    await nextTurn();
    assert.deepEqual(sent, ['a 1,2,3', 'b 1']);
    pubsub.sendRpc('a', message(4));
    await nextTurn();
    await nextTurn();
    assert.deepEqual(sent.slice(2), ['a 4'], 'nothing goes twice');
  });

  it('keeps its order with control messages and subscriptions, which go at once', async () => {
    pubsub.sendRpc('a', message(1));
    pubsub.sendRpc('b', message(1));
    pubsub.sendRpc('a', { ...message(2), control: { graft: [{}] } });
    assert.deepEqual(sent, ['a 1', 'a  control']);
    assert.deepEqual(controls, [{ graft: [{}] }], 'counted once');
    pubsub.sendRpc('a', { subscriptions: [{}], messages: [], control: undefined });
    pubsub.sendRpc('a', message(3));
    await nextTurn();
    assert.deepEqual(sent.slice(2), ['a 2', 'a  topics', 'b 1', 'a 3']);
  });

  it('that was asked for by ids, however much, is of many RPCs', async () => {
    const messages = Array.from({ length: 100 }, () => ({ data: new Uint8Array(2_000).fill(7) }));
    assert.ok(pubsub.sendRpc('a', { subscriptions: [], messages, control: { ihave: [], iwant: [] } }));
    await nextTurn();
    assert.deepEqual(
      sent.map((each) => each.slice(2).split(',').length),
      [32, 32, 32, 4],
    );
  });

  it('is bounded in bytes and messages', async () => {
    pubsub.sendRpc('a', message(1, 40_000));
    pubsub.sendRpc('a', message(2, 40_000));
    assert.deepEqual(sent, ['a 1']);
    await nextTurn();
    assert.deepEqual(sent, ['a 1', 'a 2']);
    for (let at = 0; at < 501; at++) pubsub.sendRpc('b', message(7));
    assert.equal(sent.length, 3);
    await nextTurn();
    assert.deepEqual(
      sent.slice(2).map((each) => each.slice(2).split(',').length),
      [500, 1],
    );
  });

  it('to a peer without a stream is told not to have been sent', async () => {
    assert.equal(pubsub.sendRpc('c', message(1)), false);
    await nextTurn();
    assert.deepEqual(sent, []);
  });
});
