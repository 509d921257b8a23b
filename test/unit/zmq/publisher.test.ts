/** The numbers of a publisher's messages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Publisher } from '../../../src/zmq/publisher.ts';
import { readMessage, splitMessages, type ZmqMessage } from '../../support/zmq-subscriber.ts';

function start(firstSequence?: number) {
  const sent: ZmqMessage[] = [];
  const wants = { now: true };
  const socket = {
    wants: () => wants.now,
    send: (_topic: string, message: Buffer) =>
      void sent.push(...splitMessages(message).messages.map((parts) => readMessage(parts))),
  };
  return { publisher: new Publisher('rawtx', socket, firstSequence), sent, wants };
}

test('count from 0, also what nobody wants, whose body is not made', () => {
  const { publisher, sent, wants } = start();
  publisher.publish(() => Uint8Array.of(1));
  wants.now = false;
  publisher.publish(() => assert.fail('nobody wants it'));
  wants.now = true;
  publisher.publish(() => Uint8Array.of(3));
  assert.deepEqual(sent, [
    { topic: 'rawtx', body: Buffer.of(1), sequence: 0 },
    { topic: 'rawtx', body: Buffer.of(3), sequence: 2 },
  ]);
});

test('have 32 bits, and begin again', () => {
  const { publisher, sent } = start(0xffff_ffff);
  for (let count = 0; count < 2; count++) publisher.publish(() => Uint8Array.of(1));
  assert.deepEqual(
    sent.map(({ sequence }) => sequence),
    [0xffff_ffff, 0],
  );
});
