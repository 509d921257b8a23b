import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Transaction, type TxOutput } from '#primitives';
import { pushData } from '#script';
import { p2shScript, testKey } from '../../support/keys.ts';
import { buildTx, type Lock, lockScript, outputOf, pay, rawTx } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from './harness.ts';

const COIN = 100_000_000n;
const REWARD = 50n * COIN;
const FEE = 10_000n;

/** One input of 50 coins to one output of its kind. */
const simpleTx = (h: Harness, height = 1, fee = FEE): Transaction =>
  buildTx([h.builder.coin(height)], [pay(REWARD - fee)]);

const withInput = (tx: Transaction, change: Partial<Transaction['inputs'][number]>): Transaction => {
  const { version, lockTime, outputs, inputs } = tx;
  return Transaction.fromFields({
    version,
    lockTime,
    outputs,
    inputs: inputs.map((input) => ({ ...input, ...change })),
  });
};

describe('accepts', () => {
  it('a payment, with its fee and virtual size', async () => {
    await using h = await createHarness();
    const tx = simpleTx(h);
    assert.deepEqual(await h.mempool.submit(tx, 'local'), { kind: 'accepted', fee: FEE, vsize: tx.size });
    assert.equal(h.mempool.get(tx.txid)?.fee, FEE);
    assert.equal(h.mempool.get(tx.wtxid)?.tx.txid, tx.txid);
    assert.ok(h.mempool.has(tx.txid));
    const { prevTxid, prevIndex } = tx.inputs[0] ?? assert.fail();
    assert.equal(h.mempool.spender(prevTxid, prevIndex)?.tx.txid, tx.txid);
    assert.deepEqual(
      h.transactions().map((one) => one.txid),
      [tx.txid],
    );
    const { count, vsize, totalFee } = h.mempool.stats();
    assert.deepEqual({ count, vsize, totalFee }, { count: 1, vsize: tx.size, totalFee: FEE });
  });

  it('and counts what it does not accept, by reason', async () => {
    await using h = await createHarness();
    const tx = simpleTx(h);
    await h.submit(tx);
    await h.submit(tx);
    await h.submit(simpleTx(h, 1, FEE + 1n));
    await h.submit(withInput(simpleTx(h, 2), { prevIndex: 9 }));
    await h.submit(withInput(simpleTx(h, 3), { scriptSig: Uint8Array.of(0x6a) }));
    const { refused, decideSeconds, waiting, unbroadcast } = h.mempool.figures();
    assert.deepEqual(Object.fromEntries(Object.entries(refused).filter(([, count]) => count > 0)), {
      'missing-inputs': 1,
      'txn-already-in-mempool': 1,
      'insufficient fee': 1,
      'scriptsig-not-pushonly': 1,
    });
    // A copy of what is here takes no turn.
    assert.equal(
      decideSeconds.counts.reduce((sum, count) => sum + count, 0),
      4,
    );
    assert.deepEqual([waiting, unbroadcast], [0, 1]);
  });

  it('every legacy kind of output, spent and made', async () => {
    await using h = await createHarness();
    const keys = [testKey(1), testKey(2), testKey(3)];
    const multisig: Lock = { kind: 'multisig', required: 2, keys };
    const locks: Lock[] = [
      { kind: 'p2pk', key: testKey(4) },
      { kind: 'p2pkh', key: testKey(5) },
      multisig,
      { kind: 'p2sh', redeem: multisig },
      { kind: 'p2sh', redeem: { kind: 'p2pkh', key: testKey(6) } },
      { kind: 'p2sh', redeem: { kind: 'anyone' } },
    ];
    const funding = buildTx(
      [h.builder.coin(1)],
      locks.map((lock) => pay(COIN, lock)),
    );
    assert.equal(await h.submit(funding), 'accepted');
    for (const [index, lock] of locks.entries()) {
      const spend = buildTx([{ coin: outputOf(funding, index), lock }], [pay(COIN - FEE)]);
      assert.equal(await h.submit(spend), 'accepted', lock.kind);
    }
    const entry = h.mempool.get(funding.txid);
    assert.equal(entry?.children.size, locks.length);
  });

  it('a chain of 25 unconfirmed transactions and no more', async () => {
    await using h = await createHarness();
    let tx = simpleTx(h);
    for (let length = 1; length <= 25; length++) {
      assert.equal(await h.submit(tx), 'accepted', `number ${length}`);
      tx = buildTx([outputOf(tx)], [pay((tx.outputs[0]?.value ?? 0n) - FEE)]);
    }
    assert.equal(await h.submit(tx), 'too-long-mempool-chain');
    await h.connect(h.builder.mine({ transactions: h.transactions().slice(0, 1) }));
    assert.equal(await h.submit(tx), 'accepted');
  });

  it('a transaction whose bytes are a view, without keeping what lies around it', async () => {
    await using h = await createHarness();
    const tx = simpleTx(h);
    const frame = new Uint8Array(1_000_000);
    frame.set(tx.raw, 500);
    assert.equal(await h.submit(Transaction.fromBytes(frame.subarray(500, 500 + tx.size))), 'accepted');
    assert.equal(h.mempool.get(tx.txid)?.tx.raw.buffer.byteLength, tx.size);
  });
});

