/**
 * Network files: the JSON form of `NetworkParams`. config/networks/README.md lists the fields. A file is complete,
 * or says by `base` which built-in network it differs from. Unknown fields are errors: a rule that is misspelt and
 * thus ignored would split a chain.
 */

import { z } from 'zod';
import { Block, type BlockHash, MAX_MONEY, parseBlockHash } from '#primitives';
import { ScriptFlag } from '#script';
import { equalBytes, errorText, fromHex, NodeError, toHex } from '#util';
import { createGenesis, MAX_GENESIS_MESSAGE_BYTES } from './genesis.ts';
import { blockMerkleTree } from './merkle.ts';
import type { NetworkParams } from './params.ts';
import { adjustmentInterval, blockProof, checkProofOfWork } from './pow.ts';
import { signetMagic } from './signet.ts';

export const BUILT_IN_NETWORKS = ['mainnet', 'testnet3', 'testnet4', 'signet', 'regtest'] as const;

const HEX = /^([0-9a-fA-F]{2})*$/;
const UINT32_MAX = 0xffffffff;

const hexBytes = z.string().regex(HEX, 'must be an even number of hex digits').transform(fromHex);
const hashDigits = z.string().regex(/^[0-9a-fA-F]{64}$/, 'must be 64 hex digits');
const blockHash = hashDigits.transform(parseBlockHash);
const uint256 = z
  .string()
  .regex(/^[0-9a-fA-F]{1,64}$/, 'must be 1 to 64 hex digits')
  .transform((hex) => BigInt(`0x${hex}`));
const compactBits = z
  .string()
  .regex(/^[0-9a-fA-F]{8}$/, 'must be 8 hex digits, like "207fffff"')
  .transform((hex) => Number.parseInt(hex, 16));
const uint32 = z.int().min(0).max(UINT32_MAX);
/** Heights are signed 32-bit numbers in Core; the largest says "never". */
const height = z.int().min(0).max(0x7fffffff);
const folderName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be 1 to 32 of a-z, 0-9 and "-"');
const byHeight = z.record(z.string().regex(/^[0-9]{1,10}$/, 'must be a height'), blockHash);

/** What holds from genesis on and may thus need exceptions. */
const flagNames = z
  .array(z.enum(['P2SH', 'WITNESS', 'TAPROOT']))
  .refine((names) => !names.includes('WITNESS') || names.includes('P2SH'), { error: 'WITNESS needs P2SH' });

const statedHash = { hash: blockHash.optional(), skipProofOfWork: z.boolean().default(false) };
const rawGenesis = z.strictObject({ raw: hexBytes, ...statedHash });
const genesisFields = z.strictObject({
  version: z.int().min(-0x80000000).max(0x7fffffff).default(1),
  time: uint32,
  bits: compactBits,
  nonce: uint32,
  message: z.string().refine((text) => new TextEncoder().encode(text).length <= MAX_GENESIS_MESSAGE_BYTES, {
    error: `must have at most ${MAX_GENESIS_MESSAGE_BYTES} bytes`,
  }),
  rewardSats: z.int().min(0).max(Number(MAX_MONEY)),
  outputScript: hexBytes,
  ...statedHash,
});

const pow = z.strictObject({
  limit: uint256.refine((limit) => limit > 0n, { error: 'must not be 0' }),
  targetSpacingSeconds: z.int().min(1).max(UINT32_MAX),
  targetTimespanSeconds: z.int().min(1).max(UINT32_MAX),
  allowMinDifficultyBlocks: z.boolean(),
  noRetargeting: z.boolean(),
  enforceBip94: z.boolean(),
});
const activation = z.strictObject({
  bip34: height,
  bip65: height,
  bip66: height,
  csv: height,
  segwit: height,
  taproot: height,
});
const byte = z.int().min(0).max(255);
/** The four bytes in front of an extended key (BIP32). */
const keyVersion = z
  .string()
  .regex(/^[0-9a-fA-F]{8}$/, 'must be 8 hex digits, like "043587cf"')
  .transform((hex) => Number.parseInt(hex, 16));
const address = z.strictObject({
  pubKeyHash: byte,
  scriptHash: byte,
  secretKey: byte,
  bech32Hrp: z.string().regex(/^[a-z0-9]{1,83}$/, 'must be 1 to 83 of a-z and 0-9'),
  extPublicKey: keyVersion.default(0x043587cf),
  extSecretKey: keyVersion.default(0x04358394),
});

