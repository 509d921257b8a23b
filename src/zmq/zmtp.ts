/**
 * ZMTP 3.1 (rfc.zeromq.org/spec/37), as far as a PUB socket speaks it: greeting, frames, commands. Pure.
 * Nothing longer than MAX_FRAME_BYTES is taken from a peer: what a subscriber says is short.
 */
import { asBuffer } from '#util';

/** Octets of the whole greeting. */
const GREETING_BYTES = 64;
const VERSION_AT = 10;
const MECHANISM_AT = 12;
const MECHANISM_BYTES = 20;
const SIGNATURE_FIRST = 0xff;
const SIGNATURE_LAST = 0x7f;

/** Flags of a frame. */
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
const MAX_SHORT_BYTES = 255;

/** A READY with an identity of 255 bytes and more besides, or a long topic. */
export const MAX_FRAME_BYTES = 1_024;

export type Frame = { readonly isCommand: boolean; readonly hasMore: boolean; readonly body: Buffer };

/** Without security (the NULL mechanism). */
export const GREETING: Buffer = (() => {
  const greeting = Buffer.alloc(GREETING_BYTES);
  greeting[0] = SIGNATURE_FIRST;
  greeting[VERSION_AT - 1] = SIGNATURE_LAST;
  greeting[VERSION_AT] = 3;
  greeting[VERSION_AT + 1] = 1;
  greeting.write('NULL', MECHANISM_AT);
  return greeting;
})();

/** Cuts what a peer sends into its greeting and frames. Keeps no more than the last chunk and less than a frame before it. */
export class ZmtpReader {
  #kept: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): void {
    this.#kept = this.#kept.length === 0 ? asBuffer(chunk) : Buffer.concat([this.#kept, chunk]);
  }

  /** Who speaks something else is found out by the first octets of it. */
  greeting(): 'incomplete' | 'malformed' | 'taken' {
    const kept = this.#kept;
    const isZmtp =
      (kept[0] ?? SIGNATURE_FIRST) === SIGNATURE_FIRST &&
      (kept[VERSION_AT - 1] ?? SIGNATURE_LAST) === SIGNATURE_LAST &&
      (kept[VERSION_AT] ?? 3) >= 3;
    if (!isZmtp) return 'malformed';
    if (kept.length < GREETING_BYTES) return 'incomplete';
    const mechanism = GREETING.subarray(MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES);
    if (!mechanism.equals(kept.subarray(MECHANISM_AT, MECHANISM_AT + MECHANISM_BYTES))) return 'malformed';
    this.#kept = kept.subarray(GREETING_BYTES);
    return 'taken';
  }

  frame(): Frame | 'incomplete' | 'malformed' {
    const kept = this.#kept;
    const flags = kept[0];
    if (flags === undefined) return 'incomplete';
    const isCommand = (flags & COMMAND) !== 0;
    const hasMore = (flags & MORE) !== 0;
    if (flags > (MORE | LONG | COMMAND) || (isCommand && hasMore)) return 'malformed';
    const headBytes = (flags & LONG) !== 0 ? 9 : 2;
    if (kept.length < headBytes) return 'incomplete';
    const bodyBytes = headBytes === 9 ? kept.readBigUInt64BE(1) : BigInt(kept.readUInt8(1));
    if (bodyBytes > BigInt(MAX_FRAME_BYTES)) return 'malformed';
    const end = headBytes + Number(bodyBytes);
    if (kept.length < end) return 'incomplete';
    this.#kept = kept.subarray(end);
    return { isCommand, hasMore, body: kept.subarray(headBytes, end) };
  }
}

export type Command = { readonly name: string; readonly data: Buffer };

/** Undefined for what is none. */
export function parseCommand(body: Buffer): Command | undefined {
  const length = body[0];
  if (length === undefined || length === 0 || body.length < 1 + length) return undefined;
  return { name: body.toString('latin1', 1, 1 + length), data: body.subarray(1 + length) };
}

/** The property of a READY; undefined where it is missing, or the whole is malformed. */
export function readyProperty(data: Buffer, wanted: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < data.length; ) {
    const nameEnd = at + 1 + (data[at] ?? 0);
    if (nameEnd + 4 > data.length) return undefined;
    const name = data.toString('latin1', at + 1, nameEnd);
    const valueEnd = nameEnd + 4 + data.readUInt32BE(nameEnd);
    if (valueEnd > data.length) return undefined;
    // "property names are case-insensitive"
    if (name.toLowerCase() === wanted.toLowerCase()) found = data.toString('latin1', nameEnd + 4, valueEnd);
    at = valueEnd;
  }
  return found;
}

export function encodeReady(socketType: string): Buffer {
  const value = Buffer.alloc(4 + socketType.length);
  value.writeUInt32BE(socketType.length);
  value.write(socketType, 4);
  return encodeCommand('READY', Buffer.concat([shortText('Socket-Type'), value]));
}

export function encodeCommand(name: string, data: Uint8Array): Buffer {
  return encodeFrames([Buffer.concat([shortText(name), data])], COMMAND);
}

/** The parts of one message, in one piece of memory of its own. */
export function encodeMessage(parts: readonly Uint8Array[]): Buffer {
  return encodeFrames(parts, 0);
}

function encodeFrames(parts: readonly Uint8Array[], flags: number): Buffer {
  const sizes = parts.map(({ length }) => length + (length > MAX_SHORT_BYTES ? 9 : 2));
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const more = index < parts.length - 1 ? MORE : 0;
    if (part.length > MAX_SHORT_BYTES) {
      bytes.writeUInt8(flags | more | LONG, at);
      bytes.writeBigUInt64BE(BigInt(part.length), at + 1);
      at += 9;
    } else {
      bytes.writeUInt8(flags | more, at);
      bytes.writeUInt8(part.length, at + 1);
      at += 2;
    }
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function shortText(text: string): Buffer {
  return Buffer.concat([Uint8Array.of(text.length), Buffer.from(text, 'latin1')]);
}
