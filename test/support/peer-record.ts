/** Signed peer records as a peer makes them, and such as no peer would. */
import { generateKeyPairFromSeed, publicKeyToProtobuf } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { field, numberField, sized } from './protobuf.ts';

export type RecordSetup = {
  readonly addresses: readonly string[];
  readonly seq: bigint;
  readonly domain: string;
  readonly payloadType: Uint8Array;
  /** Whose record it says it is. Default: the signer's. */
  readonly claimedBy: Ed25519PrivateKey;
  /** In place of what the addresses encode to. */
  readonly rawAddresses: readonly Uint8Array[];
};

export function recordKey(n: number): Promise<Ed25519PrivateKey> {
  const seed = new Uint8Array(32);
  new DataView(seed.buffer).setUint32(0, n + 1);
  return generateKeyPairFromSeed('Ed25519', seed);
}

export async function sealRecord(key: Ed25519PrivateKey, setup: Partial<RecordSetup> = {}): Promise<Uint8Array> {
  const { addresses = ['/ip4/8.8.4.4/tcp/8333'], seq = 1n, domain = 'libp2p-peer-record' } = setup;
  const { payloadType = Uint8Array.of(3, 1), claimedBy = key } = setup;
  const parts = setup.rawAddresses ?? addresses.map((text) => multiaddr(text).bytes);
  const payload = Buffer.concat([
    field(1, peerIdFromPrivateKey(claimedBy).toMultihash().bytes),
    numberField(2, seq),
    ...parts.map((bytes) => field(3, field(1, bytes))),
  ]);
  const signed = [new TextEncoder().encode(domain), payloadType, payload].flatMap((part) => [sized(part)]);
  const signature = await key.sign(Buffer.concat(signed));
  return new Uint8Array(
    Buffer.concat([
      field(1, publicKeyToProtobuf(key.publicKey)),
      field(2, payloadType),
      field(3, payload),
      field(5, signature),
    ]),
  );
}
