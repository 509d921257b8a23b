/**
 * Signed peer records: libp2p's envelope (RFC 2) around a record of a peer's addresses (RFC 3). Opened here within
 * bounds instead of by libp2p's class, which gives up a whole record for one address of a kind that it does not know,
 * and puts no bound on their number. Only keys that the peer id itself contains: those of nodes are Ed25519.
 */
import { publicKeyFromProtobuf } from '@libp2p/crypto/keys';
import type { PublicKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { concatBytes, equalBytes } from '#util';
import type { PeerIdText } from '../port.ts';

const DOMAIN = new TextEncoder().encode('libp2p-peer-record');
/** The multicodec of a peer record. */
const PAYLOAD_TYPE = Uint8Array.of(0x03, 0x01);
/** As the row has it. An honest record of four addresses has 250. */
export const MAX_RECORD_BYTES = 1024;
/** Read of one record; of honest ones there are four. */
const MAX_ADDRESSES = 16;
const KEY_TYPES: ReadonlySet<string> = new Set<PublicKey['type']>(['Ed25519', 'secp256k1']);

/** Field numbers of the two protobuf messages. */
const ENVELOPE = { publicKey: 1, payloadType: 2, payload: 3, signature: 5 } as const;
const RECORD = { peerId: 1, seq: 2, addresses: 3 } as const;
const ADDRESS = { multiaddr: 1 } as const;

export type PeerRecord = {
  readonly id: PeerIdText;
  /** Counts up with each record of a peer: the highest is the newest. */
  readonly seq: bigint;
  readonly addresses: readonly Multiaddr[];
};

/**
 * What the bytes say if they are signed by the peer that they speak of. `false`: they are not, or are malformed, and
 * nobody honest hands them on. `undefined`: signed by a key of a kind that we do not check.
 */
export async function openPeerRecord(bytes: Uint8Array): Promise<PeerRecord | false | undefined> {
  const envelope = bytes.length > MAX_RECORD_BYTES ? undefined : fieldsOf(bytes);
  const payload = envelope && bytesField(envelope, ENVELOPE.payload);
  const record = payload && fieldsOf(payload);
  if (envelope === undefined || payload === undefined || record === undefined) return false;
  const type = bytesField(envelope, ENVELOPE.payloadType);
  const key = parseKey(bytesField(envelope, ENVELOPE.publicKey));
  if (key === false || type === undefined || !equalBytes(type, PAYLOAD_TYPE)) return false;
  if (!KEY_TYPES.has(key.type)) return undefined;
  const peerId = peerIdFromPublicKey(key);
  const claimed = bytesField(record, RECORD.peerId);
  if (claimed === undefined || !equalBytes(claimed, peerId.toMultihash().bytes)) return false;
  if (!(await isSigned(key, payload, bytesField(envelope, ENVELOPE.signature)))) return false;
  return { id: peerId.toString(), seq: numberField(record, RECORD.seq), addresses: addressesOf(record) };
}

function parseKey(bytes: Uint8Array | undefined): PublicKey | false {
  try {
    return bytes === undefined ? false : publicKeyFromProtobuf(bytes);
  } catch {
    return false;
  }
}

async function isSigned(key: PublicKey, payload: Uint8Array, signature: Uint8Array | undefined): Promise<boolean> {
  if (signature === undefined) return false;
  const parts = [DOMAIN, PAYLOAD_TYPE, payload].flatMap((part) => [varint(part.length), part]);
  try {
    return await key.verify(concatBytes(...parts), signature);
  } catch {
    return false;
  }
}

/** Those that parse: a peer may have addresses of a kind that we do not know. */
function addressesOf(record: readonly Field[]): Multiaddr[] {
  const infos = record.filter(({ number }) => number === RECORD.addresses).slice(0, MAX_ADDRESSES);
  return infos.flatMap(({ value }) => {
    const fields = typeof value === 'bigint' ? undefined : fieldsOf(value);
    const bytes = fields && bytesField(fields, ADDRESS.multiaddr);
    try {
      return bytes === undefined ? [] : [multiaddr(bytes)];
    } catch {
      return [];
    }
  });
}

/** A field of a protobuf message: bytes, or a varint. */
type Field = { readonly number: number; readonly value: Uint8Array | bigint };

function bytesField(fields: readonly Field[], wanted: number): Uint8Array | undefined {
  const value = fields.findLast(({ number }) => number === wanted)?.value;
  return typeof value === 'bigint' ? undefined : value;
}

function numberField(fields: readonly Field[], wanted: number): bigint {
  const value = fields.findLast(({ number }) => number === wanted)?.value;
  return typeof value === 'bigint' ? value : 0n;
}

/** All fields in order, views of the bytes; undefined if these are no message of varints and bytes. */
function fieldsOf(bytes: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = readVarint(bytes, at);
    const first = tag && readVarint(bytes, tag.end);
    if (tag === undefined || first === undefined) return undefined;
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    if (number === 0 || (wireType !== 0 && wireType !== 2)) return undefined;
    const end = wireType === 0 ? first.end : first.end + Number(first.value);
    if (end > bytes.length) return undefined;
    fields.push({ number, value: wireType === 0 ? first.value : bytes.subarray(first.end, end) });
    at = end;
  }
  return fields;
}

/** At most 64 bits; undefined if it is longer or cut. */
function readVarint(bytes: Uint8Array, start: number): { readonly value: bigint; readonly end: number } | undefined {
  let value = 0n;
  for (let index = 0; index < 10; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 0x7f) << BigInt(7 * index);
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: start + index + 1 };
  }
  return undefined;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
