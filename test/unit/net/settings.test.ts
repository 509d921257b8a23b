/** Options, message ids, error codes, and whose failure an exception is. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RequestError, toRequestError } from '../../../src/net/errors.ts';
import { topicIds } from '../../../src/net/gossip.ts';
import { messageId } from '../../../src/net/gossip-settings.ts';
import { completeOptions, type NetOptions } from '../../../src/net/options.ts';
import { isOwnFailure } from '../../../src/net/worker/thread-guard.ts';
import { NodeError } from '../../../src/util/index.ts';

const ID = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';

function options(changed: Partial<NetOptions> = {}): NetOptions {
  return {
    network: '0f9188f1',
    dataDir: undefined,
    listen: ['/ip4/0.0.0.0/tcp/8333'],
    bootstrap: [],
    seeds: [],
    connect: [],
    maxPeers: 8,
    targetOutbound: 8,
    userAgent: 'x',
    ...changed,
  };
}

suite('net settings', () => {
  test('bad settings are one clear line', () => {
    const bad: Partial<NetOptions>[] = [
      { network: 'mainnet' },
      { listen: ['127.0.0.1:8333'] },
      { listen: ['/ip4/1.2.3.4/udp/1'] },
      { bootstrap: ['/ip4/1.2.3.4/tcp/1'] },
      { connect: ['/dns4/a.example/tcp/x'] },
      { maxPeers: 0 },
      { targetOutbound: -1 },
    ];
    for (const changed of bad) {
      assert.throws(
        () => completeOptions(options(changed)),
        (error) => error instanceof NodeError && error.code === 'BAD_CONFIG' && !error.message.includes('\n'),
      );
    }
  });

  test('private addresses are for local networks', () => {
    const allows = (changed: Partial<NetOptions>) => completeOptions(options(changed)).allowPrivateAddresses;
    assert.equal(allows({}), false);
    assert.equal(allows({ listen: ['/ip4/127.0.0.1/tcp/0'] }), true);
    assert.equal(allows({ listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/0.0.0.0/tcp/0'] }), false);
    assert.equal(allows({ bootstrap: [`/ip4/192.168.1.5/tcp/1/p2p/${ID}`] }), true);
    assert.equal(allows({ listen: [] }), false);
    assert.equal(allows({ allowPrivateAddresses: true }), true);
  });

  test('the id of a gossip message covers its topic', () => {
    const topics = topicIds('0f9188f1');
    const [first = '', second = ''] = topics.keys();
    const data = new Uint8Array(100).fill(3);
    const id = messageId({ topic: first, data }, topics);
    assert.equal(id.length, 20);
    assert.deepEqual(messageId({ topic: first, data: data.slice() }, topics), id);
    assert.notDeepEqual(messageId({ topic: second, data }, topics), id);
    assert.notDeepEqual(messageId({ topic: first, data: data.slice(1) }, topics), id);
    for (const topic of [first, second, 'unknown']) messageId({ topic, data: new Uint8Array(0) }, topics);
  });

  test('libp2p errors become codes by their names', () => {
    const named = (name: string) => Object.assign(new Error('x'), { name });
    assert.equal(toRequestError(named('UnsupportedProtocolError')).code, 'UNSUPPORTED_PROTOCOL');
    assert.equal(toRequestError(named('StreamResetError')).code, 'STREAM_RESET');
    assert.equal(toRequestError(named('MuxerClosedError')).code, 'DISCONNECTED');
    assert.equal(toRequestError('text').code, 'STREAM_RESET');
    const own = new RequestError('TIMEOUT', 'late');
    assert.equal(toRequestError(own), own);
  });

  test('a failure of ours is told from one of a library', () => {
    let ours: unknown;
    try {
      completeOptions(options({ network: '' }));
    } catch (error) {
      ours = error;
    }
    assert.equal(isOwnFailure(ours), true);
    assert.equal(
      isOwnFailure(
        Object.assign(new Error('x'), { stack: 'Error: x\n    at f (file:///a/node_modules/libp2p/x.js:1:1)' }),
      ),
      false,
    );
    assert.equal(isOwnFailure(Object.assign(new Error('x'), { stack: 'Error: x\n    at node:net:1:1' })), false);
    assert.equal(isOwnFailure('text'), false);
  });
});
