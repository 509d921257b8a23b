/** The mempool's files over restarts, with a real mempool, a real directory, and the clock of the test. */
import assert from 'node:assert/strict';
import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Transaction } from '#primitives';
import { type LogFields, type Logger, nullLogger, seededRandom } from '#util';
import { Persistence } from '../../../src/node/persistence.ts';
import { makeTempDir } from '../../support/temp-dir.ts';
import { buildTx, pay } from '../../support/tx-builder.ts';
import { createHarness, type Harness } from '../mempool/harness.ts';

const HOUR_MS = 3_600_000;

const spend = (h: Harness, height: number): Transaction => buildTx([h.builder.coin(height)], [pay(4_999_000_000n)]);

type Lines = { readonly message: string; readonly fields: LogFields | undefined }[];

function recordingLogger(lines: Lines): Logger {
  const push = (message: string, fields?: LogFields): void => {
    lines.push({ message, fields });
  };
  return { ...nullLogger, warn: push, info: push };
}

type Kept = { readonly persistence: Persistence; readonly lines: Lines };

async function keep(h: Harness, directory: string, keepsMempool = true): Promise<Kept> {
  const lines: Lines = [];
  const { mempool, clock } = h;
  const log = recordingLogger(lines);
  const deps = { mempool, directory, keepsMempool, clock, random: seededRandom(1), log };
  return { persistence: await Persistence.open(deps), lines };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the mempool over a restart', () => {
  it('is loaded again, and the estimates with it', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    await h.connect(h.builder.mine());
    const first = await keep(h, dir.path);
    await first.persistence.start();
    const tx = spend(h, 1);
    assert.equal(await h.submit(tx), 'accepted');
    await first.persistence[Symbol.asyncDispose]();
    assert.deepEqual((await readdir(dir.path)).sort(), ['fee_estimates.dat', 'mempool.dat']);
    assert.deepEqual(first.lines, []);

    await using again = await createHarness();
    const second = await keep(again, dir.path);
    assert.equal(again.mempool.fees.bestSeenHeight, h.chain.tip().height);
    await second.persistence.start();
    assert.deepEqual(again.txids(), [tx.txid]);
    const counts = { accepted: 1, failed: 0, expired: 0, alreadyThere: 0, unbroadcast: 1 };
    assert.deepEqual(second.lines, [{ message: 'mempool loaded', fields: counts }]);
    await second.persistence[Symbol.asyncDispose]();
  });

  it('is neither loaded nor saved when it shall not', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    await writeFile(join(dir.path, 'mempool.dat'), 'not looked at');
    const { persistence, lines } = await keep(h, dir.path, false);
    await persistence.start();
    await persistence[Symbol.asyncDispose]();
    assert.equal(await readFile(join(dir.path, 'mempool.dat'), 'utf8'), 'not looked at');
    assert.deepEqual(lines, []);
  });

  it('is not saved over a file that was not loaded to its end', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    const file = join(dir.path, 'mempool.dat');
    for (const height of [1, 2]) assert.equal(await h.submit(spend(h, height)), 'accepted');
    await writeFile(file, Buffer.concat([...h.mempool.save(seededRandom(2).bytes(8))]));
    const before = await readFile(file);
    await using again = await createHarness();
    const { persistence } = await keep(again, dir.path);
    void persistence.start();
    await persistence[Symbol.asyncDispose]();
    assert.deepEqual(await readFile(file), before);
  });

  it('begins anew with a warning when its files are damaged', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    for (const file of ['mempool.dat', 'fee_estimates.dat']) await writeFile(join(dir.path, file), 'nonsense');
    const kept = await keep(h, dir.path);
    await kept.persistence.start();
    const texts = kept.lines.map(({ message, fields }) => `${message}: ${fields?.['error']}`);
    assert.match(texts[0] ?? '', /^fee estimates could not be read, they begin anew: unknown version/);
    assert.match(
      texts[1] ?? '',
      /^the mempool could not be loaded in full: .*mempool\.dat is damaged: unknown version/,
    );
    assert.equal(h.mempool.fees.bestSeenHeight, 0);
    assert.equal(await h.submit(spend(h, 1)), 'accepted');
    await kept.persistence[Symbol.asyncDispose]();

    await using again = await createHarness();
    const second = await keep(again, dir.path);
    await second.persistence.start();
    assert.equal(again.mempool.stats().count, 1);
    await second.persistence[Symbol.asyncDispose]();
  });

  it('does not stop for a directory that cannot be written', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    const { persistence, lines } = await keep(h, join(dir.path, 'missing'));
    await persistence.start();
    await persistence[Symbol.asyncDispose]();
    const files = lines.map(({ message, fields }) => `${message}: ${basename(String(fields?.['file']))}`);
    assert.deepEqual(files, ['not saved: mempool.dat', 'not saved: fee_estimates.dat']);
  });
});

describe('fee estimates on disk', () => {
  it('are written every hour', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    const { persistence } = await keep(h, dir.path);
    await persistence.start();
    await h.clock.advance(HOUR_MS - 1);
    assert.deepEqual(await readdir(dir.path), []);
    for (let hour = 0; hour < 2; hour++) {
      await h.connect(h.builder.mine());
      await h.clock.advance(HOUR_MS);
      const written = Buffer.from(h.mempool.fees.encode());
      while (!(await readFile(join(dir.path, 'fee_estimates.dat')).catch(() => Buffer.of())).equals(written))
        await turn();
      // The next one is due an hour after this one ended.
      while (h.clock.pending() === 0) await turn();
    }
    await persistence[Symbol.asyncDispose]();
    assert.equal(h.clock.pending(), 0);
  });

  it('are not used after sixty hours', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    const file = join(dir.path, 'fee_estimates.dat');
    await h.connect(h.builder.mine());
    await writeFile(file, h.mempool.fees.encode());
    for (const [hours, isUsed] of [
      [60.9, true],
      [61, false],
    ] as const) {
      await using again = await createHarness();
      const changed = (again.clock.now() - hours * HOUR_MS) / 1000;
      await utimes(file, changed, changed);
      const { lines } = await keep(again, dir.path);
      assert.equal(again.mempool.fees.bestSeenHeight === h.chain.tip().height, isUsed, `${hours} hours`);
      assert.equal(lines.length, isUsed ? 0 : 1);
    }
  });

  it('are not overwritten by a node that did not come up', async () => {
    await using dir = await makeTempDir();
    await using h = await createHarness();
    const { persistence } = await keep(h, dir.path);
    await persistence[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(dir.path), []);
  });
});
