/** Bitcoin Core's own test vectors, and the helpers that read their notation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { Transaction, type TxOutput } from '#primitives';
import { Op, pushData, pushNumber, ScriptFlag } from '#script';
import { concatBytes, fromHex } from '#util';
import { sharedPath } from './shared.ts';

/** Where bitcore-lib carries (older) copies, for a clone without the shared folder. */
const FALLBACKS: Readonly<Record<string, string>> = {
  'script_tests.json': 'bitcore-lib/test/data/bitcoind/script_tests.json',
  'sighash.json': 'bitcore-lib/test/data/sighash.json',
};

/** The parsed file, or undefined when it is nowhere: the test then skips. */
export function coreVectors(name: string): unknown[] | undefined {
  const path = sharedPath(`vectors/${name}`) ?? packagedPath(FALLBACKS[name]);
  if (path === undefined) return undefined;
  const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (!Array.isArray(parsed)) throw new TypeError(`${name} is no list`);
  return parsed;
}

/** A file inside an installed package, if that is installed. */
export function packagedPath(specifier: string | undefined): string | undefined {
  if (specifier === undefined) return undefined;
  try {
    return createRequire(import.meta.url).resolve(specifier);
  } catch {
    return undefined;
  }
}

/** Rows that are cases: comment rows have one element. Nothing else is passed over. */
export function caseRows(rows: readonly unknown[]): unknown[][] {
  return rows.map(list).filter((row) => {
    assert.ok(row.length > 0, 'a row is a case or a comment');
    return row.length > 1;
  });
}

/** Says in the test's output how many cases of a file ran, and fails unless all of them did. */
export function reportCount(t: TestContext, what: string, run: number, of: number, remark?: string): void {
  assert.equal(run, of, `cases of ${what} that ran`);
  assert.ok(run > 0, `${what} holds cases`);
  t.diagnostic(`${what}: ${run} of ${of}${remark === undefined ? '' : `, ${remark}`}`);
}

const OPCODES: ReadonlyMap<string, number> = new Map(
  Object.entries(Op)
    .filter(([, opcode]) => opcode >= Op.OP_NOP || opcode === Op.OP_RESERVED)
    .flatMap(([name, opcode]) => [
      [name, opcode],
      [name.slice(3), opcode],
    ]),
);

/** Core's ParseScript: numbers, 0x raw bytes, 'text' pushes, opcode names with or without OP_. */
export function assemble(text: string): Uint8Array {
  const words = text.split(/[ \t\n]+/).filter((word) => word !== '');
  return concatBytes(...words.map(assembleWord));
}

function assembleWord(word: string): Uint8Array {
  if (/^-?\d+$/.test(word)) return pushNumber(Number(word));
  if (/^0x[0-9a-f]+$/i.test(word)) return fromHex(word.slice(2));
  if (word.length >= 2 && word.startsWith("'") && word.endsWith("'")) return pushData(Buffer.from(word.slice(1, -1)));
  const opcode = OPCODES.get(word);
  if (opcode === undefined) throw new TypeError(`unknown word in a script: ${word}`);
  return Uint8Array.of(opcode);
}

/** Core's ParseScriptFlags: names joined by commas; empty and NONE are no flags. */
export function parseFlags(text: string): number {
  let flags = 0;
  for (const name of text.split(',')) {
    if (name === '' || name === 'NONE') continue;
    const bit = (ScriptFlag as Readonly<Record<string, number>>)[name];
    if (bit === undefined) throw new TypeError(`unknown script flag: ${name}`);
    flags |= bit;
  }
  return flags;
}

export const ALL_FLAG_BITS: readonly number[] = Object.values(ScriptFlag).filter((bit) => bit !== 0);

/** Core's TrimFlags: drops what its missing premise makes meaningless. */
export function trimFlags(flags: number): number {
  let trimmed = flags;
  if ((trimmed & ScriptFlag.P2SH) === 0) trimmed &= ~ScriptFlag.WITNESS;
  if ((trimmed & ScriptFlag.WITNESS) === 0) trimmed &= ~ScriptFlag.CLEANSTACK;
  return trimmed;
}

/** Core's FillFlags: adds the premises. */
export function fillFlags(flags: number): number {
  let filled = flags;
  if ((filled & ScriptFlag.CLEANSTACK) !== 0) filled |= ScriptFlag.WITNESS;
  if ((filled & ScriptFlag.WITNESS) !== 0) filled |= ScriptFlag.P2SH;
  return filled;
}

/** The pair of transactions that Core's script tests build around two scripts. */
export function creditAndSpend(
  scriptSig: Uint8Array,
  scriptPubKey: Uint8Array,
  witness: readonly Uint8Array[],
  value: bigint,
): { readonly spend: Transaction; readonly output: TxOutput } {
  const output = { value, scriptPubKey };
  const credit = Transaction.fromFields({
    version: 1,
    inputs: [
      {
        prevTxid: new Uint8Array(32),
        prevIndex: 0xffffffff,
        scriptSig: Uint8Array.of(0, 0),
        sequence: 0xffffffff,
        witness: [],
      },
    ],
    outputs: [output],
    lockTime: 0,
  });
  const spend = Transaction.fromFields({
    version: 1,
    inputs: [{ prevTxid: credit.txidBytes, prevIndex: 0, scriptSig, sequence: 0xffffffff, witness }],
    outputs: [{ value, scriptPubKey: new Uint8Array(0) }],
    lockTime: 0,
  });
  return { spend, output };
}

/** Bitcoin as the vectors write it (a JSON number) to satoshis. */
export function toSats(bitcoin: unknown): bigint {
  if (typeof bitcoin !== 'number') throw new TypeError(`no amount: ${String(bitcoin)}`);
  return BigInt(Math.round(bitcoin * 1e8));
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`no text: ${JSON.stringify(value)}`);
  return value;
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`no list: ${JSON.stringify(value)}`);
  return value;
}
