/** What two hellos decide, and what a hello may carry. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodeError, MAX_MONEY, parseBlockHash } from '#primitives';
import { checkHello, type Hello, PROTOCOL_REVISION, SERVICES, streams } from '#protocol';
import { concatBytes, fromHex } from '#util';
import { negotiateRevision } from '../../../src/protocol/negotiation.ts';
import { genesisHash } from './vectors.ts';

const codec = streams.hello.request;
const ours: Hello = {
  revision: PROTOCOL_REVISION,
  services: SERVICES.network | SERVICES.witness,
  genesisHash,
  userAgent: '/starling:0.1.0/',
  time: 1_700_000_000,
  tipHash: genesisHash,
  tipHeight: 0,
  tipChainWork: 0x100010001n,
  lowestHeightServed: 0,
  relay: true,
  feeFilterSatPerKvb: 0n,
  nonce: 7n,
};
const theirs: Hello = { ...ours, nonce: 8n };
const reread = (hello: Hello): Hello => codec.decode(codec.encode(hello));

test('peers of one network are welcome, others are refused by name', () => {
  assert.deepEqual(checkHello(ours, theirs), { kind: 'welcome', revision: 1 });
  assert.deepEqual(checkHello(ours, { ...theirs, revision: 9 }), { kind: 'welcome', revision: 1 });
  const offence = (hello: Hello): string | undefined => {
    const verdict = checkHello(ours, hello);
    return verdict.kind === 'refused' ? verdict.offence : undefined;
  };
  assert.equal(offence({ ...theirs, genesisHash: parseBlockHash('00'.repeat(32)) }), 'wrong-network');
  assert.equal(offence(ours), 'self-connection');
  assert.equal(offence({ ...theirs, revision: 0 }), 'no-common-revision');
});

test('the revision is the highest that both speak', () => {
  assert.equal(negotiateRevision(1, 1), 1);
  assert.equal(negotiateRevision(3, 2), 2);
  assert.equal(negotiateRevision(1, 0xffffffff), 1);
  assert.equal(negotiateRevision(1, 0), undefined);
});

test('the extremes of every field survive', () => {
  const extreme: Hello = {
    revision: 0xffffffff,
    services: 2n ** 64n - 1n,
    genesisHash: parseBlockHash('ff'.repeat(32)),
    userAgent: 'a'.repeat(256),
    time: Number.MAX_SAFE_INTEGER,
    tipHash: parseBlockHash(`01${'00'.repeat(31)}`),
    tipHeight: 0xffffffff,
    tipChainWork: 2n ** 256n - 1n,
    lowestHeightServed: 0xffffffff,
    relay: false,
    feeFilterSatPerKvb: MAX_MONEY,
    nonce: 2n ** 64n - 1n,
  };
  assert.deepEqual(reread(extreme), extreme);
  assert.deepEqual(reread({ ...extreme, time: -5, userAgent: '', tipChainWork: 0n }).time, -5);
});

test('a user agent shows only safe characters', () => {
  assert.equal(reread({ ...ours, userAgent: '<b>\u001b[31m\n"é/x:1(y)' }).userAgent, 'b31m/x:1(y)');
  assert.equal(reread({ ...ours, userAgent: 'x'.repeat(300) }).userAgent, 'x'.repeat(256));
  const bytes = codec.encode({ ...ours, userAgent: 'ab' });
  const at = 4 + 8 + 32;
  bytes[at + 1] = 0x1b;
  assert.equal(codec.decode(bytes).userAgent, 'b');
});

test('fields out of range are refused', () => {
  const bytes = codec.encode({ ...ours, userAgent: '' });
  const at = { agent: 44, time: 45, relay: 45 + 8 + 32 + 4 + 32 + 4, fee: 45 + 8 + 32 + 4 + 32 + 5 };
  const spoil = (offset: number, hex: string): Uint8Array => {
    const copy = bytes.slice();
    copy.set(fromHex(hex), offset);
    return copy;
  };
  assert.throws(() => codec.decode(spoil(at.relay, '02')), DecodeError);
  assert.throws(() => codec.decode(spoil(at.time, 'ffffffffffffff7f')), DecodeError);
  assert.throws(() => codec.decode(spoil(at.fee, 'ffffffffffffffff')), DecodeError);
  assert.throws(() => codec.decode(spoil(at.fee, '0140075af0750700')), DecodeError);
  const longAgent = concatBytes(bytes.subarray(0, 44), fromHex(`fd0101${'61'.repeat(257)}`), bytes.subarray(45));
  assert.throws(() => codec.decode(longAgent), DecodeError);
});

test('later revisions may append fields up to 1 KiB', () => {
  const bytes = codec.encode(ours);
  assert.deepEqual(codec.decode(concatBytes(bytes, new Uint8Array(1024 - bytes.length).fill(0xee))), ours);
  assert.throws(() => codec.decode(concatBytes(bytes, new Uint8Array(1025 - bytes.length))), DecodeError);
});
