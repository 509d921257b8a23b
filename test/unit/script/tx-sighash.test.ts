/** BIP143 and BIP341 signature hashes against plain rewritings of the BIPs, for transactions of all sizes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash256, sha256 } from '#crypto';
import { Transaction, type TxInput, type TxOutput } from '#primitives';
import { TxSighash } from '#script';
import { fromHex, toHex } from '#util';
import { SigVersion, type TaprootContext } from '../../../src/script/sig-version.ts';
import { type RandomTx, randomTx } from './random-tx.ts';

const ZERO = Buffer.alloc(32);

function number(bytes: number, value: number | bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
  return buffer.subarray(0, bytes);
}

/** Length and bytes. */
function sized(bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const header = length < 0xfd ? number(1, length) : Buffer.concat([number(1, 0xfd), number(2, length)]);
  return Buffer.concat([header, bytes]);
}

const outpoint = (input: TxInput): Buffer => Buffer.concat([input.prevTxid, number(4, input.prevIndex)]);
const output = ({ value, scriptPubKey }: TxOutput): Buffer => Buffer.concat([number(8, value), sized(scriptPubKey)]);
const sequence = (input: TxInput): Buffer => number(4, input.sequence);
const all = <T>(items: readonly T[], write: (item: T) => Buffer): Buffer => Buffer.concat(items.map(write));

function bip143({ tx, spent }: RandomTx, code: Uint8Array, index: number, hashType: number): string {
  const input = tx.inputs[index];
  const coin = spent[index];
  assert.ok(input !== undefined && coin !== undefined);
  const base = hashType & 0x1f;
  const anyone = (hashType & 0x80) !== 0;
  const own = tx.outputs[index];
  const outputs =
    base !== 2 && base !== 3
      ? hash256(all(tx.outputs, output))
      : base === 3 && own !== undefined
        ? hash256(output(own))
        : ZERO;
  const preimage = Buffer.concat([
    number(4, tx.version),
    anyone ? ZERO : hash256(all(tx.inputs, outpoint)),
    anyone || base === 2 || base === 3 ? ZERO : hash256(all(tx.inputs, sequence)),
    outpoint(input),
    sized(code),
    number(8, coin.value),
    sequence(input),
    outputs,
    number(4, tx.lockTime),
    number(4, hashType),
  ]);
  return toHex(hash256(preimage));
}

function bip341({ tx, spent }: RandomTx, index: number, hashType: number, context: TaprootContext): string | undefined {
  if (![0, 1, 2, 3, 0x81, 0x82, 0x83].includes(hashType)) return undefined;
  const input = tx.inputs[index];
  const coin = spent[index];
  assert.ok(input !== undefined && coin !== undefined);
  const anyone = (hashType & 0x80) !== 0;
  const base = hashType & 3;
  const own = tx.outputs[index];
  if (base === 3 && own === undefined) return undefined;
  const { annexHash, leafHash, codeSeparatorPosition } = context;
  const preimage = Buffer.concat([
    ...[number(1, 0), number(1, hashType), number(4, tx.version), number(4, tx.lockTime)],
    ...(anyone
      ? []
      : [
          sha256(all(tx.inputs, outpoint)),
          sha256(all(spent, ({ value }) => number(8, value))),
          sha256(all(spent, ({ scriptPubKey }) => sized(scriptPubKey))),
          sha256(all(tx.inputs, sequence)),
        ]),
    base === 2 || base === 3 ? Buffer.alloc(0) : sha256(all(tx.outputs, output)),
    number(1, (leafHash === undefined ? 0 : 2) + (annexHash === undefined ? 0 : 1)),
    anyone ? Buffer.concat([outpoint(input), output(coin), sequence(input)]) : number(4, index),
    annexHash ?? Buffer.alloc(0),
    base === 3 && own !== undefined ? sha256(output(own)) : Buffer.alloc(0),
    leafHash === undefined
      ? Buffer.alloc(0)
      : Buffer.concat([leafHash, number(1, 0), number(4, codeSeparatorPosition)]),
  ]);
  const tag = sha256(Buffer.from('TapSighash'));
  return toHex(sha256(Buffer.concat([tag, tag, preimage])));
}

