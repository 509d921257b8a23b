/** Options of a bitcoin.conf reach the rules that they are about: chain and mempool decide otherwise with them. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadNetwork, overrideNetwork } from '#node';
import { Op, pushData } from '#script';
import { mempoolSettings } from '../../../../src/cli/mempool-settings.ts';
import type { Settings } from '../../../../src/cli/options.ts';
import { resolveSettings } from '../../../../src/cli/settings.ts';
import { RuleChain } from '../../../support/rule-chain.ts';
import { script } from '../../../support/script.ts';
import { buildTx } from '../../../support/tx-builder.ts';
import { createHarness } from '../../mempool/harness.ts';
import { badConfig, type ConfigFolder, makeConfigFolder } from './config-files.ts';

let folder: ConfigFolder;

before(() => {
  folder = makeConfigFolder();
});
after(() => folder.remove());

const read = (text: string): Promise<Settings> =>
  resolveSettings('node', { config: [folder.write('bitcoin.conf', `regtest=1\n${text}`)] });

test('testactivationheight: a rule counts from that height on', async () => {
  const settings = await read('testactivationheight=cltv@3\n[regtest]\ntestactivationheight=csv@9\n');
  const params = overrideNetwork(await loadNetwork(settings.network), settings);
  assert.deepEqual([params.activation.bip65, params.activation.csv], [3, 9]);
  const rules = await RuleChain.open({ params, blocks: 1 });
  // Blocks of BIP65 have version 4 at the least.
  await rules.accept({ version: 3 });
  await rules.reject('bad-version(0x00000003)', { version: 3 }, 'invalid-header');
  await rules.accept({ version: 4 });
});

test('testactivationheight is for regtest alone', async () => {
  const settings = await resolveSettings('node', { testActivationHeight: ['cltv@3'] });
  const mainnet = await loadNetwork(settings.network);
  assert.throws(() => overrideNetwork(mainnet, settings), badConfig(/^--test-activation-height is for regtest/));
});

test('datacarriersize, datacarrier and acceptnonstdtxn: what the mempool takes', async () => {
  const data = script(Op.OP_RETURN, pushData(new Uint8Array(60)));
  for (const [text, verdict] of [
    ['', 'accepted'],
    ['datacarriersize=61', 'scriptpubkey'],
    ['datacarriersize=62', 'accepted'],
    ['datacarrier=0', 'scriptpubkey'],
    ['datacarrier=0\nacceptnonstdtxn=1', 'accepted'],
  ] as const) {
    await using h = await createHarness(mempoolSettings(await read(text)));
    assert.equal(await h.submit(buildTx([h.builder.coin(1)], [{ value: 0n, scriptPubKey: data }])), verdict, text);
  }
});
