import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HostLimits, type HostLimitsDeps } from '../../../src/net/host-limits.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** What the limits know of a connection. */
class FakeConnection {
  isAborted = false;
  #onClose = (): void => {};

  addEventListener(_type: unknown, listener: () => void): void {
    this.#onClose = listener;
  }

  send(): boolean {
    return true;
  }

  abort(): void {
    this.isAborted = true;
    this.#onClose();
  }
}

function makeLimits(changed: Partial<HostLimitsDeps> = {}) {
  const clock = createManualClock();
  const limits = new HostLimits({ clock, connectionsOf: () => 0, sparesLocalHosts: true, ...changed });
  /** The connection if it was let in. */
  const connect = (ip: string): FakeConnection | undefined => {
    if (!limits.mayConnect(ip)) return undefined;
    const connection = new FakeConnection();
    limits.begin(connection as never, ip);
    return connection;
  };
  const settled = (connection: FakeConnection | undefined): void => limits.settled(connection as never);
  return { clock, connect, settled };
}

suite('net host limits', () => {
  test('two handshakes at once a host, whatever ends them', () => {
    const { connect, settled } = makeLimits();
    const [first, second] = [connect('1.2.3.4'), connect('1.2.3.4')];
    assert.ok(first && second);
    assert.equal(connect('1.2.3.4'), undefined);
    assert.equal(connect('::ffff:1.2.3.4'), undefined, 'the same host in other words');
    assert.ok(connect('1.2.3.5'));
    first.abort();
    assert.ok(connect('1.2.3.4'));
    settled(second);
    settled(second);
    assert.ok(connect('1.2.3.4'));
    assert.equal(connect('1.2.3.4'), undefined);
  });

  test('ten at once, then one a second', async () => {
    const { clock, connect } = makeLimits();
    const come = (): boolean => {
      const connection = connect('1.2.3.4');
      connection?.abort();
      return connection !== undefined;
    };
    assert.equal(Array.from({ length: 100 }, come).filter(Boolean).length, 10);
    await clock.advance(999);
    assert.equal(come(), false);
    await clock.advance(1);
    assert.equal(come(), true);
    assert.equal(come(), false);
  });

  test('four standing connections a host, an IPv6 /64 being one', () => {
    const { connect } = makeLimits({ connectionsOf: (host) => (host === '2a00:1:2:3::/64' ? 4 : 3) });
    assert.equal(connect('2a00:1:2:3::1'), undefined);
    assert.ok(connect('2a00:1:2:4::1'));
  });

  test('local hosts are spared, unless told otherwise', () => {
    const spared = makeLimits();
    assert.equal(Array.from({ length: 20 }, () => spared.connect('127.0.0.1')).filter(Boolean).length, 20);
    const strict = makeLimits({ sparesLocalHosts: false });
    assert.equal(Array.from({ length: 20 }, () => strict.connect('127.0.0.1')).filter(Boolean).length, 2);
  });

  test('where all handshakes are taken, the oldest of the host that has most makes room', () => {
    const { connect } = makeLimits();
    const comeFrom = (hosts: readonly string[]) => hosts.map((host) => connect(host) ?? assert.fail(host));
    const abortedAmong = (all: readonly FakeConnection[]): number[] =>
      all.flatMap(({ isAborted }, at) => (isAborted ? [at] : []));
    const crowd = comeFrom(Array<string>(64).fill('10.0.0.1'));
    const strangers = comeFrom(Array.from({ length: 20 }, (_, at) => `1.2.3.${at}`));
    assert.deepEqual(abortedAmong(crowd), [...crowd.keys()].slice(0, 20));
    comeFrom(Array<string>(10).fill('10.0.0.1'));
    assert.deepEqual(abortedAmong(crowd), [...crowd.keys()].slice(0, 30), 'it pays for its own');
    assert.deepEqual(abortedAmong(strangers), []);
    // Where all have one, whoever came first goes.
    comeFrom(Array.from({ length: 43 }, (_, at) => `5.6.7.${at}`));
    assert.deepEqual(abortedAmong(strangers), []);
    comeFrom(['9.9.9.9']);
    assert.deepEqual(abortedAmong(strangers), [0]);
  });
});