const SHAPES: readonly (readonly [inputs: number, outputs: number])[] = [
  [1, 1],
  [1, 3],
  [3, 1],
  [4, 4],
  [2, 0],
];
const TYPES = [0, 1, 2, 3, 4, 0x1f, 0x20, 0x43, 0x62, 0x80, 0x81, 0x82, 0x83, 0x84, 0xff];

test('BIP143', () => {
  for (const [inputs, outputs] of SHAPES) {
    const made = randomTx(inputs, outputs);
    const sighash = new TxSighash(made.tx, made.spent);
    for (let index = 0; index < inputs; index++) {
      for (const hashType of TYPES) {
        for (const code of [fromHex('ac'), new Uint8Array(300).fill(0x51)]) {
          const expected = bip143(made, code, index, hashType);
          assert.equal(toHex(sighash.witnessV0(code, index, hashType)), expected, `input ${index}, type ${hashType}`);
        }
      }
    }
  }
});

test('BIP341 and BIP342, with and without annex', () => {
  const leaf = new Uint8Array(32).fill(5);
  for (const [inputs, outputs] of SHAPES) {
    const made = randomTx(inputs, outputs);
    const sighash = new TxSighash(made.tx, made.spent);
    for (const annexHash of [undefined, new Uint8Array(32).fill(6)]) {
      for (const leafHash of [undefined, leaf]) {
        const context = { annexHash, leafHash, codeSeparatorPosition: 0xfffffffe, weightLeft: 0 };
        const version = leafHash === undefined ? SigVersion.TAPROOT : SigVersion.TAPSCRIPT;
        for (let index = 0; index < inputs; index++) {
          for (const hashType of TYPES) {
            const hash = sighash.taproot(index, hashType, version, context);
            const expected = bip341(made, index, hashType, context);
            assert.equal(hash && toHex(hash), expected, `input ${index}, type ${hashType}`);
          }
        }
      }
    }
  }
});

test('outputs without a script', () => {
  const { tx, spent } = randomTx(2, 2);
  const { version, inputs, lockTime } = tx;
  const outputs = tx.outputs.map(({ value }) => ({ value, scriptPubKey: new Uint8Array(0) }));
  const made = { tx: Transaction.fromFields({ version, inputs, outputs, lockTime }), spent };
  const sighash = new TxSighash(made.tx, spent);
  const context = { annexHash: undefined, leafHash: undefined, codeSeparatorPosition: 0, weightLeft: 0 };
  for (const hashType of [1, 3]) {
    assert.equal(toHex(sighash.witnessV0(fromHex('ac'), 1, hashType)), bip143(made, fromHex('ac'), 1, hashType));
    const hash = sighash.taproot(1, hashType, SigVersion.TAPROOT, context);
    assert.equal(hash && toHex(hash), bip341(made, 1, hashType, context));
  }
});

test('a tapscript needs its leaf; each input its spent output', () => {
  const { tx, spent } = randomTx(2, 2);
  const sighash = new TxSighash(tx, spent);
  const context = { annexHash: undefined, leafHash: undefined, codeSeparatorPosition: 0, weightLeft: 0 };
  assert.throws(() => sighash.taproot(0, 0, SigVersion.TAPSCRIPT, context), /leaf hash/);
  assert.throws(() => sighash.taproot(2, 0, SigVersion.TAPROOT, context), /the signed input exists/);
  assert.throws(() => sighash.witnessV0(fromHex('ac'), 2, 1), /the signed input exists/);
  assert.throws(() => new TxSighash(tx, spent.slice(1)), /one spent output for each input/);
});
