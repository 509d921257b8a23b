/**
 * Alerts and dashboard name only what a node tells: metrics, labels and values of labels exist, every expression parses, and
 * what is read as a rate is a counter.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { expositionText } from '../../src/metrics/exposition.ts';
import { processMetrics } from '../../src/metrics/process.ts';
import { METRIC_ROWS } from '../../src/metrics/rows/all.ts';
import { type Family, parseExposition } from '../support/exposition.ts';
import { sampleFigures } from '../support/node-figures.ts';
import { parseQuery, type Selector } from '../support/promql.ts';

const CONFIG = fileURLToPath(new URL('../../config', import.meta.url));
/** Prometheus' own: labels of every target, and whether it answers. */
const TARGET_LABELS = ['instance', 'job'];
const ABOUT_TARGETS = ['up'];
const OF_COUNTERS = ['rate', 'increase'];

type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
};

async function families(): Promise<ReadonlyMap<string, Family>> {
  const text = expositionText(METRIC_ROWS, sampleFigures()) + (await processMetrics());
  return parseExposition(text);
}

/** Label to the values that it has. */
function labelsOf({ samples }: Family): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const sample of samples.keys()) {
    for (const [, label = '', value = ''] of sample.matchAll(/(\w+)="([^"]*)"/g)) {
      found.set(label, (found.get(label) ?? new Set()).add(value));
    }
  }
  return found;
}

/** What is wrong with a selector. */
function problems({ name, matchers, over }: Selector, known: ReadonlyMap<string, Family>): readonly string[] {
  if (ABOUT_TARGETS.includes(name)) return [];
  const family = known.get(name);
  if (family === undefined) return [`no metric ${name}`];
  const found: string[] = [];
  if (family.type === 'counter' && !OF_COUNTERS.includes(over ?? ''))
    found.push(`${name} is a counter: its rate tells`);
  if (family.type === 'gauge' && OF_COUNTERS.includes(over ?? '')) found.push(`${name} is a gauge, not for ${over}`);
  const labels = labelsOf(family);
  for (const { label, operator, value } of matchers) {
    if (TARGET_LABELS.includes(label)) continue;
    const values = operator.endsWith('~') ? value.split('|') : [value];
    for (const each of values.filter((one) => labels.get(label)?.has(one) !== true)) {
      found.push(`${name} has no ${label}="${each}"`);
    }
  }
  return found;
}

function dashboards(): readonly (readonly [string, readonly Panel[]])[] {
  const folder = join(CONFIG, 'grafana');
  return readdirSync(folder).map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8')).panels]);
}

test('every alert is whole, and its expression parses and names what exists', async () => {
  const known = await families();
  const [, ...alerts] = readFileSync(join(CONFIG, 'prometheus', 'alerts.yml'), 'utf8').split('- alert: ');
  assert.ok(alerts.length >= 10);
  for (const alert of alerts) {
    const [, name = '', expression = ''] = /^(Starling[A-Z]\w+)\n {8}expr: (\S.*)\n/.exec(alert) ?? assert.fail(alert);
    assert.match(alert, /\n {10}severity: (?:critical|warning|info)\n/, name);
    assert.match(alert, /\n {10}summary: \S.*\n {10}description: \S/, name);
    const selectors = parseQuery(expression);
    assert.ok(selectors.length > 0, name);
    assert.deepEqual(
      selectors.flatMap((each) => problems(each, known)),
      [],
      name,
    );
  }
});

test('every panel asks for what exists, of the chosen node, and names its lines by labels that are there', async () => {
  const known = await families();
  assert.ok(dashboards().length > 0);
  for (const [file, panels] of dashboards()) {
    for (const { title, type, targets = [] } of panels) {
      assert.equal(targets.length > 0, type !== 'row', `${file}: ${title}`);
      for (const { expr, legendFormat } of targets) {
        const selectors = parseQuery(expr);
        assert.deepEqual(
          selectors.flatMap((each) => problems(each, known)),
          [],
          title,
        );
        for (const { name, matchers } of selectors) {
          assert.ok(
            matchers.some(({ label, value }) => label === 'instance' && value === '$instance'),
            `${title}: ${name}`,
          );
        }
        const [selector] = selectors;
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
          assert.ok(labelsOf(known.get(selector?.name ?? '') ?? assert.fail()).has(label), `${title}: ${label}`);
        }
      }
    }
  }
});

test('panels have ids of their own and do not lie on each other', () => {
  for (const [file, panels] of dashboards()) {
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, file);
    const cells = new Set<string>();
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!cells.has(`${x} ${y}`), `${file}: ${title}`);
          cells.add(`${x} ${y}`);
        }
      }
    }
  }
});

test('the checks find what is wrong', async () => {
  const known = await families();
  const bad = [
    'starling_chain_heigth',
    'rate(starling_chain_height[5m])',
    'starling_mempool_entered_total > 3',
    'starling_sync_phase{phase="asleep"}',
    'starling_peers_connected{direction="in"}',
  ];
  for (const text of bad) assert.equal(parseQuery(text).flatMap((each) => problems(each, known)).length, 1, text);
  const unreadable = [
    'rate(x)',
    'x[5m]',
    'rat(x[5m])',
    'sum(x',
    'x > ',
    'x{a=b}',
    'x{a=="b"}',
    'x y',
    'and x',
    'x[5q]',
    'sum by kind (x)',
  ];
  for (const text of unreadable) assert.throws(() => parseQuery(text), assert.AssertionError, text);
  assert.deepEqual(
    parseQuery('sum without (a) (x{b="c"}) / 2 > 0.5 and rate(y[1h30m]) == 3e9').map(({ name, over }) => [name, over]),
    [
      ['x', undefined],
      ['y', 'rate'],
    ],
  );
});
