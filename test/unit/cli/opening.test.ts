/** How flags say that a chain is opened, and what is shown while that takes long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANUAL_PRUNE_BYTES } from '#chain';
import type { LogFields, Logger } from '#util';
import { nullLogger } from '#util';
import { chainSettings } from '../../../src/cli/chain-settings.ts';
import { showOpening } from '../../../src/cli/open-progress.ts';
import { type FlagTexts, resolveSettings } from '../../../src/cli/settings.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { createManualClock } from '../../support/manual-clock.ts';

async function opening(flags: FlagTexts) {
  const { pruneBytes, hasSmallFiles, reindex } = chainSettings(await resolveSettings('node', flags));
  return { pruneBytes, hasSmallFiles, reindex };
}

test('pruning has a least target, unless files are small; all is kept by default', async () => {
  assert.deepEqual(await opening({}), { pruneBytes: 0, hasSmallFiles: false, reindex: undefined });
  assert.equal((await opening({ prune: ['550'] })).pruneBytes, 550 * 2 ** 20);
  await assert.rejects(opening({ prune: ['549'] }), { code: 'BAD_CONFIG' });
  assert.equal((await opening({ prune: ['0'] })).pruneBytes, 0);
  const small = await opening({ prune: ['1'], fastPrune: ['true'] });
  assert.deepEqual([small.pruneBytes, small.hasSmallFiles], [2 ** 20, true]);
  assert.equal((await opening({ prune: ['1'] })).pruneBytes, MANUAL_PRUNE_BYTES);
});

test('the larger of two rebuilds counts', async () => {
  assert.equal((await opening({ reindexChainstate: ['true'] })).reindex, 'chainstate');
  assert.equal((await opening({ reindexChainstate: ['true'], reindex: ['true'] })).reindex, 'all');
});

test('progress is a line redrawn on a terminal, and a log line now and then elsewhere', async () => {
  const clock = createManualClock(0);
  const written: string[] = [];
  const logged: [string, LogFields | undefined][] = [];
  const log: Logger = { ...nullLogger, info: (message, fields) => logged.push([message, fields]) };
  const onTerminal = (isTTY: boolean) =>
    showOpening(
      createTerminal({ isTTY, write: (text) => written.push(text) }, clock, { plainIntervalMs: 0 }),
      log,
      clock,
    );
  onTerminal(true)({ what: 'connecting blocks', done: 1500, total: 3000 });
  assert.match(written.join(''), /50.*%.* connecting blocks: 1,500 of 3,000/);
  written.length = 0;
  const plain = onTerminal(false);
  plain({ what: 'indexing blocks', done: 0, total: 0 });
  assert.deepEqual(logged, []);
  await clock.advance(10_000);
  plain({ what: 'indexing blocks', done: 2_000_000, total: 4_000_000 });
  plain({ what: 'indexing blocks', done: 2_000_001, total: 4_000_000 });
  assert.equal(logged.length, 1);
  assert.match(JSON.stringify(logged), /"indexing blocks".*2\.00 MB of 4\.00 MB.*50/);
  assert.deepEqual(written, []);
});