describe('rejects, with the codes of Bitcoin Core', () => {
  const big: TxOutput = { value: 0n, scriptPubKey: new Uint8Array(100_000).fill(0x6a) };
  const cases: Readonly<Record<string, (h: Harness) => Transaction | Promise<Transaction>>> = {
    'bad-txns-vout-empty': (h) => buildTx([h.builder.coin(1)], []),
    'bad-txns-vout-negative': (h) => buildTx([h.builder.coin(1)], [pay(-1n)]),
    'bad-txns-vout-toolarge': (h) => buildTx([h.builder.coin(1)], [pay(21_000_000n * COIN + 1n)]),
    'bad-txns-inputs-duplicate': (h) => buildTx([h.builder.coin(1), h.builder.coin(1)], [pay(1n)]),
    coinbase: (h) => h.builder.tip.block.transactions[0] ?? assert.fail(),
    'tx-size': (h) => buildTx([h.builder.coin(1)], [big]),
    'tx-size-small': (h) =>
      // The smallest standard output: an unknown witness program of two bytes.
      rawTx([{ coin: h.builder.coin(1) }], [{ value: COIN, scriptPubKey: Uint8Array.of(0x51, 0x02, 0x00, 0x00) }]),
    'txn-already-in-mempool': async (h) => {
      await h.submit(simpleTx(h));
      return simpleTx(h);
    },
    'txn-same-nonwitness-data-in-mempool': async (h) => {
      await h.submit(simpleTx(h));
      return withInput(simpleTx(h), { witness: [Uint8Array.of(1)] });
    },
    'insufficient fee': async (h) => {
      await h.submit(simpleTx(h));
      return simpleTx(h, 1, FEE + 1n);
    },
    'txn-already-known': async (h) => {
      await h.connect(h.builder.mine({ transactions: [simpleTx(h)] }));
      return simpleTx(h);
    },
    'bad-txns-premature-spend-of-coinbase': (h) => simpleTx(h, 21),
    'bad-txns-in-belowout': (h) => simpleTx(h, 1, -1n),
    'bad-txns-too-many-sigops': (h) =>
      buildTx(
        [h.builder.coin(1)],
        // A bare multisig output counts 20 operations, each of cost 4.
        Array.from({ length: 201 }, () => pay(COIN / 10n, { kind: 'multisig', required: 1, keys: [testKey(1)] })),
      ),
    'min relay fee not met': (h) => simpleTx(h, 1, 100n),
  };

  for (const [code, make] of Object.entries(cases)) {
    it(code, async () => {
      await using h = await createHarness();
      const tx = await make(h);
      assert.equal(await h.submit(tx), code);
    });
  }

  it('takes exactly the minimum fee, not a satoshi less', async () => {
    await using h = await createHarness();
    const { size } = simpleTx(h);
    const exact = [size - 1, size, size + 1]
      .map((fee) => simpleTx(h, 1, BigInt(fee)))
      .find((tx) => REWARD - (tx.outputs[0]?.value ?? 0n) === BigInt(tx.size));
    assert.ok(exact !== undefined);
    assert.equal(await h.submit(buildTx([h.builder.coin(2)], [pay(REWARD - 150n)])), 'min relay fee not met');
    assert.equal(await h.submit(exact), 'accepted');
  });

  it('missing inputs, naming each absent parent once', async () => {
    await using h = await createHarness();
    const absent = simpleTx(h, 2);
    const other = simpleTx(h, 3);
    const here = simpleTx(h, 4);
    assert.equal(await h.submit(here), 'accepted');
    const tx = buildTx(
      [outputOf(absent), { coin: { ...outputOf(absent), index: 7 } }, outputOf(here), outputOf(other)],
      [pay(COIN)],
    );
    assert.deepEqual(await h.mempool.submit(tx, 'peer'), {
      kind: 'missing-inputs',
      parents: [absent.txid, other.txid],
    });
    // An output that the parent does not have, although the parent is here: nothing to fetch.
    const beyond = buildTx([{ ...outputOf(here), index: 9 }], [pay(COIN)]);
    assert.deepEqual(await h.mempool.submit(beyond, 'peer'), { kind: 'missing-inputs', parents: [] });
  });

  it('whom it blames: consensus failures only', async () => {
    await using h = await createHarness();
    const kind = async (tx: Transaction): Promise<string> => (await h.mempool.submit(tx, 'peer')).kind;
    assert.equal(await kind(simpleTx(h, 21)), 'policy');
    assert.equal(await kind(simpleTx(h, 1, -1n)), 'consensus');
    assert.equal(await kind(simpleTx(h, 1, 0n)), 'policy');
    assert.equal(await kind(buildTx([h.builder.coin(1)], [])), 'consensus');
  });
});