const chainTxData = z.strictObject({
  time: z.int().min(0).max(UINT32_MAX),
  txCount: z.int().min(0),
  txRate: z.number().min(0),
});

const fields = {
  name: folderName,
  chainName: folderName.optional(),
  dataDirName: z.union([z.literal(''), folderName]).optional(),
  magic: hexBytes.refine((bytes) => bytes.length === 4, { error: 'must be 4 bytes (8 hex digits)' }).optional(),
  pow,
  subsidyHalvingInterval: z.int().min(1).max(0x7fffffff),
  activation,
  bip34Hash: blockHash.optional(),
  bip30Exceptions: byHeight.default({}),
  bip30Unspendable: byHeight.default({}),
  scriptFlagExceptions: z.record(hashDigits, flagNames).default({}),
  minimumChainWork: uint256.default(0n),
  assumeValid: blockHash.optional(),
  checkpoints: byHeight.default({}),
  chainTxData: chainTxData.optional(),
  signetChallenge: hexBytes.optional(),
  address,
  seeds: z.array(z.string().startsWith('/', 'must be a multiaddr like /dns4/host/tcp/port/p2p/id')).default([]),
};
/** The fields without `base`, after it is merged in. Two schemas, not a union: its messages would name neither field. */
const fileWithFields = z.strictObject({ ...fields, genesis: genesisFields });
const fileWithRaw = z.strictObject({ ...fields, genesis: rawGenesis });

type NetworkFile = z.infer<typeof fileWithFields> | z.infer<typeof fileWithRaw>;

/** What belongs to one chain: a file with a genesis or a challenge of its own does not take these from its base. */
const CHAIN_FIELDS = [
  'magic',
  'bip34Hash',
  'bip30Exceptions',
  'bip30Unspendable',
  'scriptFlagExceptions',
  'minimumChainWork',
  'assumeValid',
  'checkpoints',
  'chainTxData',
  'seeds',
];
/** What belongs to one network: never taken from the base. */
const OWN_FIELDS = ['name', 'chainName', 'dataDirName'];
/** Sections that are merged field by field. */
const SECTIONS = ['pow', 'activation', 'address'];

/**
 * Builds the parameters from a parsed network file. `bases` holds the parsed files of the built-in networks that
 * `base` may name. Checks the genesis block against its stated hash, its merkle root and its proof of work.
 * Throws NodeError `BAD_CONFIG` with a message that names the field.
 */
export function parseNetworkParams(json: unknown, bases: Readonly<Record<string, unknown>> = {}): NetworkParams {
  const file = readFile(withBase(json, bases));
  const genesis = readGenesis(file);
  const params: NetworkParams = {
    name: file.name,
    chainName: file.chainName ?? file.name,
    dataDirName: file.dataDirName ?? file.name,
    magic: readMagic(file),
    genesis,
    pow: file.pow,
    subsidyHalvingInterval: file.subsidyHalvingInterval,
    activation: file.activation,
    bip34Hash: file.bip34Hash,
    bip30Exceptions: heightMap(file.bip30Exceptions),
    bip30Unspendable: heightMap(file.bip30Unspendable),
    scriptFlagExceptions: readFlagExceptions(file),
    minimumChainWork: file.minimumChainWork,
    assumeValid: file.assumeValid,
    checkpoints: heightMap(file.checkpoints),
    chainTxData: file.chainTxData,
    signetChallenge: file.signetChallenge,
    address: file.address,
    seeds: file.seeds,
  };
  if (adjustmentInterval(params.pow) < 1) {
    throw bad('pow.targetTimespanSeconds', 'must be at least targetSpacingSeconds');
  }
  return params;
}

