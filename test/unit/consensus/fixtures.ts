/** Small builders for consensus tests: parameters, header chains, transactions, blocks with real proof of work. */
import assert from 'node:assert/strict';
import { type HeaderView, type NetworkParams, parseNetworkParams } from '#consensus';
import {
  Block,
  type BlockHash,
  BlockHeader,
  type BlockHeaderFields,
  blockHashFromBytes,
  Transaction,
  type TransactionFields,
  type TxInput,
  type TxOutput,
} from '#primitives';
import { NodeError } from '#util';
import mainnet from '../../../config/networks/mainnet.json' with { type: 'json' };
import regtest from '../../../config/networks/regtest.json' with { type: 'json' };
import signet from '../../../config/networks/signet.json' with { type: 'json' };
import testnet3 from '../../../config/networks/testnet3.json' with { type: 'json' };
import testnet4 from '../../../config/networks/testnet4.json' with { type: 'json' };
import { merkleTree } from '../../../src/consensus/merkle.ts';
import { checkProofOfWork } from '../../../src/consensus/pow.ts';
import { witnessCommitmentScript } from '../../../src/consensus/witness-commitment.ts';

export const networkFiles = { mainnet, testnet3, testnet4, signet, regtest };

/** What is said of a network file that is refused; `none` when it is taken. */
export function problemOf(json: unknown): string {
  try {
    parseNetworkParams(json, networkFiles);
  } catch (error) {
    assert(error instanceof NodeError && error.code === 'BAD_CONFIG', String(error));
    return error.message;
  }
  return 'none';
}

export function paramsOf(name: keyof typeof networkFiles): NetworkParams {
  return parseNetworkParams(networkFiles[name]);
}

export type ViewFields = { readonly time: number; readonly bits?: number; readonly version?: number };

const EASIEST_BITS = 0x207fffff;

/** A chain of header views, one for each of `fields` from `firstHeight` up; asking for a height below it fails. */
export function viewChain(fields: readonly ViewFields[], firstHeight = 0): HeaderView[] {
  const views: HeaderView[] = [];
  for (const [i, { time, bits = EASIEST_BITS, version = 4 }] of fields.entries()) {
    const height = firstHeight + i;
    views.push({
      height,
      time,
      bits,
      version,
      hash: numberedHash(height),
      ancestor: (h) => viewAt(views, h - firstHeight),
    });
  }
  return views;
}

export function viewAt(views: readonly HeaderView[], index: number): HeaderView {
  const view = views.at(index);
  assert(index >= 0 && view !== undefined, `the test has no header ${index}`);
  return view;
}

/** The last view of a chain. */
export function tipOf(views: readonly HeaderView[]): HeaderView {
  return viewAt(views, views.length - 1);
}

/** A hash that no block has, different for each number. */
export function numberedHash(number: number): BlockHash {
  const bytes = new Uint8Array(32).fill(0xaa);
  new DataView(bytes.buffer).setUint32(0, number);
  return blockHashFromBytes(bytes);
}

/** An input that spends output `index` of a made-up transaction. */
export function input(index = 0, changes: Partial<TxInput> = {}): TxInput {
  const prevTxid = new Uint8Array(32).fill(7);
  return { prevTxid, prevIndex: index, scriptSig: new Uint8Array(), sequence: 0xffffffff, witness: [], ...changes };
}

export function output(value: bigint | number = 1, scriptPubKey: Uint8Array = Uint8Array.of(0x51)): TxOutput {
  return { value: BigInt(value), scriptPubKey };
}

export function transaction(changes: Partial<TransactionFields> = {}): Transaction {
  return Transaction.fromFields({ version: 2, inputs: [input()], outputs: [output()], lockTime: 0, ...changes });
}

export function coinbase(
  scriptSig: Uint8Array,
  outputs: readonly TxOutput[] = [output(50n)],
  witness: readonly Uint8Array[] = [],
): Transaction {
  const nullInput = { prevTxid: new Uint8Array(32), prevIndex: 0xffffffff, scriptSig, sequence: 0xffffffff, witness };
  return Transaction.fromFields({ version: 1, inputs: [nullInput], outputs, lockTime: 0 });
}

/** A block of the transactions that meets regtest's proof of work. */
export function mineBlock(transactions: readonly Transaction[], changes: Partial<BlockHeaderFields> = {}): Block {
  for (let nonce = 0; nonce < 1000; nonce++) {
    const header = BlockHeader.fromFields({
      version: 4,
      prevHash: numberedHash(0),
      merkleRoot: merkleTree(transactions.map((tx) => tx.txidBytes)).root,
      time: 1_700_000_000,
      bits: EASIEST_BITS,
      nonce,
      ...changes,
    });
    if (checkProofOfWork(header.hashBytes, header.bits, 2n ** 255n)) return Block.fromParts(header, transactions);
  }
  throw new Error('no nonce found in 1000 tries');
}

/** The coinbase output that commits to the witnesses of `transactions` (all but the coinbase). */
export function commitmentOutput(transactions: readonly Transaction[], reservedValue: Uint8Array): TxOutput {
  const leaves = [new Uint8Array(32), ...transactions.map((tx) => tx.wtxidBytes)];
  return output(0n, witnessCommitmentScript(merkleTree(leaves).root, reservedValue));
}
