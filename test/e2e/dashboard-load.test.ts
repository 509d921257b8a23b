/**
 * The page under load: 10,000 transactions in the mempool, 100 peers, and news of them as fast as on a busy network. No task of
 * the page's main thread takes more than 50 ms, in processor time: on a machine that does much else the clock says little.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildDashboard } from '../../scripts/build-dashboard.ts';
import { VIEWS } from '../../src/dashboard/page/route.ts';
import { launchBrowser, whyNoBrowser } from '../support/browser.ts';
import { BUSY, startSyntheticDashboard } from '../support/dashboard-source.ts';
import { type PageTask, tasksDuring } from '../support/page-tasks.ts';
import { makeTempDir } from '../support/temp-dir.ts';

const MAX_TASK_MS = 50;
/** Changes of what is shown, during which each view is watched: some 4 s. */
const WATCHED_CHANGES = 24;
const ELSEWHERE = '#/elsewhere';
/** Those of the longest table that is not drawn in part: recent blocks. */
const MAX_ROWS = 60;

const WHEN_CHANGED = `new Promise((resolve) => {
  let times = ${WATCHED_CHANGES};
  const observer = new MutationObserver(() => {
    if (--times > 0) return;
    observer.disconnect();
    resolve();
  });
  observer.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
})`;

const text = (tasks: readonly PageTask[]): string => {
  const wall = tasks.map(({ wallMs }) => wallMs);
  const long = wall.filter((ms) => ms > MAX_TASK_MS).length;
  const most = Math.max(...wall).toFixed(1);
  return `${tasks.length} tasks, the longest ${tasks[0]?.cpuMs.toFixed(1)} ms; by the clock ${most} ms, ${long} above ${MAX_TASK_MS}`;
};

test('no view keeps the page busy', { skip: whyNoBrowser() }, async (t) => {
  await using dir = await makeTempDir();
  buildDashboard(dir.path);
  await using dashboard = await startSyntheticDashboard(BUSY, dir.path);
  await using browser = await launchBrowser();
  await using opened = await browser.open(dashboard.url);
  const { page, assertClean } = opened;
  const panel = page.locator('main .panel').first();
  /** Twice too long is no accident of the machine. */
  const judge = async (what: string, watch: () => Promise<readonly PageTask[]>): Promise<void> => {
    const isShort = (tasks: readonly PageTask[]): boolean => tasks.every(({ cpuMs }) => cpuMs < MAX_TASK_MS);
    const first = await watch();
    t.diagnostic(`${what}: ${text(first)}`);
    assert.ok(first.length > 0 && (first[0]?.cpuMs ?? 0) > 0, 'the trace has tasks and their times');
    if (isShort(first)) return;
    const second = await watch();
    assert.ok(isShort(second), `${what}: ${text(first)}; again: ${text(second)}`);
  };
  await judge('loading', () =>
    tasksDuring(page, async () => {
      await page.reload();
      await panel.waitFor();
    }),
  );
  assert.equal(await page.locator('[data-field="peer-count"]').textContent(), String(BUSY.peers));
  for (const { path, name } of VIEWS) {
    await judge(name, async () => {
      await page.evaluate(`location.hash = '${ELSEWHERE}'`);
      await page.getByText('There is no view at this address').waitFor();
      return tasksDuring(page, async () => {
        await page.evaluate(`location.hash = '${path}'`);
        await panel.waitFor();
        await page.evaluate(WHEN_CHANGED);
      });
    });
    assert.ok((await page.locator('tbody tr').count()) < MAX_ROWS, `${name} draws only rows in sight`);
  }
  assertClean();
});
