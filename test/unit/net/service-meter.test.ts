/** Quotas of libp2p's services, around stand-ins for streams and the clock's hands in ours. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Connection, Stream } from '@libp2p/interface';
import { ServiceMeter, type ServiceName } from '../../../src/net/service-meter.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let charges: string[];
let meter: ServiceMeter;

beforeEach(() => {
  clock = createManualClock();
  charges = [];
  meter = new ServiceMeter(clock, (peer, offence) => charges.push(`${peer} ${offence}`));
});

class StandIn extends EventTarget {
  resets = 0;
  abort(): void {
    this.resets += 1;
  }
  receive(bytes: number): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data: new Uint8Array(bytes) }));
  }
}

const connectionOf = (peer: string) => ({ remotePeer: peer }) as unknown as Connection;

function opens(name: ServiceName, peer: string, stream = new StandIn()): boolean {
  return meter.gates(name).admits?.('', connectionOf(peer), stream as unknown as Stream) ?? false;
}

function openMany(name: ServiceName, peer: string, count: number): number {
  return Array.from({ length: count }, () => opens(name, peer)).filter((isOpen) => isOpen).length;
}

describe('quotas of services', () => {
  it('admit a burst, then as many as time gives', async () => {
    assert.equal(openMany('ping', 'a', 30), 20);
    await clock.advance(3_000);
    assert.equal(openMany('ping', 'a', 5), 3);
  });

  it('are each peer’s and each service’s own', () => {
    assert.equal(openMany('ping', 'a', 30), 20);
    assert.equal(openMany('ping', 'b', 30), 20);
    assert.equal(openMany('identifyPush', 'a', 6), 5);
  });

  it('cost nothing but the refusal, until there were twenty of them', () => {
    openMany('identifyPush', 'a', 5 + 20);
    assert.deepEqual(charges, []);
    openMany('identifyPush', 'a', 2);
    assert.deepEqual(charges, ['a quota-exceeded', 'a quota-exceeded']);
  });

  it('reset a stream once that brings too many bytes, whatever comes behind them', () => {
    const stream = new StandIn();
    assert.ok(opens('ping', 'a', stream));
    stream.receive(4_000);
    assert.equal(stream.resets, 0);
    for (let more = 0; more < 100; more += 1) stream.receive(4_000);
    assert.equal(stream.resets, 1);
    assert.deepEqual(charges, []);
  });

  it('count bytes over all streams of a peer', () => {
    const [first, second] = [new StandIn(), new StandIn()];
    for (const stream of [first, second]) assert.ok(opens('ping', 'a', stream));
    first.receive(3_000);
    second.receive(3_000);
    assert.deepEqual([first.resets, second.resets], [0, 1]);
  });

  it('price requests, and stores apart from lookups', () => {
    assert.ok(meter.takeRequest('dhtStore', 'a', 4));
    assert.ok(meter.takeRequest('dhtStore', 'a', 16));
    assert.ok(!meter.takeRequest('dhtStore', 'a', 1));
    assert.ok(meter.takeRequest('dhtLookup', 'a', 100));
    assert.ok(!meter.takeRequest('dhtLookup', 'a', 1));
  });
});

describe('what a service throws', () => {
  const thrown = (name: string): void => {
    meter.gates('identifyPush').failed?.(connectionOf('a'), Object.assign(new Error('so'), { name }));
  };

  it('over what is forged is charged', () => {
    for (const name of ['InvalidMessageError', 'InvalidSignatureError', 'InvalidPublicKeyError']) thrown(name);
    assert.deepEqual(charges, Array(3).fill('a protocol-violation'));
  });

  it('over what happens to anybody is not', () => {
    for (const name of ['TimeoutError', 'StreamResetError', 'UnexpectedEOFError', 'AbortError']) thrown(name);
    assert.deepEqual(charges, []);
  });
});
