/**
 * Prometheus' own tool on what we give it: a real scrape, the configuration, the alerts with their unit tests, and the queries
 * of the dashboards. Debian has it in its package `prometheus`; without it these are skipped.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startMetrics } from '#metrics';
import { nullLogger, systemClock } from '#util';
import { regtest } from '../support/chain-builder.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { addressesOf, createTestNodes, statusWhen, tipOf } from '../support/test-nodes.ts';

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url));
const ALERTS = join(CONFIG, 'prometheus', 'alerts.yml');
const ALERT_TESTS = fileURLToPath(new URL('alerts.test.yml', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPromtool ? false : 'promtool (Debian package prometheus) is not installed';
/** OP_TRUE. */
const ANYONE = Uint8Array.of(0x51);

function promtool(args: readonly string[], input = ''): void {
  const { status, stdout, stderr } = spawnSync('promtool', [...args], { input, encoding: 'utf8' });
  assert.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`);
  // What it only warns of goes there.
  assert.equal(stderr, '');
}

test('a real scrape is without fault, in form and in names', { skip }, async () => {
  await using nodes = await createTestNodes(regtest());
  await using folder = await makeTempDir();
  const endpoint = { host: '127.0.0.1', port: 0 };
  await using server = await startMetrics({ endpoint, allowHosts: [] }, { clock: systemClock, log: nullLogger });
  const miner = await nodes.start('miner', { netThread: 'worker' });
  using _followed = server.follow(miner, folder.path);
  const other = await nodes.start('other', { connect: await addressesOf(miner) });
  await statusWhen(miner, ({ net }) => net.peers.length === 1);
  await miner.mineBlock(ANYONE);
  await tipOf(other, ({ height }) => height === 1);
  // The second one has what only shows in time between two.
  for (let scrape = 0; scrape < 2; scrape++) {
    const { status, text } = await httpRequest(server.address, { method: 'GET', path: '/metrics' });
    assert.equal(status, 200);
    promtool(['check', 'metrics'], text);
  }
});

test('configuration and alerts are valid', { skip }, () => {
  promtool(['check', 'rules', ALERTS]);
  promtool(['check', 'config', join(CONFIG, 'prometheus', 'prometheus.yml')]);
});

test('each alert fires when it should, and not otherwise', { skip }, () => {
  promtool(['test', 'rules', ALERT_TESTS]);
});

test('of each alert there is a case in which it fires, and one in which it does not', () => {
  const alerts = readFileSync(ALERTS, 'utf8').matchAll(/- alert: (\w+)/g);
  const cases = readFileSync(ALERT_TESTS, 'utf8');
  for (const [, name = ''] of alerts) {
    assert.match(cases, new RegExp(`alertname: ${name}\\n +exp_alerts:\\n +- exp_labels:`), `${name} fires`);
    assert.match(cases, new RegExp(`alertname: ${name}\\n +exp_alerts: \\[\\]\\n`), `${name} is quiet`);
  }
});

test('Prometheus can read every query of the dashboards', { skip }, async () => {
  await using folder = await makeTempDir();
  const dashboards = join(CONFIG, 'grafana');
  const queries = readdirSync(dashboards).flatMap((name) => {
    const { panels } = JSON.parse(readFileSync(join(dashboards, name), 'utf8'));
    return panels.flatMap(({ targets = [] }: { targets?: readonly { expr: string }[] }) => targets);
  });
  assert.ok(queries.length > 100);
  const rules = queries.map(({ expr }: { expr: string }, at: number) => ({
    record: `query:${at}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const path = join(folder.path, 'queries.yml');
  // JSON is YAML.
  await writeFile(path, JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
  promtool(['check', 'rules', path]);
});
