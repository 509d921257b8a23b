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
import { expositionText } from '../../src/metrics/exposition.ts';
import { METRIC_ROWS } from '../../src/metrics/rows/all.ts';
import { regtest } from '../support/chain-builder.ts';
import { parseExposition } from '../support/exposition.ts';
import { sampleFigures } from '../support/node-figures.ts';
import { httpRequest } from '../support/rpc-client.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { addressesOf, createTestNodes, statusWhen, tipOf } from '../support/test-nodes.ts';

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url));
const ALERTS = join(CONFIG, 'prometheus', 'alerts.yml');
const ALERT_TESTS = fileURLToPath(new URL('alerts.test.yml', import.meta.url));
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const skip = hasPromtool ? false : 'promtool (Debian package prometheus) is not installed';
const INSTANCE = 'node:9332';
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

type Query = { readonly expr: string };

function queriesOfDashboards(): readonly string[] {
  const folder = join(CONFIG, 'grafana');
  return readdirSync(folder).flatMap((name) => {
    const { panels } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const queries: Query[] = panels.flatMap(({ targets = [] }: { targets?: readonly Query[] }) => targets);
    return queries.map(({ expr }) => expr.replaceAll('$instance', INSTANCE).replaceAll('$__rate_interval', '5m'));
  });
}

/** All that a node tells, each growing. */
function seriesOfNode(): readonly { readonly series: string; readonly values: string }[] {
  const families = parseExposition(expositionText(METRIC_ROWS, sampleFigures()));
  return [...families.values()].flatMap(({ samples }) =>
    [...samples.keys()].map((sample) => {
      const [name = '', labels = ''] = sample.replace('}', '').split('{');
      return { series: `${name}{instance="${INSTANCE}",${labels}}`, values: '1+1x20' };
    }),
  );
}

/** Evaluates the queries, as rules, on the series of a node. Throws what Prometheus objects to. */
async function evaluate(queries: readonly string[]): Promise<void> {
  await using folder = await makeTempDir();
  const rules = queries.map((expr, at) => ({ record: `query:${at}`, expr }));
  // JSON is YAML.
  await writeFile(join(folder.path, 'rules.yml'), JSON.stringify({ groups: [{ name: 'dashboards', rules }] }));
  const expectation = { expr: 'vector(1)', eval_time: '15m', exp_samples: [{ labels: '{}', value: 1 }] };
  const tests = [{ interval: '1m', input_series: seriesOfNode(), promql_expr_test: [expectation] }];
  const path = join(folder.path, 'tests.yml');
  await writeFile(path, JSON.stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }));
  promtool(['test', 'rules', path]);
}

test('Prometheus can evaluate every query of the dashboards', { skip }, async () => {
  const queries = queriesOfDashboards();
  assert.ok(queries.length > 100);
  await evaluate(queries);
  const unmatched = 'starling_peers_connected / on (instance) starling_peers_places';
  await assert.rejects(evaluate([unmatched]), /many-to-many|duplicate/, 'what does not match is found');
});
