import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Transaction as OtherTransaction } from '@scure/btc-signer';
import { toHex, toReversedHex } from '#util';
import { p2pkhScript, payFromP2pkh, signingKey } from '../../../src/mempool/payer.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { testKey } from '../../support/keys.ts';
import { buildTx, lockScript, outputOf, pay } from '../../support/tx-builder.ts';

describe('payer', () => {
  it('makes the bytes that an independent signer makes', () => {
    const key = testKey(0);
    const builder = createChainBuilder(regtest());
    const previous = builder.mineMany(3).map((block) => block.transactions[0] ?? assert.fail());
    const outputs = [pay(1_234_567n, { kind: 'p2pkh', key: testKey(1) }), pay(3n, { kind: 'p2pk', key: testKey(2) })];
    const ours = payFromP2pkh(key, { coins: previous.map((tx) => outputOf(tx)), outputs, lockTime: 77 });

    const other = new OtherTransaction({ version: 2, lockTime: 77, disableScriptCheck: true });
    for (const tx of previous) {
      other.addInput({ txid: toReversedHex(tx.txidBytes), index: 0, sequence: 0xfffffffd, nonWitnessUtxo: tx.raw });
    }
    for (const { value, scriptPubKey } of outputs) other.addOutput({ script: scriptPubKey, amount: value });
    other.sign(key.secret);
    other.finalize();
    assert.equal(toHex(ours.raw), other.hex);
    assert.deepEqual(
      buildTx(
        previous.map((tx) => outputOf(tx)),
        outputs,
        { lockTime: 77 },
      ).raw,
      ours.raw,
    );
  });

  it('locks to the hash of the compressed key', () => {
    // The key of secret 1: the generator point, whose hash is widely known.
    const { publicKey } = signingKey(Uint8Array.from({ length: 32 }, (_, at) => (at === 31 ? 1 : 0)));
    assert.equal(toHex(p2pkhScript(publicKey)), '76a914751e76e8199196d454941c45d1b3a323f1433bd688ac');
    assert.deepEqual(lockScript({ kind: 'p2pkh', key: testKey(3) }), testKey(3).p2pkh);
  });

  it('refuses a secret that is no key', () => {
    assert.throws(() => signingKey(new Uint8Array(32)));
    assert.throws(() => signingKey(new Uint8Array(31)));
  });
});
