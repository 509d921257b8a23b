/** `import --assume-valid`: a script that fails deep below a block that is vouched for, with two weeks of work between. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Transaction } from '#primitives';
import { createChainBuilder, regtest } from '../support/chain-builder.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { buildTx, pay } from '../support/tx-builder.ts';
import { runCli } from './run-cli.ts';

/** Two weeks of ten minutes, and one. */
const BURIED = 2017;

/** Blk*.dat with a wrong signature in block 102. */
function chainWithForgery(): { readonly file: Uint8Array; readonly tip: string } {
  const builder = createChainBuilder(regtest(), { seed: 31 });
  builder.mineMany(101);
  const { version, inputs, outputs, lockTime } = buildTx([builder.coin(2)], [pay(1_0000_0000n)]);
  // Signed for the second coinbase, spends the first.
  const forged = inputs.map((input) => ({ ...input, prevTxid: builder.coin(1).txid }));
  builder.mine({ transactions: [Transaction.fromFields({ version, inputs: forged, outputs, lockTime })] });
  builder.mineMany(BURIED);
  const parts = builder.blocks.flatMap(({ raw }) => [
    regtest().magic,
    new Uint8Array(Uint32Array.of(raw.length).buffer),
    raw,
  ]);
  return { file: Buffer.concat(parts), tip: builder.tip.hash };
}

test('its scripts are not run, and only then', async () => {
  await using dir = await makeTempDir();
  const { file, tip } = chainWithForgery();
  const path = join(dir.path, 'blk.dat');
  await writeFile(path, file);
  const importInto = (name: string, ...flags: readonly string[]) =>
    runCli('import', '--network', 'regtest', '--datadir', join(dir.path, name), ...flags, path);

  const trusting = await importInto('trusting', '--assume-valid', tip);
  assert.equal(trusting.code, 0, trusting.err);
  assert.match(trusting.out, new RegExp(`tip is block ${102 + BURIED} ${tip}`));

  for (const [name, flags] of [
    ['checking', ['--assume-valid', '0']],
    ['regtest has none', []],
    ['too little work', ['--assume-valid', tip, '--minimum-chain-work', 'ffffffff']],
    ['one thread', ['--par', '1']],
  ] as const) {
    const { code, out, err } = await importInto(name, ...flags);
    assert.notEqual(code, 0, name);
    assert.match(err, /invalid: mandatory-script-verify-flag-failed \(/, name);
    assert.match(out, /tip is block 101 /, name);
  }
});
