/** The codec of ZMTP: every way to cut it, its bounds, and that no bytes break it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeCommand,
  encodeMessage,
  encodeReady,
  GREETING,
  MAX_FRAME_BYTES,
  parseCommand,
  readyProperty,
  ZmtpReader,
} from '../../../src/zmq/zmtp.ts';
import { SUB_GREETING, splitMessages, subReady } from '../../support/zmq-subscriber.ts';

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

function reading(...chunks: readonly Uint8Array[]): ZmtpReader {
  const reader = new ZmtpReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader;
}

describe('the greeting', () => {
  it('is that of ZMTP 3.1 without security', () => {
    const expected = `ff${'00'.repeat(8)}7f0301${Buffer.from('NULL').toString('hex')}${'00'.repeat(48)}`;
    assert.equal(GREETING.toString('hex'), expected);
  });

  it('is taken whole, however it is cut, and what follows is kept', () => {
    const reader = new ZmtpReader();
    for (let at = 0; at < SUB_GREETING.length; at++) {
      assert.equal(reader.greeting(), 'incomplete');
      reader.push(SUB_GREETING.subarray(at, at + 1));
    }
    assert.equal(reader.greeting(), 'taken');
    reader.push(subReady());
    const frame = reader.frame();
    assert.ok(typeof frame === 'object' && frame.isCommand);
    assert.equal(parseCommand(frame.body)?.name, 'READY');
  });

  it('is malformed from the first octet that is wrong', () => {
    const cases: readonly (readonly [Buffer, string])[] = [
      [Buffer.from('G'), 'malformed'],
      [changed(SUB_GREETING, 9, 0).subarray(0, 10), 'malformed'],
      [changed(SUB_GREETING, 10, 2).subarray(0, 11), 'malformed'],
      [SUB_GREETING.subarray(0, 11), 'incomplete'],
      [changed(SUB_GREETING, 12, 0x50), 'malformed'],
      [changed(SUB_GREETING, 16, 0x32), 'malformed'],
      [changed(SUB_GREETING, 10, 4), 'taken'],
      // The length of ZMTP 1.0's frame, which nobody checks; as-server; and the filler.
      [changed(SUB_GREETING, 8, 0), 'taken'],
      [changed(SUB_GREETING, 32, 1), 'taken'],
      [changed(SUB_GREETING, 63, 1), 'taken'],
    ];
    for (const [bytes, expected] of cases) assert.equal(reading(bytes).greeting(), expected, bytes.toString('hex'));
  });
});

describe('frames', () => {
  it('are cut out at any place, short and long ones', () => {
    const long = Buffer.alloc(MAX_FRAME_BYTES, 7);
    const bytes = encodeMessage([Buffer.from('a'), long, Buffer.alloc(0)]);
    for (const step of [1, 2, 3, 100, bytes.length]) {
      const reader = new ZmtpReader();
      const found: (readonly [string, boolean])[] = [];
      for (let at = 0; at < bytes.length; at += step) {
        reader.push(bytes.subarray(at, at + step));
        for (let frame = reader.frame(); frame !== 'incomplete'; frame = reader.frame()) {
          assert.ok(frame !== 'malformed' && !frame.isCommand);
          found.push([frame.body.toString('hex'), frame.hasMore]);
        }
      }
      assert.deepEqual(found, [
        ['61', true],
        [long.toString('hex'), true],
        ['', false],
      ]);
    }
  });

  it('are refused for their flags, and for their length before there is any of it', () => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(MAX_FRAME_BYTES) + 1n);
    for (const bytes of ['0800', '8001', '0500', `02${length.toString('hex')}`, '02ffffffffffffffff']) {
      assert.equal(reading(Buffer.from(bytes, 'hex')).frame(), 'malformed', bytes);
    }
    assert.equal(reading(Buffer.from('02ffff', 'hex')).frame(), 'incomplete');
  });

  it('of a message are read by others', () => {
    const parts = [Buffer.from('rawblock'), Buffer.alloc(255, 1), Buffer.alloc(256, 2), Buffer.alloc(70_000, 3)];
    const { messages, rest } = splitMessages(encodeMessage(parts));
    assert.deepEqual([messages, rest.length], [[parts], 0]);
  });
});

describe('commands', () => {
  it('have a name and data', () => {
    assert.equal(encodeCommand('PONG', Buffer.from('x')).toString('latin1'), '\x04\x06\x04PONGx');
    const command = parseCommand(Buffer.from('\x04PING\x00\x10abc', 'latin1'));
    assert.deepEqual([command?.name, command?.data.toString('latin1')], ['PING', '\x00\x10abc']);
    for (const bytes of ['', '\x00', '\x05PING']) assert.equal(parseCommand(Buffer.from(bytes, 'latin1')), undefined);
  });

  it('READY tells the type of a socket, whatever else is in it and however it is spelled', () => {
    assert.deepEqual(encodeReady('SUB'), subReady());
    const other = Buffer.from('\x08Identity\x00\x00\x00\x02\x00ab', 'latin1');
    const data = Buffer.from('\x08Identity\x00\x00\x00\x01a\x0bSOCKET-TYPE\x00\x00\x00\x03SUB', 'latin1');
    assert.equal(readyProperty(data, 'Socket-Type'), 'SUB');
    assert.equal(readyProperty(other, 'Socket-Type'), undefined);
    for (let end = 15; end < data.length; end++) {
      assert.equal(readyProperty(data.subarray(0, end), 'Socket-Type'), undefined, `cut at ${end}`);
    }
  });
});

it('no bytes break it', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (chunks) => {
      const reader = new ZmtpReader();
      for (const chunk of chunks) {
        reader.push(chunk);
        for (let frame = reader.frame(); typeof frame === 'object'; frame = reader.frame()) {
          const command = parseCommand(frame.body);
          if (command !== undefined) readyProperty(command.data, 'Socket-Type');
          assert.ok(frame.body.length <= MAX_FRAME_BYTES);
        }
      }
    }),
  );
});
