/** The mempool's and the fees' calls, each on a real regtest node. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Transaction, txidFromBytes } from '#primitives';
import { toHex } from '#util';
import type { ChainBuilder } from '../support/chain-builder.ts';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { buildTx, outputOf, pay, type SpendOptions, type TestCoin } from '../support/tx-builder.ts';

const FEE = 10_000n;
const NO_TXID = '00'.repeat(32);
const OP_RETURN = 0x6a;

type Json = Record<string, unknown>;

type Started = AsyncDisposable & {
  readonly rpc: RpcNode;
  readonly builder: ChainBuilder;
  /** Its coinbase of a height, all but the fee, to the same key. */
  readonly spend: (height: number, fee?: bigint, options?: SpendOptions) => Transaction;
  readonly send: (tx: Transaction) => Promise<unknown>;
  /** The answer as an object. */
  readonly ask: (method: string, ...params: Parameters<RpcNode['call']>[1][]) => Promise<Json>;
};

async function start(options: Parameters<typeof startRpcNode>[0] = {}): Promise<Started> {
  await using stack = new AsyncDisposableStack();
  const rpc = stack.use(await startRpcNode(options));
  const builder = createChainBuilder(regtest(), { seed: 3 });
  const now = Math.floor(Date.now() / 1000) - 3_600;
  for (let at = 0; at < 110; at++) builder.mine({ time: now + at });
  for (const block of builder.blocks) await rpc.node.submitBlock(block.raw);
  const resources = stack.move();
  return {
    rpc,
    builder,
    spend: (height, fee = FEE, spendOptions = {}) => childOf(builder.coin(height), fee, spendOptions),
    send: (tx) => rpc.call('sendrawtransaction', toHex(tx.raw)),
    ask: async (method, ...params) => (await rpc.call(method, ...params)) as Json,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function childOf(coin: TestCoin, fee = FEE, options: SpendOptions = {}): Transaction {
  return buildTx([coin], [pay(coin.output.value - fee)], options);
}

describe('what is in the mempool', () => {
  it('is listed parents first, then by fee rate, with what Core says of each', async () => {
    await using started = await start();
    const { rpc, send, spend, ask } = started;
    const cheap = spend(1, 5_000n, { sequence: 0xffffffff });
    const dear = spend(2, 50_000n, { sequence: 0xfffffffd });
    const child = childOf(outputOf(dear), 90_000n);
    for (const tx of [cheap, dear, child]) assert.equal(await send(tx), tx.txid);
    assert.deepEqual(await rpc.call('getrawmempool'), [dear.txid, cheap.txid, child.txid]);
    const { txids, mempool_sequence: sequence } = await ask('getrawmempool', false, true);
    assert.deepEqual([txids, sequence], [[dear.txid, cheap.txid, child.txid], 4]);
    const all = await ask('getrawmempool', true);
    const entry = await ask('getmempoolentry', child.txid);
    assert.deepEqual(all[child.txid], entry);
    const vsize = dear.size + child.size;
    const { time, ...rest } = entry;
    assert.equal(typeof time, 'number');
    assert.deepEqual(rest, {
      vsize: child.size,
      weight: child.weight,
      height: 110,
      descendantcount: 1,
      descendantsize: child.size,
      ancestorcount: 2,
      ancestorsize: vsize,
      wtxid: child.wtxid,
      fees: { base: 0.0009, modified: 0.0009, ancestor: 0.0014, descendant: 0.0009 },
      depends: [dear.txid],
      spentby: [],
      'bip125-replaceable': true,
      unbroadcast: true,
    });
    assert.deepEqual((await ask('getmempoolentry', dear.txid))['spentby'], [child.txid]);
    assert.equal((await ask('getmempoolentry', cheap.txid))['bip125-replaceable'], false);
    assert.deepEqual(await rpc.call('getmempoolancestors', child.txid), [dear.txid]);
    assert.deepEqual(await rpc.call('getmempooldescendants', dear.txid), [child.txid]);
    assert.deepEqual(await rpc.call('getmempooldescendants', dear.txid, true), { [child.txid]: entry });
    const info = await ask('getmempoolinfo');
    assert.deepEqual([info['size'], info['total_fee'], info['unbroadcastcount']], [3, 0.00145, 3]);
    assert.ok(!('fee_histogram' in info));
    const middle = Math.floor(50_000 / dear.size);
    const { fee_histogram } = await ask('getmempoolinfo', [0, middle, 100_000]);
    assert.deepEqual(fee_histogram, [
      { from: 0, count: 1, vsize: cheap.size, fees: 0.00005 },
      { from: middle, count: 2, vsize, fees: 0.0014 },
      { from: 100_000, count: 0, vsize: 0, fees: 0 },
    ]);
    const { fee_histogram: above } = await ask('getmempoolinfo', [middle + 1]);
    assert.deepEqual(above, [{ from: middle + 1, count: 1, vsize: child.size, fees: 0.0009 }]);
    for (const wrong of [[5, 5], [2, 1], Array.from({ length: 101 }, (_, rate) => rate)]) {
      const message = 'fee_histogram must have at most 100 rising fee rates';
      assert.deepEqual(await rpc.refuse('getmempoolinfo', wrong), [-8, message]);
    }
  });

  it('is refused with Core’s words where it is not there', async () => {
    await using started = await start();
    const { rpc } = started;
    for (const method of ['getmempoolentry', 'getmempoolancestors', 'getmempooldescendants']) {
      assert.deepEqual(await rpc.refuse(method, NO_TXID), [-5, 'Transaction not in mempool']);
      assert.deepEqual(await rpc.refuse(method, 'ab'), [-8, "txid must be of length 64 (not 2, for 'ab')"]);
    }
    const both = await rpc.refuse('getrawmempool', true, true);
    assert.deepEqual(both, [-8, 'Verbose results cannot contain mempool sequence values.']);
  });

  it('is found by what it spends', async () => {
    await using started = await start();
    const { rpc, builder, send, spend } = started;
    const tx = spend(1);
    await send(tx);
    const txid = txidFromBytes(builder.coin(1).txid);
    assert.deepEqual(
      await rpc.call('gettxspendingprevout', [
        { txid, vout: 0 },
        { txid, vout: 1 },
      ]),
      [
        { txid, vout: 0, spendingtxid: tx.txid },
        { txid, vout: 1 },
      ],
    );
    const refused = (outputs: Parameters<RpcNode['refuse']>[1]): Promise<unknown> =>
      rpc.refuse('gettxspendingprevout', outputs);
    assert.deepEqual(await refused([]), [-8, 'Invalid parameter, outputs are missing']);
    assert.deepEqual(await refused([{ txid, vout: -1 }]), [-8, 'Invalid parameter, vout cannot be negative']);
    assert.deepEqual(await refused([{ txid }]), [-3, 'Missing vout']);
    assert.deepEqual(await refused([{ txid, vout: 0, x: 1 }]), [-3, 'Unexpected key x']);
    assert.deepEqual(await refused([{ txid, vout: '0' }]), [
      -3,
      'JSON value of type string for field vout is not of expected type number',
    ]);
  });
});

describe('sendrawtransaction', () => {
  it('takes a transaction once, and says why it does not take another', async () => {
    await using started = await start();
    const { rpc, builder, send, spend } = started;
    const tx = spend(1);
    assert.equal(await send(tx), tx.txid);
    assert.equal(await send(tx), tx.txid, 'again');
    const refused = (each: Transaction, ...more: (number | string)[]): Promise<readonly [number, string]> =>
      rpc.refuse('sendrawtransaction', toHex(each.raw), ...more);
    const poor = spend(2, 10n);
    assert.deepEqual(await refused(poor), [-26, `min relay fee not met, 10 < ${poor.size}`]);
    const orphan = childOf(outputOf(spend(3)));
    assert.deepEqual(await refused(orphan), [-25, 'bad-txns-inputs-missingorspent']);
    const absurd = 'Fee rates larger than or equal to 1BTC/kvB are not accepted';
    assert.deepEqual(await refused(orphan, 1), [-8, absurd]);
    assert.equal((await refused(orphan, '0.99999999'))[0], -25);
    const young = spend(109);
    assert.deepEqual(await refused(young), [
      -26,
      'bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth 2',
    ]);
    const generous = spend(4, 10_000_000n);
    assert.deepEqual(await refused(generous), [
      -25,
      'Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)',
    ]);
    assert.equal(await rpc.call('sendrawtransaction', toHex(generous.raw), 0), generous.txid);
    await rpc.node.submitBlock(builder.mine({ time: Math.floor(Date.now() / 1000), transactions: [tx] }).raw);
    assert.deepEqual(await refused(tx), [-27, 'Transaction already in block chain']);
  });

  it('burns nothing unless it is told so', async () => {
    await using started = await start();
    const { rpc, builder } = started;
    const coin = builder.coin(1);
    const data = { value: 1_000n, scriptPubKey: Uint8Array.of(OP_RETURN, 1, 1) };
    const tx = buildTx([coin], [pay(coin.output.value - FEE - 1_000n), data]);
    const message = 'Unspendable output exceeds maximum configured by user (maxburnamount)';
    assert.deepEqual(await rpc.refuse('sendrawtransaction', toHex(tx.raw)), [-25, message]);
    assert.deepEqual(await rpc.refuse('sendrawtransaction', toHex(tx.raw), 0.1, 0.00000999), [-25, message]);
    assert.equal(await rpc.call('sendrawtransaction', toHex(tx.raw), 0.1, 0.00001), tx.txid);
  });
});

describe('testmempoolaccept', () => {
  it('says what would become of one, and keeps nothing', async () => {
    await using started = await start();
    const { rpc, spend } = started;
    const tx = spend(1);
    const ids = { txid: tx.txid, wtxid: tx.wtxid };
    const rate = Number((FEE * 1_000n) / BigInt(tx.size)) / 1e8;
    assert.deepEqual(await rpc.call('testmempoolaccept', [toHex(tx.raw)]), [
      {
        ...ids,
        allowed: true,
        vsize: tx.size,
        fees: { base: 0.0001, 'effective-feerate': rate, 'effective-includes': [tx.wtxid] },
      },
    ]);
    assert.deepEqual(await rpc.call('getrawmempool'), []);
    assert.deepEqual(await rpc.call('testmempoolaccept', [toHex(tx.raw)], 0.00001), [
      { ...ids, allowed: false, 'reject-reason': 'max-fee-exceeded' },
    ]);
    const orphan = childOf(outputOf(tx));
    assert.deepEqual(await rpc.call('testmempoolaccept', [toHex(orphan.raw)]), [
      { txid: orphan.txid, wtxid: orphan.wtxid, allowed: false, 'reject-reason': 'missing-inputs' },
    ]);
  });

  it('tries several together', async () => {
    await using started = await start();
    const { rpc, spend } = started;
    const parent = spend(1);
    const child = childOf(outputOf(parent));
    const answer = (await rpc.call('testmempoolaccept', [toHex(parent.raw), toHex(child.raw)])) as Json[];
    assert.deepEqual(
      answer.map(({ allowed }) => allowed),
      [true, true],
    );
    const swapped = (await rpc.call('testmempoolaccept', [toHex(child.raw), toHex(parent.raw)])) as Json[];
    assert.deepEqual(
      swapped.map((each) => Object.keys(each)),
      Array(2).fill(['txid', 'wtxid', 'package-error']),
    );
    assert.equal(swapped[0]?.['package-error'], 'package-not-sorted');
    const count = 'Array must contain between 1 and 25 transactions.';
    assert.deepEqual(await rpc.refuse('testmempoolaccept', []), [-8, count]);
    assert.deepEqual(await rpc.refuse('testmempoolaccept', ['00']), [
      -22,
      'TX decode failed: 00 Make sure the tx has at least one input.',
    ]);
  });
});

describe('submitpackage', () => {
  it('takes a parent that pays nothing with a child that pays for both', async () => {
    await using started = await start();
    const { rpc, ask, spend } = started;
    const parent = spend(1, 0n, { version: 3 });
    const child = childOf(outputOf(parent), 2n * FEE, { version: 3 });
    const {
      package_msg: message,
      'tx-results': results,
      'replaced-transactions': replaced,
    } = await ask('submitpackage', [toHex(parent.raw), toHex(child.raw)]);
    assert.deepEqual([message, replaced], ['success', []]);
    const byWtxid = results as Record<string, Json>;
    const effective = {
      'effective-feerate': Math.floor(Number(2n * FEE * 1_000n) / (parent.size + child.size)) / 1e8,
      'effective-includes': [parent.wtxid, child.wtxid],
    };
    assert.deepEqual(byWtxid[parent.wtxid], {
      txid: parent.txid,
      vsize: parent.size,
      fees: { base: 0, ...effective },
    });
    assert.deepEqual(byWtxid[child.wtxid]?.['fees'], { base: 0.0002, ...effective });
    assert.deepEqual(await rpc.call('getrawmempool'), [parent.txid, child.txid]);
    const again = await ask('submitpackage', [toHex(parent.raw), toHex(child.raw)]);
    assert.deepEqual((again['tx-results'] as Record<string, Json>)[parent.wtxid], {
      txid: parent.txid,
      vsize: parent.size,
      fees: { base: 0 },
    });
  });

  it('takes several parents, one of which needs the child', async () => {
    await using started = await start();
    const { builder, rpc, ask, spend } = started;
    const parents = [spend(1), spend(2, 200n), spend(3)];
    const poor = spend(4, 0n);
    assert.equal(builder.height, 110);
    const child = buildTx(
      [...parents, poor].map((tx) => outputOf(tx)),
      [pay(1_000_000n)],
    );
    const raws = [...parents, poor, child].map(({ raw }) => toHex(raw));
    const fees = 0;
    const { package_msg: message, 'tx-results': results } = await ask('submitpackage', raws, fees);
    // Below the relay minimum, and not of version 3: no child can help.
    assert.equal(message, 'transaction failed');
    const byWtxid = results as Record<string, Json>;
    assert.match(String(byWtxid[poor.wtxid]?.['error']), /^min relay fee not met, 0 < /);
    assert.equal(byWtxid[child.wtxid]?.['error'], 'bad-txns-inputs-missingorspent');
    assert.equal(((await rpc.call('getrawmempool')) as unknown[]).length, 3);
  });

  it('names what it replaced, and refuses what is too dear or no family', async () => {
    await using started = await start();
    const { rpc, ask, send, spend } = started;
    const old = spend(1);
    await send(old);
    const parent = spend(1, 3n * FEE);
    const child = childOf(outputOf(parent));
    const raws = [toHex(parent.raw), toHex(child.raw)];
    const dear = await ask('submitpackage', raws, 0.0001);
    assert.equal(dear['package_msg'], 'transaction failed');
    assert.deepEqual(Object.values(dear['tx-results'] as object), [
      { txid: parent.txid, error: 'max feerate exceeded' },
      { txid: child.txid, error: 'package-not-validated' },
    ]);
    const { 'replaced-transactions': replaced } = await ask('submitpackage', raws);
    assert.deepEqual(replaced, [old.txid]);
    assert.deepEqual(await rpc.refuse('submitpackage', [toHex(spend(2).raw), toHex(spend(3).raw)]), [
      -25,
      'package topology disallowed. not child-with-parents or parents depend on each other.',
    ]);
  });
});

describe('what the operator does with the mempool', () => {
  it('is to prioritise transactions', async () => {
    await using started = await start();
    const { rpc, ask, send, spend } = started;
    const tx = spend(1);
    await send(tx);
    assert.equal(await rpc.call('prioritisetransaction', tx.txid, 0, 500), true);
    assert.equal(await rpc.call('prioritisetransaction', NO_TXID, null, -7), true);
    assert.deepEqual(await rpc.call('getprioritisedtransactions'), {
      [NO_TXID]: { fee_delta: -7, in_mempool: false },
      [tx.txid]: { fee_delta: 500, in_mempool: true, modified_fee: Number(FEE) + 500 },
    });
    assert.deepEqual((await ask('getmempoolentry', tx.txid))['fees'], {
      base: 0.0001,
      modified: 0.000105,
      ancestor: 0.000105,
      descendant: 0.000105,
    });
    assert.deepEqual(await rpc.refuse('prioritisetransaction', tx.txid, 1, 500), [
      -8,
      'Priority is no longer supported, dummy argument to prioritisetransaction must be 0.',
    ]);
  });

  it('is to write it to its file, and to take in another', async () => {
    await using started = await start();
    const { rpc, ask, send, spend } = started;
    const tx = spend(1);
    await send(tx);
    const { filename } = await ask('savemempool');
    assert.match(String(filename), /mempool\.dat$/);
    await using other = await start();
    assert.deepEqual(await other.rpc.call('importmempool', String(filename)), {});
    assert.deepEqual(await other.rpc.call('getrawmempool'), [tx.txid]);
    assert.equal((await other.ask('getmempoolentry', tx.txid))['unbroadcast'], false);
    assert.deepEqual(await rpc.refuse('importmempool', join(rpc.directory, 'missing.dat')), [
      -1,
      'Unable to import mempool file, see debug.log for details.',
    ]);
    assert.deepEqual(await rpc.refuse('importmempool', 'x', { y: 1 }), [-3, 'Unexpected key y']);
  });
});

describe('estimates of fees', () => {
  it('are errors as long as nothing was learned, within the targets that are tracked', async () => {
    await using started = await start();
    const { rpc } = started;
    assert.deepEqual(await rpc.call('estimatesmartfee', 6, 'ECONOMICAL'), {
      errors: ['Insufficient data or no feerate found'],
      blocks: 0,
    });
    const raw = (await rpc.call('estimaterawfee', 20)) as Record<string, Json>;
    assert.deepEqual(Object.keys(raw), ['medium', 'long']);
    assert.deepEqual(Object.keys(raw['medium'] ?? {}), ['decay', 'scale', 'fail', 'errors']);
    const targets = 'Invalid conf_target, must be between 1 and 1008';
    assert.deepEqual(await rpc.refuse('estimatesmartfee', 0), [-8, targets]);
    assert.deepEqual(await rpc.refuse('estimaterawfee', 1009), [-8, targets]);
    assert.deepEqual(await rpc.refuse('estimaterawfee', 6, 1.1), [-8, 'Invalid threshold']);
    assert.deepEqual(await rpc.refuse('estimatesmartfee', 6, 'x'), [
      -8,
      'Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"',
    ]);
  });
});
