/**
 * The node's key: Ed25519, made once, kept in `<dataDir>/peer.key` (libp2p's protobuf form, 68 bytes) readable by
 * its owner only. The peer id is its public half, so a damaged file is refused: a new key would be another node.
 */
import { chmod, mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  generateKeyPair,
  generateKeyPairFromSeed,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
} from '@libp2p/crypto/keys';
import type { PrivateKey } from '@libp2p/interface';
import { equalBytes, errorText, type Logger, NodeError } from '#util';
import { isMissing } from './json-file.ts';

const SEED_BYTES = 32;

/** Loads the key, making it first if there is none. Without a directory: a key for this run only. */
export async function loadPeerKey(dataDir: string | undefined, log: Logger): Promise<PrivateKey> {
  if (dataDir === undefined) return generateKeyPair('Ed25519');
  const path = join(dataDir, 'peer.key');
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (isMissing(error)) return makeKey(dataDir, path);
    throw new NodeError('IO', `cannot read the peer key ${path}: ${errorText(error)}`, { cause: error });
  }
  await keepPrivate(path, log);
  return parseKey(path, bytes);
}

async function parseKey(path: string, bytes: Uint8Array): Promise<PrivateKey> {
  try {
    const key = privateKeyFromProtobuf(bytes);
    // The file holds seed and public half; a flipped bit in one of them must not become an identity.
    const again = await generateKeyPairFromSeed('Ed25519', key.raw.subarray(0, SEED_BYTES));
    if (key.type === 'Ed25519' && again.equals(key) && equalBytes(privateKeyToProtobuf(again), bytes)) return key;
  } catch {
    // Reported below.
  }
  throw new NodeError(
    'CORRUPT_DATA',
    `the peer key ${path} is damaged; restore it, or delete it to continue under a new peer id`,
  );
}

async function makeKey(dataDir: string, path: string): Promise<PrivateKey> {
  const key = await generateKeyPair('Ed25519');
  const beside = `${path}.new`;
  try {
    await mkdir(dataDir, { recursive: true });
    const file = await open(beside, 'w', 0o600);
    try {
      await file.writeFile(privateKeyToProtobuf(key));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    throw new NodeError('IO', `cannot write the peer key ${path}: ${errorText(error)}`, { cause: error });
  }
  return key;
}

async function keepPrivate(path: string, log: Logger): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  try {
    await chmod(path, 0o600);
  } catch (error) {
    const why = `others can read the peer key ${path}, and its mode cannot be changed to 0600`;
    throw new NodeError('IO', `${why}: ${errorText(error)}`, { cause: error });
  }
  log.warn('the peer key was readable by others; its mode is now 0600', { file: path });
}
