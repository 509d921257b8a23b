/** What depends on a block's height or hash alone: script flags, BIP30, subsidy; and the cost of signature operations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  bip30Applies,
  blockSubsidy,
  type HeaderView,
  type NetworkParams,
  scriptFlagsForBlock,
  transactionSigOpCost,
} from '#consensus';
import { hash160 } from '#crypto';
import { type BlockHash, parseBlockHash } from '#primitives';
import { Op, pushData, ScriptFlag } from '#script';
import { concatBytes } from '#util';
import { coinbase, input, numberedHash, output, paramsOf, transaction } from './fixtures.ts';

const mainnet = paramsOf('mainnet');
const ALWAYS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;

const flagsAt = (height: number, params = mainnet, hash: BlockHash = numberedHash(height)): number =>
  scriptFlagsForBlock({ height, hash }, params);

test('script flags start at their heights', () => {
  const steps: readonly [height: number, added: number][] = [
    [363_725, ScriptFlag.DERSIG],
    [388_381, ScriptFlag.CHECKLOCKTIMEVERIFY],
    [419_328, ScriptFlag.CHECKSEQUENCEVERIFY],
    [481_824, ScriptFlag.NULLDUMMY],
  ];
  let flags: number = ALWAYS;
  assert.equal(flagsAt(0), flags);
  for (const [height, added] of steps) {
    assert.equal(flagsAt(height - 1), flags);
    flags |= added;
    assert.equal(flagsAt(height), flags);
  }
  assert.equal(flagsAt(5_000_000), flags);
});

test('blocks that break a rule get none or fewer, and those of their height all the same', () => {
  const bip16 = parseBlockHash('00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22');
  const taproot = parseBlockHash('0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad');
  assert.equal(flagsAt(170_060, mainnet, bip16), ScriptFlag.NONE);
  assert.equal(flagsAt(692_261, mainnet, taproot), flagsAt(692_261) & ~ScriptFlag.TAPROOT);
  const testnet = parseBlockHash('00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105');
  assert.equal(flagsAt(514, paramsOf('testnet3'), testnet), ScriptFlag.NONE);
  assert.equal(flagsAt(514, mainnet, testnet), ALWAYS);
});

function bip30At(height: number, params: NetworkParams, hashes: ReadonlyMap<number, BlockHash> = new Map()): boolean {
  const view = (h: number): HeaderView => {
    assert(h >= 0 && h <= height);
    return { height: h, time: 0, bits: 0, version: 4, hash: hashes.get(h) ?? numberedHash(h), ancestor: view };
  };
  return bip30Applies(view(height), params);
}

test('BIP30 is checked until the known BIP34 block is an ancestor', () => {
  const bip34Block = new Map([[227_931, mainnet.bip34Hash ?? numberedHash(0)]]);
  assert.equal(bip30At(1, mainnet), true);
  assert.equal(bip30At(227_930, mainnet), true);
  assert.equal(bip30At(227_931, mainnet, bip34Block), true);
  assert.equal(bip30At(227_932, mainnet, bip34Block), false);
  assert.equal(bip30At(227_932, mainnet), true);
});

test('BIP30 is checked again from height 1,983,702 on', () => {
  const bip34Block = new Map([[227_931, mainnet.bip34Hash ?? numberedHash(0)]]);
  assert.equal(bip30At(1_983_701, mainnet, bip34Block), false);
  assert.equal(bip30At(1_983_702, mainnet, bip34Block), true);
});

test('BIP30 exceptions are a height and a hash', () => {
  const repeats = mainnet.bip30Exceptions;
  assert.equal(bip30At(91_842, mainnet, repeats), false);
  assert.equal(bip30At(91_880, mainnet, repeats), false);
  assert.equal(bip30At(91_842, mainnet), true);
  assert.equal(bip30At(91_841, mainnet, repeats), true);
});

test('BIP30 is always checked where no BIP34 hash is known', () => {
  const regtest = paramsOf('regtest');
  for (const bip34 of [0, 1, 2, 500]) {
    const late = { ...regtest, activation: { ...regtest.activation, bip34 } };
    for (const height of [1, 499, 501, 1_000_000]) assert.equal(bip30At(height, late), true);
  }
  assert.equal(bip30At(1_000_000, paramsOf('testnet4')), true);
});

test('the subsidy halves', () => {
  const rows: readonly [height: number, sats: bigint][] = [
    [0, 5_000_000_000n],
    [209_999, 5_000_000_000n],
    [210_000, 2_500_000_000n],
    [839_999, 625_000_000n],
    [840_000, 312_500_000n],
    [210_000 * 32, 1n],
    [210_000 * 33, 0n],
    [210_000 * 64, 0n],
  ];
  for (const [height, sats] of rows) assert.equal(blockSubsidy(height, mainnet), sats, `${height}`);
  assert.equal(blockSubsidy(149, paramsOf('regtest')), 5_000_000_000n);
  assert.equal(blockSubsidy(150, paramsOf('regtest')), 2_500_000_000n);
});

test('all subsidies together stay below 21 million coins (Core’s subsidy_limit_test)', () => {
  let sum = 0n;
  for (let height = 0; height < 14_000_000; height += 1000) sum += blockSubsidy(height, mainnet) * 1000n;
  assert.equal(sum, 2_099_999_997_690_000n);
});

test('signature operations: legacy and P2SH cost four, witness one', () => {
  const multisig = Uint8Array.of(Op.OP_1, Op.OP_2, Op.OP_CHECKMULTISIG);
  const p2sh = concatBytes(Uint8Array.of(Op.OP_HASH160), pushData(hash160(multisig)), Uint8Array.of(Op.OP_EQUAL));
  const p2wpkh = concatBytes(Uint8Array.of(Op.OP_0), pushData(new Uint8Array(20)));
  const p2wsh = concatBytes(Uint8Array.of(Op.OP_0), pushData(new Uint8Array(32)));
  const cost = (scriptSig: Uint8Array, scriptPubKey: Uint8Array, witness: readonly Uint8Array[], flags = ALWAYS) =>
    transactionSigOpCost(transaction({ inputs: [input(0, { scriptSig, witness })] }), [output(1, scriptPubKey)], flags);
  const none = new Uint8Array();
  assert.equal(cost(none, Uint8Array.of(Op.OP_CHECKSIG), []), 0);
  assert.equal(cost(multisig, none, []), 80);
  assert.equal(transactionSigOpCost(coinbase(none, [output(1, multisig)]), [], ALWAYS), 80);
  assert.equal(cost(pushData(multisig), p2sh, []), 8);
  assert.equal(cost(pushData(multisig), p2sh, [], ScriptFlag.NONE), 0);
  assert.equal(cost(none, p2wpkh, [none, none]), 1);
  assert.equal(cost(none, p2wsh, [multisig]), 2);
  assert.equal(cost(none, p2wsh, [multisig], ScriptFlag.P2SH), 0);
  assert.equal(cost(pushData(p2wpkh), p2sh, [none]), 1);
});

test('the spent outputs are those of the inputs, one each', () => {
  assert.throws(() => transactionSigOpCost(transaction(), [], ALWAYS), /an output for each input/);
});

test('each input counts by the output that it spends', () => {
  const keyHash = concatBytes(Uint8Array.of(Op.OP_0), pushData(new Uint8Array(20)));
  const free = Uint8Array.of(0x51);
  const costOf = (...scripts: readonly Uint8Array[]): number =>
    transactionSigOpCost(
      transaction({ inputs: scripts.map((_, at) => input(at)) }),
      scripts.map((script) => output(1, script)),
      ALWAYS,
    );
  assert.deepEqual([costOf(keyHash, free), costOf(free, keyHash), costOf(keyHash, free, keyHash)], [1, 1, 2]);
});

test('a coinbase costs its own legacy operations only', () => {
  const tx = coinbase(Uint8Array.of(Op.OP_CHECKSIG, 0), [output(1, Uint8Array.of(Op.OP_CHECKSIG))]);
  assert.equal(transactionSigOpCost(tx, [], ALWAYS), 8);
});
