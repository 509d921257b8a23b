/** Networks by name and by file, and what a wrong one is told. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { NodeError } from '#util';
import { loadNetwork, overrideNetwork } from '../../../src/node/networks.ts';

async function problemOf(nameOrFile: string): Promise<string> {
  try {
    await loadNetwork(nameOrFile);
  } catch (error) {
    assert(error instanceof NodeError && error.code === 'BAD_CONFIG', String(error));
    return error.message;
  }
  return 'none';
}

test('every built-in network loads by name', async () => {
  for (const name of ['mainnet', 'testnet3', 'testnet4', 'signet', 'regtest']) {
    assert.equal((await loadNetwork(name)).name, name);
  }
});

test('a file loads by path, with the base that it names', async () => {
  const path = fileURLToPath(new URL('../../../config/networks/example-private.json', import.meta.url));
  const { name, activation } = await loadNetwork(path);
  assert.equal(name, 'example-private');
  assert.equal(activation.csv, 1);
});

test('what is wrong is said in one line that names the file', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'starling-networks-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'mine.json');
  assert.match(
    await problemOf('nope'),
    /^network nope: no such network: it is neither built in \(mainnet, .*\) nor a file$/,
  );
  assert.match(await problemOf(path), /^network .*mine\.json: no such network/);
  assert.match(await problemOf(folder), /cannot be read/);
  await writeFile(path, '{"name": ');
  assert.match(await problemOf(path), /mine\.json is not JSON/);
  await writeFile(path, '{"base": "../../package", "name": "x"}');
  assert.match(await problemOf(path), /mine\.json: base: must be one of/);
  await writeFile(path, '{"base": "nope", "name": "x"}');
  assert.match(await problemOf(path), /base: must be one of/);
  await writeFile(path, '{"base": "regtest", "name": "x", "pow": {"limit": 5}}');
  assert.match(await problemOf(path), /mine\.json: pow\.limit: /);
});

test('an operator may change what does not split the chain', async () => {
  const mainnet = await loadNetwork('mainnet');
  assert.deepEqual(overrideNetwork(mainnet, {}), mainnet);
  const all = overrideNetwork(mainnet, { assumeValid: 'none', minimumChainWork: 7n, checkpoints: false });
  assert.deepEqual([all.assumeValid, all.minimumChainWork, all.checkpoints.size], [undefined, 7n, 0]);
  const genesis = mainnet.genesis.hash;
  assert.equal(overrideNetwork(mainnet, { assumeValid: genesis }).assumeValid, genesis);
});
test('heights of rules may be moved on regtest alone', async () => {
  const regtest = await loadNetwork('regtest');
  const moved = overrideNetwork(regtest, {
    testActivationHeight: [
      { rule: 'bip65', height: 5 },
      { rule: 'segwit', height: 7 },
      { rule: 'segwit', height: 9 },
    ],
  });
  assert.deepEqual(moved.activation, { ...regtest.activation, bip65: 5, segwit: 9 });
  for (const name of ['mainnet', 'signet']) {
    const params = await loadNetwork(name);
    assert.deepEqual(overrideNetwork(params, { testActivationHeight: [] }), params);
    assert.throws(() => overrideNetwork(params, { testActivationHeight: [{ rule: 'csv', height: 1 }] }), {
      code: 'BAD_CONFIG',
      message: `--test-activation-height is for regtest, not for ${name}`,
    });
  }
});
