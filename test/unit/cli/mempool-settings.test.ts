/** The mempool's flags: Core's defaults and units, and what they become. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkMempoolOptions, DEFAULT_MEMPOOL_OPTIONS } from '#mempool';
import { loadNetwork } from '#node';
import { NodeError } from '#util';
import { mempoolSettings } from '../../../src/cli/mempool-settings.ts';
import { type FlagTexts, resolveSettings } from '../../../src/cli/settings.ts';
import { btcPerKvb } from '../../../src/cli/values.ts';

const optionsOf = async (flags: FlagTexts): Promise<ReturnType<typeof mempoolSettings>> =>
  mempoolSettings(await resolveSettings('node', flags));

const badConfig = (pattern: RegExp) => (error: unknown) =>
  error instanceof NodeError && error.code === 'BAD_CONFIG' && pattern.test(error.message);

describe('mempool settings', () => {
  it('are the mempool’s defaults if nothing is said', async () => {
    const options = await optionsOf({});
    const defaults = Object.entries(DEFAULT_MEMPOOL_OPTIONS).filter(([name]) => name in options);
    assert.deepEqual(options, Object.fromEntries(defaults));
    assert.equal(defaults.length, 11);
  });

  it('become what the mempool takes', async () => {
    const options = await optionsOf({
      maxMempool: ['50'],
      mempoolExpiry: ['2'],
      minRelayTxFee: ['0.00000123'],
      incrementalRelayFee: ['0.00002'],
      dustRelayFee: ['0'],
      limitAncestorCount: ['10'],
      limitAncestorSize: ['20'],
      limitDescendantCount: ['30'],
      limitDescendantSize: ['40'],
      dataCarrierSize: ['1000'],
      permitBareMultisig: ['0'],
      bytesPerSigop: ['50'],
      mempoolFullRbf: ['false'],
      acceptNonstdTxn: ['true'],
    });
    assert.deepEqual(options, {
      maxBytes: 50_000_000,
      expiryMs: 7_200_000,
      minRelayFeeSatPerKvb: 123,
      incrementalFeeSatPerKvb: 2_000,
      dustRelayFeeSatPerKvb: 0,
      chainLimits: { ancestors: 10, ancestorVsize: 20_000, descendants: 30, descendantVsize: 40_000 },
      dataCarrierBytes: 1_000,
      permitBareMultisig: false,
      bytesPerSigOp: 50,
      fullRbf: false,
      requireStandard: false,
    });
  });

  it('without a data carrier its size is no matter', async () => {
    assert.equal((await optionsOf({ dataCarrier: ['0'], dataCarrierSize: ['83'] })).dataCarrierBytes, 0);
  });

  it('the incremental fee alone raises the relay minimum, and does not lower it', async () => {
    assert.equal((await optionsOf({ incrementalRelayFee: ['0.00005'] })).minRelayFeeSatPerKvb, 5_000);
    assert.equal((await optionsOf({ incrementalRelayFee: ['0.000001'] })).minRelayFeeSatPerKvb, 1_000);
    const both = await optionsOf({ incrementalRelayFee: ['0.00005'], minRelayTxFee: ['0.00002'] });
    assert.equal(both.minRelayFeeSatPerKvb, 2_000);
  });

  it('must leave room for forty families', async () => {
    assert.equal((await optionsOf({ maxMempool: ['5'] })).maxBytes, 5_000_000);
    await assert.rejects(optionsOf({ maxMempool: ['4'] }), badConfig(/^--max-mempool 4 is below the least of 5 MB/));
    await assert.rejects(optionsOf({ limitDescendantSize: ['10000'] }), badConfig(/least of 400 MB/));
  });
});

describe('fee rates', () => {
  it('are in BTC per 1000 virtual bytes', () => {
    assert.equal(btcPerKvb('0.00001'), 1_000);
    assert.equal(btcPerKvb('0.00000001'), 1);
    assert.equal(btcPerKvb('0'), 0);
    assert.equal(btcPerKvb('1'), 100_000_000);
  });

  it('are refused in other forms, and beyond a bitcoin', async () => {
    for (const text of ['', '-0.1', '.1', '1e-5', '0.000000001', '1.00000001', '1000', '0,1']) {
      assert.throws(() => btcPerKvb(text), badConfig(/a fee rate in BTC per 1000 virtual bytes/), text);
    }
    await assert.rejects(optionsOf({ minRelayTxFee: ['1000'] }), badConfig(/^--min-relay-tx-fee: "1000" does not fit/));
  });
});

describe('what is not standard', () => {
  it('is taken on test chains only', async () => {
    const [mainnet, regtest] = await Promise.all(['mainnet', 'regtest'].map(loadNetwork));
    const options = { requireStandard: false };
    assert.ok(mainnet !== undefined && regtest !== undefined);
    assert.throws(() => checkMempoolOptions(options, mainnet), badConfig(/--accept-nonstd-txn.*not on mainnet/));
    checkMempoolOptions(options, regtest);
    checkMempoolOptions({ requireStandard: true }, mainnet);
  });
});
