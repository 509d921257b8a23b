/** The dashboard as `npm start` shows it: of processes that nobody but the program started, looked at with a browser. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensureDashboard } from '../../scripts/build-dashboard.ts';
import { launchBrowser, whyNoBrowser } from '../support/browser.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { resultOf, runCli, startCli, waitForLine } from './run-cli.ts';

const FLAGS = ['--nodes', '2', '--block-interval', '2', '--tx-rate', '5', '--log-format', 'human'];

type Printed = { readonly url: string; readonly datadir: string; readonly address: string };

/** What the program tells the person who started it, once all of it was told. */
function printed(): (line: string) => Printed | undefined {
  let [url, datadir, address] = ['', '', ''];
  return (line) => {
    datadir ||= /--datadir (\S+) getblockchaininfo/.exec(line)?.[1] ?? '';
    address ||= /--bootstrap (\S+)/.exec(line)?.[1] ?? '';
    url ||= /^ {2}seed +(http:\S+)/.exec(line)?.[1] ?? '';
    return url !== '' && datadir !== '' && address !== '' ? { url, datadir, address } : undefined;
  };
}

test(
  'the devnet’s dashboard: blocks come, values are the RPC’s, a killed process disappears',
  { skip: whyNoBrowser() },
  async (t) => {
    ensureDashboard();
    await using dir = await makeTempDir();
    await using browser = await launchBrowser();
    const devnet = startCli(['devnet', ...FLAGS], { env: { ...process.env, TMPDIR: dir.path }, signal: t.signal });
    const ended = resultOf(devnet);
    const { url, datadir, address } = await waitForLine(devnet, printed());
    const rpc = async (...call: readonly string[]): Promise<string> =>
      (await runCli('rpc', '--network', 'regtest', '--datadir', datadir, ...call)).out.trim();

    await using opened = await browser.open(`${url}#/blocks`);
    const { page, assertClean } = opened;
    const height = Number(await rpc('getblockcount'));
    assert.ok(height > 0);
    const row = page.locator(`tr[data-height="${height + 1}"]`);
    await row.waitFor();
    const shown = await row.locator('a.id[href^="#/block/"]').getAttribute('title');
    assert.equal(shown, await rpc('getblockhash', String(height + 1)));

    const flags = ['--network', 'regtest', '--datadir', join(dir.path, 'mine'), '--log-format', 'json'];
    const node = startCli(['node', ...flags, '--listen', '/ip4/127.0.0.1/tcp/0', '--connect', address], {
      signal: t.signal,
    });
    const killed = resultOf(node);
    const peerId = await waitForLine(node, (line): string | undefined => JSON.parse(line)['peer']);
    await page.goto(`${url}#/peers`);
    const peer = page.locator(`tr[data-peer="${peerId}"]`);
    await peer.waitFor();
    node.kill('SIGKILL');
    await killed;
    await peer.waitFor({ state: 'detached' });
    assertClean();
    devnet.kill('SIGINT');
    assert.equal((await ended).code, 0);
  },
);
