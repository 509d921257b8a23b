/**
 * A real Chromium without a window, for pages that a test serves. What the page complains of, and whom it talks to, is kept:
 * `assertClean` fails on errors, violations of the content security policy, and requests to anybody else.
 */
import assert from 'node:assert/strict';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';

const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** Generous: the machine may do much else. What takes longer hangs. */
const TIMEOUT_MS = 60_000;

/** Why there can be no browser test here, or `false`: for the option `skip` of a test. */
export function whyNoBrowser(): string | false {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return false;
  } catch {
    return `${CHROMIUM} is not there (Debian: apt-get install chromium)`;
  }
}

export type OpenPage = AsyncDisposable & {
  readonly page: Page;
  /** What the page did wrong since it was opened; the test of a broken connection expects some. */
  readonly complaints: string[];
  readonly assertClean: () => void;
};

export type TestBrowser = AsyncDisposable & {
  /** A page of its own context: nothing is shared with others. */
  readonly open: (url: string, options?: BrowserContextOptions) => Promise<OpenPage>;
};

/** With a profile of its own, that goes with it. */
export async function launchBrowser(): Promise<TestBrowser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, timeout: TIMEOUT_MS });
  return {
    open: (url, options = {}) => openPage(browser, url, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

async function openPage(browser: Browser, url: string, options: BrowserContextOptions): Promise<OpenPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  const complaints: string[] = [];
  const { origin } = new URL(url);
  // Violations of the policy are errors on the console.
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const to = new URL(request.url());
    if (to.protocol !== 'data:' && to.origin !== origin) complaints.push(`asks ${request.url()}`);
  });
  await page.goto(url);
  return {
    page,
    complaints,
    assertClean: () => assert.deepEqual(complaints, []),
    [Symbol.asyncDispose]: () => context.close(),
  };
}

type AxeResults = {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
};

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Findings of axe that are serious or critical, a line each, of the page as it is now. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(`${readFileSync(AXE, 'utf8')};0`);
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, { resultTypes: ['violations'] })`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`)[0]}`,
    );
}
