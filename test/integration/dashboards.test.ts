/**
 * Alerts and dashboards name only what a node tells: metrics, labels and values of labels exist, every expression parses, and
 * what is read as a rate is a counter. And all that a node tells is on a dashboard.
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
/** What a histogram is in queries. */
const OF_HISTOGRAM = /_(?:bucket|sum|count)$/;
/** On no dashboard: none so far. Whoever adds one says why. */
const LEFT_OUT: readonly string[] = [];
/** The dashboard's variable. */
const CHOSEN_SOURCE = /^\{"type":"prometheus","uid":"\$\{datasource\}"\}$/;
/** Of Grafana 10 and later. */
const SCHEMA_VERSION = 39;

type Target = {
  readonly expr: string;
  readonly legendFormat: string;
  readonly refId: string;
  readonly datasource: unknown;
};

type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: unknown;
  readonly targets?: readonly Target[];
};

async function families(): Promise<ReadonlyMap<string, Family>> {
  const text = expositionText(METRIC_ROWS, sampleFigures()) + (await processMetrics());
  return parseExposition(text);
}

/** A histogram is never asked for by its own name. */
function familyOf(name: string, known: ReadonlyMap<string, Family>): Family | undefined {
  const ofHistogram = known.get(name.replace(OF_HISTOGRAM, ''));
  if (ofHistogram?.type === 'histogram') return OF_HISTOGRAM.test(name) ? ofHistogram : undefined;
  return known.get(name);
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
  const family = familyOf(name, known);
  if (family === undefined) return [`no metric ${name}`];
  const found: string[] = [];
  if (family.type !== 'gauge' && !OF_COUNTERS.includes(over ?? '')) found.push(`${name} is a counter: its rate tells`);
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

type Dashboard = {
  readonly id?: unknown;
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: number;
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: unknown }[];
  };
  readonly panels: readonly Panel[];
};

function files(): readonly (readonly [string, Dashboard])[] {
  const folder = join(CONFIG, 'grafana');
  return readdirSync(folder).map((name) => [name, JSON.parse(readFileSync(join(folder, name), 'utf8'))]);
}

function dashboards(): readonly (readonly [string, readonly Panel[]])[] {
  return files().map(([name, { panels }]) => [name, panels]);
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
          assert.ok(labelsOf(familyOf(selector?.name ?? '', known) ?? assert.fail()).has(label), `${title}: ${label}`);
        }
      }
    }
  }
});

test('a dashboard can be imported: its own uid and no id, a source of data to choose, the way to the others', () => {
  assert.ok(files().length >= 5);
  assert.equal(new Set(files().map(([, { uid }]) => uid)).size, files().length);
  for (const [name, { id, uid, title, description, tags, schemaVersion, links, templating }] of files()) {
    assert.equal(id, undefined, name);
    assert.equal(uid, `starling-${name.replace('.json', '')}`);
    assert.match(title, /^Starling: [a-z ]+$/);
    assert.match(description, /Prometheus that scrapes --metrics\.$/);
    assert.equal(schemaVersion, SCHEMA_VERSION);
    assert.ok(tags.includes('starling') && links.some((link) => link.type === 'dashboards'), name);
    const variables = templating.list.map((variable) => [variable.name, variable.type]);
    assert.deepEqual(variables, [
      ['datasource', 'datasource'],
      ['instance', 'query'],
    ]);
    assert.equal(templating.list[0]?.query, 'prometheus');
  }
});

test('every panel takes its data from the chosen source, and its queries have names of their own', () => {
  for (const [file, panels] of dashboards()) {
    for (const { title, type, datasource, targets = [] } of panels.filter(({ type }) => type !== 'row')) {
      const sources = [datasource, ...targets.map((target) => target.datasource)];
      for (const source of sources) assert.match(JSON.stringify(source), CHOSEN_SOURCE, title);
      assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, `${file}: ${title}`);
      assert.ok(['stat', 'timeseries', 'heatmap'].includes(type), title);
    }
  }
});

test('all that a node tells is on a dashboard, or left out on purpose', () => {
  const queries = dashboards().flatMap(([, panels]) => panels.flatMap(({ targets = [] }) => targets));
  const used = new Set(queries.flatMap(({ expr }) => parseQuery(expr)).map(({ name }) => name));
  const missing = METRIC_ROWS.filter(({ name, type }) => {
    const names = type === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => name + ending) : [name];
    return !names.some((each) => used.has(each));
  });
  assert.deepEqual(missing.map(({ name }) => name).sort(), LEFT_OUT.toSorted());
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
    'starling_chain_flush_seconds',
    'starling_chain_flush_seconds_bucket > 1',
    'rate(starling_chain_height_count[5m])',
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
    'x / ignoring y',
    'time(x)',
    'rate(x[$interval])',
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
