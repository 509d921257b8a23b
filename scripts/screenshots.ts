/**
 * Takes a picture of each view of the dashboard: on a desk in dark and in light, and on a phone.
 *
 *   npm run screenshots                              of an invented busy node
 *   npm run screenshots -- --url http://127.0.0.1:…  of the node that shows itself there (`npm start` prints its address)
 *   npm run screenshots -- --out DIR                 default: .cache/screenshots
 *
 * Needs Chromium, as the browser tests do. Complains of views that are wider than their window.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { VIEWS } from '../src/dashboard/page/route.ts';
import { launchBrowser, type TestBrowser, whyNoBrowser } from '../test/support/browser.ts';
import { BUSY, startSyntheticDashboard } from '../test/support/dashboard-source.ts';
import { makeTempDir } from '../test/support/temp-dir.ts';
import { buildDashboard } from './build-dashboard.ts';

const DESK = { width: 1280, height: 800 };
const SCREENS = {
  dark: { viewport: DESK, colorScheme: 'dark' },
  light: { viewport: DESK, colorScheme: 'light' },
  phone: { viewport: { width: 360, height: 740 }, colorScheme: 'light', isMobile: true, deviceScaleFactor: 2 },
} as const;
/** As many as people have, so that names fit beside them. */
const PEERS = 18;
/** Until charts have something to show, and what moves has come to rest. */
const SETTLE_MS = 8_000;
const REST_MS = 1_200;

/** Of what is looked up the first that there is, from the view that links to it. */
const LOOKED_UP = [
  ['block', '#/blocks', '#/block/'],
  ['tx', '#/mempool', '#/tx/'],
  ['peer', '#/peers', '#/peer/'],
] as const;

async function takeAll(browser: TestBrowser, url: string, folder: string): Promise<void> {
  for (const [name, options] of Object.entries(SCREENS)) {
    await using opened = await browser.open(url, options);
    const { page, complaints } = opened;
    await page.locator('main .panel').first().waitFor();
    await page.waitForTimeout(SETTLE_MS);
    const take = async (view: string): Promise<void> => {
      await page.waitForTimeout(REST_MS);
      await page.screenshot({ path: join(folder, `${name}-${view}.png`) });
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      if (width > options.viewport.width) complaints.push(`${view} is ${width} pixels wide`);
    };
    for (const { name: view, path } of VIEWS) {
      await page.evaluate(`location.hash = '${path}'`);
      await take(view);
    }
    for (const [view, from, link] of LOOKED_UP) {
      await page.evaluate(`location.hash = '${from}'`);
      await page.locator(`main a[href^="${link}"]`).first().click();
      await page.locator('main .columns .panel').first().waitFor();
      await take(view);
    }
    for (const complaint of complaints) console.error(`${name}: ${complaint}`);
    if (complaints.length > 0) process.exitCode = 1;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { url: { type: 'string' }, out: { type: 'string' } } });
  const why = whyNoBrowser();
  if (why !== false) throw new Error(why);
  const folder = resolve(values.out ?? '.cache/screenshots');
  await mkdir(folder, { recursive: true });
  await using stack = new AsyncDisposableStack();
  const browser = stack.use(await launchBrowser());
  let { url } = values;
  if (url === undefined) {
    const built = stack.use(await makeTempDir());
    buildDashboard(built.path);
    url = stack.use(await startSyntheticDashboard({ ...BUSY, peers: PEERS }, built.path)).url;
  }
  await takeAll(browser, url, folder);
  console.log(`pictures in ${folder}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
