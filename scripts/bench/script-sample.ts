/** Blocks of a chain as work for the script verifier, and the bare signature checks in that. */
import { readBlockFile } from '#chain';
import { scriptFlagsForBlock } from '#consensus';
import type { Secp256k1 } from '#crypto';
import { Block, type Transaction, type TxOutput, txidFromBytes } from '#primitives';
import { assert } from '#util';
import { createInlineVerifier, type ScriptJob } from '#verify';
import { regtestParams } from './block-maker.ts';

export type SampleBlock = {
  readonly raw: Uint8Array;
  readonly inputs: number;
  readonly flags: number;
  /** By transaction without the coinbase, by input. */
  readonly spent: readonly (readonly TxOutput[])[];
};

export type ChainSample = {
  /** Of the whole chain, coinbases left out. */
  readonly inputs: number;
  readonly bytes: number;
  readonly height: number;
  readonly blocks: readonly SampleBlock[];
};

/** Reads a file of regtest blocks in their order, and takes every `step`-th block of payments as sample. */
export async function readSample(file: string, step: number): Promise<ChainSample> {
  const params = regtestParams();
  const unspent = new Map<string, TxOutput>();
  const blocks: SampleBlock[] = [];
  const total = { inputs: 0, bytes: 0, height: 0 };
  let full = 0;
  for await (const item of readBlockFile(file, params.magic)) {
    assert(item.kind === 'block', 'the file is whole');
    const { block } = item;
    total.height++;
    total.bytes += block.size;
    const spent = spendAll(block, unspent);
    const inputs = spent.reduce((sum, outputs) => sum + outputs.length, 0);
    total.inputs += inputs;
    // A payment has two inputs on average, everything else has one.
    const isFull = inputs > block.transactions.length;
    if (!isFull || full++ % step !== 0) continue;
    const flags = scriptFlagsForBlock({ height: total.height, hash: block.hash }, params);
    blocks.push({ raw: block.raw, inputs, flags, spent });
  }
  return { ...total, blocks };
}

/** Moves the map of unspent outputs behind the block; gives what its transactions spend. */
function spendAll(block: Block, unspent: Map<string, TxOutput>): TxOutput[][] {
  const spent: TxOutput[][] = [];
  for (const tx of block.transactions) {
    if (!tx.isCoinbase) spent.push(takeInputs(tx, unspent));
    tx.outputs.forEach((output, index) => {
      unspent.set(`${tx.txid}:${index}`, output);
    });
  }
  return spent;
}

function takeInputs(tx: Transaction, unspent: Map<string, TxOutput>): TxOutput[] {
  return tx.inputs.map(({ prevTxid, prevIndex }) => {
    const key = `${txidFromBytes(prevTxid)}:${prevIndex}`;
    const output = unspent.get(key);
    assert(output !== undefined, 'a valid chain spends what there is');
    unspent.delete(key);
    return output;
  });
}

/** Decoded anew: transactions remember what was computed of them, and each measurement is of unknown ones. */
export function jobsOf({ raw, flags, spent }: SampleBlock): ScriptJob[] {
  const [, ...payments] = Block.fromBytes(raw).transactions;
  return payments.map((tx, index) => ({ tx, flags, spent: spent[index] ?? [] }));
}

/** One call of the engine, with its own copies of the bytes. */
export type EngineCall = {
  readonly isSignature: boolean;
  /** Makes it again. False when the answer is not what it was. */
  readonly repeat: (secp: Secp256k1) => boolean;
};

/** Everything that the verifier asks the engine for the sample. */
export async function engineCalls(sample: readonly SampleBlock[], secp: Secp256k1): Promise<EngineCall[]> {
  const calls: EngineCall[] = [];
  const recording: Secp256k1 = {
    ...secp,
    verifyEcdsa: (...given) => {
      const [hash, key, signature] = copies(given);
      const answer = secp.verifyEcdsa(hash, key, signature);
      calls.push({ isSignature: true, repeat: (engine) => engine.verifyEcdsa(hash, key, signature) === answer });
      return answer;
    },
    verifySchnorr: (...given) => {
      const [hash, key, signature] = copies(given);
      const answer = secp.verifySchnorr(hash, key, signature);
      calls.push({ isSignature: true, repeat: (engine) => engine.verifySchnorr(hash, key, signature) === answer });
      return answer;
    },
    checkTapTweak: (internal, tweak, output, parity) => {
      const given = copies([internal, tweak, output]);
      const answer = secp.checkTapTweak(...given, parity);
      calls.push({ isSignature: false, repeat: (engine) => engine.checkTapTweak(...given, parity) === answer });
      return answer;
    },
  };
  await using verifier = createInlineVerifier({ secp: recording });
  for (const block of sample) {
    assert((await verifier.verify(jobsOf(block))) === undefined, 'the scripts of a valid chain succeed');
  }
  return calls;
}

type Three = readonly [Uint8Array, Uint8Array, Uint8Array];

function copies([a, b, c]: Three): [Uint8Array, Uint8Array, Uint8Array] {
  return [new Uint8Array(a), new Uint8Array(b), new Uint8Array(c)];
}
