/** Chains of valid headers with real, cheap proof of work; the same each time. */
import type { Chain } from '#chain';
import { compactToTarget, type HeaderView, type NetworkParams, nextWorkRequired, parseNetworkParams } from '#consensus';
import { hash256 } from '#crypto';
import {
  BLOCK_HEADER_BYTES,
  type BlockHash,
  blockHashFromBytes,
  compactSizeLength,
  idToBytes,
  Writer,
} from '#primitives';
import { createMemoryAppendFiles, createMemoryStore, type KeyValueStore } from '#store';
import { assert, concatBytes, nullLogger, seededRandom, systemClock } from '#util';
import { createInlineVerifier } from '#verify';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { createBlockStorage } from '../../src/chain/block-storage.ts';
import { createChain } from '../../src/chain/chain.ts';

const SPACING_SECONDS = 600;
const VERSION = 0x20000000;

/** Mainnet's retarget rule from the easiest target: regtest's own rules never change the target. */
export const RETARGETING_NETWORK = {
  ...regtestFile,
  name: 'bench',
  chainName: 'bench',
  dataDirName: 'bench',
  pow: { ...regtestFile.pow, allowMinDifficultyBlocks: false, noRetargeting: false },
};

export const retargetingParams = (): NetworkParams => parseNetworkParams(RETARGETING_NETWORK);

/** Core's MAX_HEADERS_RESULTS. */
export const HEADERS_PER_MESSAGE = 2000;

/** The message of `headers/1` that holds these headers. */
export function headerMessage(raw: Uint8Array): Uint8Array {
  const count = raw.length / BLOCK_HEADER_BYTES;
  const prefix = new Writer(compactSizeLength(count)).compactSize(count).finish();
  return concatBytes(prefix, raw);
}

/** `count` headers behind genesis, 80 bytes each, one behind the other. About two hashes a header. */
export function buildHeaders(params: NetworkParams, count: number): Uint8Array {
  const all = new Uint8Array(count * BLOCK_HEADER_BYTES);
  const views: Fields[] = [fieldsOfGenesis(params)];
  for (let height = 1; height <= count; height++) {
    const parent = views[height - 1];
    assert(parent !== undefined, 'each header has a parent');
    const time = parent.time + SPACING_SECONDS;
    const bits = nextWorkRequired(viewAt(views, height - 1), time, params);
    const raw = all.subarray((height - 1) * BLOCK_HEADER_BYTES, height * BLOCK_HEADER_BYTES);
    views.push({ version: VERSION, time, bits, hash: solve(raw, parent.hash, time, bits, height) });
  }
  return all;
}

type Fields = Pick<HeaderView, 'version' | 'time' | 'bits' | 'hash'>;

function fieldsOfGenesis({ genesis }: NetworkParams): Fields {
  const { version, time, bits } = genesis.header;
  return { version, time, bits, hash: genesis.hash };
}

function viewAt(all: readonly Fields[], height: number): HeaderView {
  const fields = all[height];
  assert(fields !== undefined, 'an ancestor was built before');
  return { ...fields, height, ancestor: (to) => viewAt(all, to) };
}

/** Fills in the header and finds its nonce. The merkle root holds the height: nobody asks for these blocks. */
function solve(raw: Uint8Array, prevHash: BlockHash, time: number, bits: number, height: number): BlockHash {
  const view = new DataView(raw.buffer, raw.byteOffset, BLOCK_HEADER_BYTES);
  view.setInt32(0, VERSION, true);
  raw.set(idToBytes(prevHash), 4);
  view.setUint32(36, height, true);
  view.setUint32(68, time, true);
  view.setUint32(72, bits, true);
  const { target } = compactToTarget(bits);
  for (let nonce = 0; ; nonce++) {
    view.setUint32(76, nonce, true);
    const hash = blockHashFromBytes(hash256(raw));
    if (BigInt(`0x${hash}`) <= target) return hash;
  }
}

export function messagesOf(raw: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const step = HEADERS_PER_MESSAGE * BLOCK_HEADER_BYTES;
  for (let at = 0; at < raw.length; at += step) messages.push(headerMessage(raw.subarray(at, at + step)));
  return messages;
}

/** What the chain writes of headers meanwhile is no part of the figures. */
function forgetfulStore(): KeyValueStore {
  const store = createMemoryStore();
  return {
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    write: async () => {},
    clear: (range) => store.clear(range),
    entries: (range) => store.entries(range),
    sizeOnDisk: () => store.sizeOnDisk(),
    trim: () => store.trim(),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** A chain whose stores are in memory. */
export async function memoryChain(params: NetworkParams): Promise<Chain> {
  const files = { maxFileBytes: 1 << 27 };
  return createChain(
    {
      params,
      indexStore: forgetfulStore(),
      coinsStore: createMemoryStore(),
      storage: createBlockStorage(createMemoryAppendFiles(files), createMemoryAppendFiles(files), params.magic),
      verifier: await createInlineVerifier(),
      clock: systemClock,
      random: seededRandom(1),
      log: nullLogger,
    },
    { dbCacheBytes: 1 << 24 },
  );
}