function bad(field: string, problem: string): NodeError {
  return new NodeError('BAD_CONFIG', `${field}: ${problem}`);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The file's fields on top of those of its base. */
function withBase(json: unknown, bases: Readonly<Record<string, unknown>>): unknown {
  if (!isObject(json) || !('base' in json)) return json;
  const { base: baseName, ...own } = json;
  const base = typeof baseName === 'string' && Object.hasOwn(bases, baseName) ? bases[baseName] : undefined;
  if (!isObject(base)) throw bad('base', `must be one of ${BUILT_IN_NETWORKS.join(', ')}`);
  if (BUILT_IN_NETWORKS.some((name) => name === own['name'])) {
    throw bad('name', `"${String(own['name'])}" is a built-in network; a file with a base needs a name of its own`);
  }
  const ownChain = 'genesis' in own || 'signetChallenge' in own;
  if ('genesis' in own && !('magic' in own || 'signetChallenge' in own)) {
    throw bad('magic', 'a network with its own genesis needs its own magic: 8 hex digits that no other network has');
  }
  const dropped = ownChain ? [...OWN_FIELDS, ...CHAIN_FIELDS] : OWN_FIELDS;
  const merged: Record<string, unknown> = { ...base };
  for (const field of dropped) delete merged[field];
  for (const [field, value] of Object.entries(own)) {
    const below = merged[field];
    merged[field] = SECTIONS.includes(field) && isObject(below) && isObject(value) ? { ...below, ...value } : value;
  }
  return merged;
}

function readFile(json: unknown): NetworkFile {
  const isRaw = isObject(json) && isObject(json['genesis']) && 'raw' in json['genesis'];
  const result = (isRaw ? fileWithRaw : fileWithFields).safeParse(json);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, 3).map((issue) => describe(issue));
  throw new NodeError('BAD_CONFIG', problems.join('; '));
}

function describe(issue: z.core.$ZodIssue): string {
  const field = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => (field === '' ? key : `${field}.${key}`));
    return `${names.join(', ')}: unknown field (misspelt?)`;
  }
  return `${field === '' ? 'the file' : field}: ${issue.message}`;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** Chain work is kept in 128 bits, which no chain of real hashes fills; a genesis without proof of work could. */
const MAX_GENESIS_WORK = 2n ** 127n;

/** The genesis block; it must be what the file says it is. */
function readGenesis({ genesis, pow: { limit } }: NetworkFile): Block {
  const block = 'raw' in genesis ? decodeGenesis(genesis.raw) : createGenesis(genesis);
  const { header } = block;
  if (genesis.hash !== undefined && genesis.hash !== block.hash) {
    throw bad('genesis.hash', `the block's hash is ${block.hash}, not ${genesis.hash}`);
  }
  if (!equalBytes(blockMerkleTree(block).root, header.merkleRoot)) {
    throw bad('genesis.raw', "the header's merkle root is not that of the transactions");
  }
  if (!isZero(header.prevHashBytes)) throw bad('genesis.raw', 'the header names a parent; genesis has none');
  if (blockProof(header.bits) >= MAX_GENESIS_WORK) throw bad('genesis.bits', 'more work than can be done');
  if (!genesis.skipProofOfWork && !checkProofOfWork(header.hashBytes, header.bits, limit)) {
    const advice = 'find another nonce, or set genesis.skipProofOfWork to true';
    throw bad('genesis', `the hash ${block.hash} does not meet bits and pow.limit; ${advice}`);
  }
  return block;
}

function decodeGenesis(raw: Uint8Array): Block {
  try {
    return Block.fromBytes(raw);
  } catch (error) {
    throw bad('genesis.raw', `not a block: ${errorText(error)}`);
  }
}

/** A signet's magic follows from its challenge (BIP325). */
function readMagic({ magic, signetChallenge }: NetworkFile): Uint8Array {
  const derived = signetChallenge === undefined ? undefined : signetMagic(signetChallenge);
  if (magic === undefined && derived === undefined) throw bad('magic', 'is missing: 8 hex digits');
  if (magic !== undefined && derived !== undefined && !equalBytes(magic, derived)) {
    throw bad('magic', `must be ${toHex(derived)} with this signetChallenge (or left out)`);
  }
  return derived ?? magic ?? new Uint8Array();
}

function heightMap(record: Readonly<Record<string, BlockHash>>): ReadonlyMap<number, BlockHash> {
  return new Map(Object.entries(record).map(([key, hash]) => [Number(key), hash]));
}

function readFlagExceptions({ scriptFlagExceptions }: NetworkFile): ReadonlyMap<BlockHash, number> {
  const entries = Object.entries(scriptFlagExceptions);
  return new Map(
    entries.map(([hash, names]) => [parseBlockHash(hash), names.reduce((bits, name) => bits | ScriptFlag[name], 0)]),
  );
}