describe('lock times', () => {
  it('refuses what is not final at the next height, and takes it a block later', async () => {
    await using h = await createHarness();
    const next = h.chain.tip().height + 1;
    const locked = buildTx([h.builder.coin(1)], [pay(REWARD - FEE)], { lockTime: next });
    assert.equal(await h.submit(locked), 'non-final');
    assert.equal(await h.submit(buildTx([h.builder.coin(2)], [pay(REWARD - FEE)], { lockTime: next - 1 })), 'accepted');
    await h.connect(h.builder.mine());
    assert.equal(await h.submit(locked), 'accepted');
  });

  it('measures time by the median of the past (BIP113)', async () => {
    await using h = await createHarness();
    const median = h.chain.tip().medianTimePast;
    const at = (height: number, lockTime: number): Transaction =>
      buildTx([h.builder.coin(height)], [pay(REWARD - FEE)], { lockTime });
    assert.equal(await h.submit(at(1, median)), 'non-final');
    assert.equal(await h.submit(at(1, median - 1)), 'accepted');
  });

  it('counts relative heights from the coin (BIP68)', async () => {
    await using h = await createHarness();
    const depth = h.chain.tip().height;
    const spend = (sequence: number): Transaction => buildTx([h.builder.coin(1)], [pay(REWARD - FEE)], { sequence });
    assert.equal(await h.submit(spend(depth + 1)), 'non-BIP68-final');
    assert.equal(await h.submit(spend(depth)), 'accepted');
  });

  it('takes an unconfirmed parent to be in the next block (BIP68)', async () => {
    await using h = await createHarness();
    const parent = simpleTx(h);
    assert.equal(await h.submit(parent), 'accepted');
    const child = (sequence: number): Transaction =>
      buildTx([outputOf(parent)], [pay(REWARD - 3n * FEE)], { sequence });
    assert.equal(await h.submit(child(1)), 'non-BIP68-final');
    assert.equal(await h.submit(child((1 << 22) | 1)), 'non-BIP68-final');
    assert.equal(await h.submit(child(0)), 'accepted');
  });
});

describe('scripts', () => {
  it('a wrong signature is a consensus failure', async () => {
    await using h = await createHarness();
    const tx = simpleTx(h);
    const script = Uint8Array.from(tx.inputs[0]?.scriptSig ?? []);
    script[20] = (script[20] ?? 0) ^ 1;
    const verdict = await h.mempool.submit(withInput(tx, { scriptSig: script }), 'peer');
    assert.equal(verdict.kind, 'consensus');
    assert.match(
      verdict.kind === 'consensus' ? verdict.failure.code : '',
      /^mandatory-script-verify-flag-failed \(.+\)$/,
    );
    assert.equal(h.mempool.stats().count, 0);
  });

  it('what only policy forbids is nobody’s fault', async () => {
    await using h = await createHarness();
    const redeemScript = Uint8Array.of(0xb9, 0x51);
    const lock = { value: COIN, scriptPubKey: p2shScript(redeemScript) };
    const funding = buildTx([h.builder.coin(1)], [lock, pay(COIN)]);
    assert.equal(await h.submit(funding), 'accepted');
    const spend = rawTx([{ coin: outputOf(funding), scriptSig: pushData(redeemScript) }], [pay(COIN - FEE)]);
    assert.deepEqual(await h.mempool.submit(spend, 'peer'), {
      kind: 'policy',
      code: 'non-mandatory-script-verify-flag (NOPx reserved for soft-fork upgrades)',
    });
  });

  it('a stripped witness is nobody’s fault', async () => {
    await using h = await createHarness();
    const program = { value: COIN, scriptPubKey: Uint8Array.from([0x00, 0x14, ...new Uint8Array(20).fill(7)]) };
    const funding = buildTx([h.builder.coin(1)], [program, pay(COIN)]);
    assert.equal(await h.submit(funding), 'accepted');
    const spend = buildTx([{ coin: outputOf(funding), lock: { kind: 'anyone' } }], [pay(COIN - FEE)]);
    assert.equal((await h.mempool.submit(spend, 'peer')).kind, 'policy');
    const wrong = withInput(spend, { witness: [new Uint8Array(64), testKey(1).publicKey] });
    assert.equal((await h.mempool.submit(wrong, 'peer')).kind, 'consensus');
  });

  it('a P2SH redeem script that does not match is refused', async () => {
    await using h = await createHarness();
    const real: Lock = { kind: 'p2sh', redeem: { kind: 'p2pk', key: testKey(1) } };
    const funding = buildTx([h.builder.coin(1)], [pay(COIN, real)]);
    assert.equal(await h.submit(funding), 'accepted');
    const wrong: Lock = { kind: 'p2sh', redeem: { kind: 'p2pk', key: testKey(2) } };
    assert.notDeepEqual(lockScript(real), lockScript(wrong));
    const spend = buildTx([{ coin: outputOf(funding), lock: wrong }], [pay(COIN - FEE)]);
    assert.equal((await h.mempool.submit(spend, 'peer')).kind, 'consensus');
  });
});
