/** Genesis blocks: Core's form (CreateGenesisBlock) from a few fields, and the search for a nonce. */
import { hash256 } from '#crypto';
import { BLOCK_HEADER_BYTES, Block, BlockHeader, blockHashFromBytes, Transaction } from '#primitives';
import { concatBytes } from '#util';
import { merkleRoot } from './merkle.ts';
import { checkProofOfWork, MAX_TARGET, targetOf } from './pow.ts';

export type GenesisFields = {
  readonly version: number;
  /** Unix seconds. */
  readonly time: number;
  /** Compact target (nBits). */
  readonly bits: number;
  readonly nonce: number;
  /** UTF-8 text in the coinbase script; at most 91 bytes. */
  readonly message: string;
  readonly rewardSats: number;
  readonly outputScript: Uint8Array;
};

/** Each genesis since Satoshi's begins its coinbase script with pushes of 0x1d00ffff and 4. */
const COINBASE_PREFIX = Uint8Array.of(0x04, 0xff, 0xff, 0x00, 0x1d, 0x01, 0x04);
const OP_PUSHDATA1 = 0x4c;
const MAX_NONCE = 0xffffffff;
const NULL_HASH = blockHashFromBytes(new Uint8Array(32));
const NONCE_OFFSET = 76;

/** The bytes of the longest message: the coinbase script may have 100 bytes (2 of them push the message). */
export const MAX_GENESIS_MESSAGE_BYTES = 100 - COINBASE_PREFIX.length - 2;

export function createGenesis(fields: GenesisFields): Block {
  const coinbase = createCoinbase(fields);
  const { version, time, bits, nonce } = fields;
  const root = merkleRoot([coinbase.txidBytes]);
  const header = BlockHeader.fromFields({ version, prevHash: NULL_HASH, merkleRoot: root, time, bits, nonce });
  return Block.fromParts(header, [coinbase]);
}

function createCoinbase(fields: GenesisFields): Transaction {
  const message = new TextEncoder().encode(fields.message);
  const push = message.length < OP_PUSHDATA1 ? [message.length] : [OP_PUSHDATA1, message.length];
  return Transaction.fromFields({
    version: 1,
    inputs: [
      {
        prevTxid: new Uint8Array(32),
        prevIndex: 0xffffffff,
        scriptSig: concatBytes(COINBASE_PREFIX, Uint8Array.from(push), message),
        sequence: 0xffffffff,
        witness: [],
      },
    ],
    outputs: [{ value: BigInt(fields.rewardSats), scriptPubKey: fields.outputScript }],
    lockTime: 0,
  });
}

/**
 * Looks for a nonce that meets the fields' own target, from `fields.nonce` upwards, at most `maxTries` of them
 * (a million takes a few seconds). Gives the block, or undefined: go on with a higher nonce or another time.
 */
export function mineGenesis(fields: GenesisFields, maxTries = 1_000_000): Block | undefined {
  if (targetOf(fields.bits, MAX_TARGET) === undefined) return undefined;
  const raw = createGenesis(fields).raw;
  const header = raw.subarray(0, BLOCK_HEADER_BYTES);
  const view = new DataView(raw.buffer, raw.byteOffset);
  const end = Math.min(fields.nonce + maxTries, MAX_NONCE + 1);
  for (let nonce = fields.nonce; nonce < end; nonce++) {
    view.setUint32(NONCE_OFFSET, nonce, true);
    if (checkProofOfWork(hash256(header), fields.bits, MAX_TARGET)) return Block.fromBytes(raw);
  }
  return undefined;
}
