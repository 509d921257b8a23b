/** What a subscriber may say, in which order, and how much of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Session } from '../../../src/zmq/session.ts';
import { encodeCommand, encodeMessage, encodeReady } from '../../../src/zmq/zmtp.ts';
import { SUB_GREETING, subReady, subscription } from '../../support/zmq-subscriber.ts';

type Scene = { readonly session: Session; readonly replies: Buffer[]; readonly subscribed: string[] };

function start(): Scene {
  const replies: Buffer[] = [];
  const subscribed: string[] = [];
  const session = new Session({
    reply: (bytes) => void replies.push(bytes),
    onSubscribed: (prefix) => void subscribed.push(prefix),
  });
  return { session, replies, subscribed };
}

function open(): Scene {
  const scene = start();
  assert.equal(scene.session.received(Buffer.concat([SUB_GREETING, subReady()])), undefined);
  assert.ok(scene.session.isOpen);
  return scene;
}

const command = (name: string, data = ''): Buffer => encodeCommand(name, Buffer.from(data, 'latin1'));

describe('the handshake', () => {
  it('answers the greeting with READY, and is done with theirs', () => {
    const { session, replies } = start();
    assert.equal(session.received(SUB_GREETING), undefined);
    assert.deepEqual(replies, [encodeReady('PUB')]);
    assert.equal(session.isOpen, false);
    assert.equal(session.received(subReady('XSUB')), undefined);
    assert.equal(session.isOpen, true);
  });

  it('is for subscribers alone, and READY comes first', () => {
    assert.match(start().session.received(Buffer.from('GET / HTTP/1.1\r\n')) ?? '', /ZMTP 3/);
    for (const first of [subReady('PUB'), subReady('REQ'), command('READY'), command('ERROR'), subscription('')]) {
      const { session } = start();
      session.received(SUB_GREETING);
      assert.equal(session.received(first), 'it is no subscriber');
      assert.equal(session.isOpen, false);
    }
  });
});

describe('subscriptions', () => {
  it('are prefixes, by message or by command, until they are cancelled', () => {
    const { session, subscribed } = open();
    assert.equal(session.wants('rawtx'), false);
    session.received(Buffer.concat([subscription('raw'), command('SUBSCRIBE', 'hashtx')]));
    assert.deepEqual(subscribed, ['raw', 'hashtx']);
    const wanted = (): string[] => ['hashblock', 'hashtx', 'rawblock', 'rawtx'].filter((topic) => session.wants(topic));
    assert.deepEqual(wanted(), ['hashtx', 'rawblock', 'rawtx']);
    session.received(command('CANCEL', 'raw'));
    assert.deepEqual(wanted(), ['hashtx']);
    session.received(Buffer.concat([encodeMessage([Buffer.from('\0hashtx', 'latin1')]), subscription('')]));
    assert.deepEqual(wanted(), ['hashblock', 'hashtx', 'rawblock', 'rawtx']);
  });

  it('are said by the first part of a message; other messages say nothing', () => {
    const { session } = open();
    const [a, b] = [Buffer.from('\x02a', 'latin1'), Buffer.from('\x01b', 'latin1')];
    assert.equal(session.received(Buffer.concat([encodeMessage([a, b]), encodeMessage([Buffer.alloc(0)])])), undefined);
    assert.equal(session.wants('b'), false);
    session.received(subscription('b'));
    assert.equal(session.wants('b'), true);
  });

  it('are at most a hundred', () => {
    const { session } = open();
    for (let at = 0; at < 100; at++) {
      // The same again is no other one.
      assert.equal(session.received(Buffer.concat([subscription(`t${at}`), subscription('t0')])), undefined);
    }
    assert.equal(session.received(subscription('t100')), 'more than 100 subscriptions');
  });
});

it('a PING is answered with its context, and a malformed one by the end', () => {
  const { session, replies } = open();
  assert.equal(session.received(command('PING', `\0\x0a${'c'.repeat(16)}`)), undefined);
  assert.deepEqual(replies.at(-1), command('PONG', 'c'.repeat(16)));
  assert.equal(open().session.received(command('PING', '\0')), 'malformed PING');
  assert.equal(open().session.received(command('PING', `\0\0${'c'.repeat(17)}`)), 'malformed PING');
});

it('commands of later versions are passed over, errors and malformed ones are the end', () => {
  assert.equal(open().session.received(command('JOIN', 'x')), undefined);
  assert.equal(open().session.received(command('ERROR', '\x02no')), 'it tells of an error');
  assert.equal(open().session.received(Buffer.from([4, 1, 9])), 'malformed command');
  assert.equal(open().session.received(Buffer.from([8, 0])), 'malformed frame');
});
