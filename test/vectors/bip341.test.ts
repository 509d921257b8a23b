/** BIP341's wallet test vectors: script trees, tweaks, control blocks, addresses, signature hashes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadSecp256k1 } from '#crypto';
import { Transaction } from '#primitives';
import { decodeAddress, encodeAddress, ScriptFlag, TxSighash, TxSignatureChecker, verifyScript } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { NO_CODE_SEPARATOR, SigVersion } from '../../src/script/sig-version.ts';
import { tapBranchHash, tapLeafHash, taprootMerkleRoot, tapTweakHash } from '../../src/script/taproot.ts';
import { packagedPath, reportCount } from '../support/core-vectors.ts';
import { sharedPath } from '../support/shared.ts';

type Leaf = { readonly id: number; readonly script: string; readonly leafVersion: number };
type Tree = Leaf | readonly [Tree, Tree];
type Vectors = {
  readonly scriptPubKey: readonly {
    readonly given: { readonly internalPubkey: string; readonly scriptTree: Tree | null };
    readonly intermediary: {
      readonly leafHashes?: readonly string[];
      readonly merkleRoot: string | null;
      readonly tweak: string;
      readonly tweakedPubkey: string;
    };
    readonly expected: {
      readonly scriptPubKey: string;
      readonly bip350Address: string;
      readonly scriptPathControlBlocks?: readonly string[];
    };
  }[];
  readonly keyPathSpending: readonly {
    readonly given: {
      readonly rawUnsignedTx: string;
      readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[];
    };
    readonly inputSpending: readonly {
      readonly given: { readonly txinIndex: number; readonly hashType: number; readonly merkleRoot: string | null };
      readonly intermediary: { readonly internalPubkey: string; readonly tweak: string; readonly sigHash: string };
      readonly expected: { readonly witness: readonly string[] };
    }[];
    readonly auxiliary: { readonly fullySignedTx: string };
  }[];
};

const path =
  sharedPath('vectors/bip341_wallet_vectors.json') ??
  packagedPath('bitcore-lib/test/data/bitcoind/wallet_test_vectors.json');
const vectors = path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as Vectors);
const skip = vectors === undefined && 'no vectors';
const MAINNET = { pubKeyHash: 0, scriptHash: 5, secretKey: 128, bech32Hrp: 'bc' };
const FLAGS = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;

function leaves(tree: Tree): readonly Leaf[] {
  return 'id' in tree ? [tree] : [...leaves(tree[0]), ...leaves(tree[1])];
}

function rootOf(tree: Tree): Uint8Array {
  return 'id' in tree ? leafHashOf(tree) : tapBranchHash(rootOf(tree[0]), rootOf(tree[1]));
}

function leafHashOf(leaf: Leaf): Uint8Array {
  return tapLeafHash(leaf.leafVersion, fromHex(leaf.script));
}

test('BIP341: outputs from keys and script trees', { skip }, (t) => {
  const secp = loadSecp256k1();
  let count = 0;
  for (const { given, intermediary, expected } of vectors?.scriptPubKey ?? []) {
    const internalKey = fromHex(given.internalPubkey);
    const all = given.scriptTree === null ? [] : leaves(given.scriptTree);
    const root = given.scriptTree === null ? undefined : rootOf(given.scriptTree);
    assert.deepEqual(
      all.map((leaf) => toHex(leafHashOf(leaf))),
      intermediary.leafHashes ?? [],
    );
    assert.equal(root === undefined ? null : toHex(root), intermediary.merkleRoot);
    const tweak = tapTweakHash(internalKey, root);
    assert.equal(toHex(tweak), intermediary.tweak);
    const output = fromHex(intermediary.tweakedPubkey);
    const parities = ([0, 1] as const).filter((parity) => secp.checkTapTweak(internalKey, tweak, output, parity));
    assert.equal(parities.length, 1, 'the tweaked key has one parity');
    const script = concatBytes(Uint8Array.of(0x51, 0x20), output);
    assert.equal(toHex(script), expected.scriptPubKey);
    assert.equal(encodeAddress(script, MAINNET), expected.bip350Address);
    assert.deepEqual(decodeAddress(expected.bip350Address, MAINNET), { kind: 'valid', scriptPubKey: script });
    for (const [at, leaf] of all.entries()) {
      const control = fromHex(expected.scriptPathControlBlocks?.[at] ?? '');
      assert.equal((control[0] ?? 0) & 1, parities[0]);
      assert.deepEqual(taprootMerkleRoot(control, leafHashOf(leaf)), root);
    }
    count++;
  }
  reportCount(t, 'bip341_wallet_vectors.json', count, vectors?.scriptPubKey.length ?? 0, 'outputs');
});

test('BIP341: key path spending', { skip }, (t) => {
  let hashes = 0;
  let ofHashes = 0;
  let inputs = 0;
  let ofInputs = 0;
  for (const { given, inputSpending, auxiliary } of vectors?.keyPathSpending ?? []) {
    const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
      scriptPubKey: fromHex(scriptPubKey),
      value: BigInt(amountSats),
    }));
    const unsigned = new TxSighash(Transaction.fromBytes(fromHex(given.rawUnsignedTx)), spent);
    const context = {
      annexHash: undefined,
      leafHash: undefined,
      codeSeparatorPosition: NO_CODE_SEPARATOR,
      weightLeft: 0,
    };
    const signed = new TxSighash(Transaction.fromBytes(fromHex(auxiliary.fullySignedTx)), spent);
    for (const { given: input, intermediary, expected } of inputSpending) {
      const root = input.merkleRoot === null ? undefined : fromHex(input.merkleRoot);
      assert.equal(toHex(tapTweakHash(fromHex(intermediary.internalPubkey), root)), intermediary.tweak);
      const hash = unsigned.taproot(input.txinIndex, input.hashType, SigVersion.TAPROOT, context);
      assert.equal(hash && toHex(hash), intermediary.sigHash);
      assert.deepEqual(signed.tx.inputs[input.txinIndex]?.witness.map(toHex), expected.witness);
      hashes++;
    }
    ofHashes += inputSpending.length;
    ofInputs += spent.length;
    for (const [at, input] of signed.tx.inputs.entries()) {
      const checker = new TxSignatureChecker(signed, at, loadSecp256k1());
      const script = spent[at]?.scriptPubKey ?? new Uint8Array(0);
      assert.equal(verifyScript(input.scriptSig, script, input.witness, FLAGS, checker), undefined);
      inputs++;
    }
  }
  reportCount(t, 'bip341_wallet_vectors.json', hashes, ofHashes, 'signature hashes');
  reportCount(t, 'bip341_wallet_vectors.json', inputs, ofInputs, 'signed inputs valid');
});
