/** The table of metrics: names by Prometheus' rules, and a text that a strict reader takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '#meter';
import { expositionText } from '../../../src/metrics/exposition.ts';
import { whyNotReady } from '../../../src/metrics/health.ts';
import type { MetricRow } from '../../../src/metrics/row.ts';
import { METRIC_ROWS } from '../../../src/metrics/rows/all.ts';
import { parseExposition } from '../../support/exposition.ts';
import { sampleFigures } from '../../support/node-figures.ts';

test('every metric has help, a name of its own, and the unit in it', () => {
  assert.equal(new Set(METRIC_ROWS.map(({ name }) => name)).size, METRIC_ROWS.length);
  for (const { name, help, type, unit, labels = [] } of METRIC_ROWS) {
    assert.match(name, /^starling_[a-z]+(?:_[a-z]+)*$/);
    assert.match(help, /^\S.{10,119}$/, name);
    for (const label of labels) assert.match(label, /^[a-z]+$/, name);
    // Prometheus' own for histograms and summaries.
    assert.ok(!labels.some((label) => label === 'le' || label === 'quantile'), name);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    const base = name.replace(/_total$/, '');
    if (unit === 'count') assert.doesNotMatch(base, /_(?:seconds|bytes|ratio|ms|minutes|kb|mb)$/, name);
    else assert.ok(base.endsWith(`_${unit}`), `${name} ends with its unit`);
  }
});

test('what is written is the text format, with the values of the rows', () => {
  const figures = sampleFigures();
  const families = parseExposition(expositionText(METRIC_ROWS, figures));
  assert.deepEqual(
    [...families.keys()],
    METRIC_ROWS.map(({ name }) => name),
  );
  const samplesOf = (name: string): unknown => Object.fromEntries(families.get(name)?.samples ?? []);
  assert.deepEqual(samplesOf('starling_chain_tip_age_seconds'), { starling_chain_tip_age_seconds: 90 });
  assert.deepEqual(samplesOf('starling_peers_median_latency_seconds'), { starling_peers_median_latency_seconds: 0.03 });
  assert.deepEqual(samplesOf('starling_sync_missing_blocks'), { starling_sync_missing_blocks: 2 });
  assert.deepEqual(samplesOf('starling_peers_connected'), {
    'starling_peers_connected{kind="inbound"}': 2,
    'starling_peers_connected{kind="full-relay"}': 1,
    'starling_peers_connected{kind="block-only"}': 0,
    'starling_peers_connected{kind="feeler"}': 0,
    'starling_peers_connected{kind="manual"}': 0,
    'starling_peers_connected{kind="query"}': 0,
  });
  // No limit, so nothing is left of it.
  assert.deepEqual(samplesOf('starling_net_upload_left_bytes'), {});
});

test('values follow the figures from scrape to scrape: counters are not added up, what is gone is gone', () => {
  const figures = sampleFigures();
  const later = {
    ...figures,
    counted: { ...figures.counted, net: { ...figures.counted.net, thread: undefined } },
    mempool: { ...figures.mempool, entered: 9, left: { block: 4 } },
  };
  const families = parseExposition(expositionText(METRIC_ROWS, later));
  assert.equal(families.get('starling_mempool_entered_total')?.samples.get('starling_mempool_entered_total'), 9);
  assert.deepEqual(Object.fromEntries(families.get('starling_mempool_left_total')?.samples ?? []), {
    'starling_mempool_left_total{reason="block"}': 4,
  });
  // The network runs in the node's own thread.
  assert.equal(families.get('starling_net_thread_heap_bytes')?.samples.size, 0);
  assert.deepEqual(Object.fromEntries(families.get('starling_thread_busy_seconds_total')?.samples ?? []), {
    'starling_thread_busy_seconds_total{thread="main"}': 1.5,
    'starling_thread_busy_seconds_total{thread="verify"}': 0.1,
  });
});

test('a histogram is written by its buckets, which add up, and each of two labels has its place', () => {
  const histogram = new Histogram([0.5, 1]);
  for (const value of [0.5, 0.7, 3]) histogram.add(value);
  const rows: readonly MetricRow[] = [
    { name: 'a_seconds', help: 'first', type: 'histogram', unit: 'seconds', read: () => histogram.figures() },
    {
      ...{ name: 'b_seconds', help: 'second', type: 'histogram', unit: 'seconds', labels: ['x'] },
      read: () => ({ 'q"\\\n': new Histogram([1]).figures(), none: undefined }),
    },
    {
      ...{ name: 'c_total', help: 'third', type: 'counter', unit: 'count', labels: ['x', 'y'] },
      read: () => ({ one: { a: 1, b: Number.NaN }, two: { a: 2e21 } }),
    },
  ];
  const text = expositionText(rows, sampleFigures());
  assert.deepEqual(text.split('\n'), [
    ...['# HELP a_seconds first', '# TYPE a_seconds histogram'],
    ...['a_seconds_bucket{le="0.5"} 1', 'a_seconds_bucket{le="1"} 2', 'a_seconds_bucket{le="+Inf"} 3'],
    ...['a_seconds_sum 4.2', 'a_seconds_count 3'],
    ...['# HELP b_seconds second', '# TYPE b_seconds histogram'],
    ...['b_seconds_bucket{x="q\\"\\\\\\n",le="1"} 0', 'b_seconds_bucket{x="q\\"\\\\\\n",le="+Inf"} 0'],
    ...['b_seconds_sum{x="q\\"\\\\\\n"} 0', 'b_seconds_count{x="q\\"\\\\\\n"} 0'],
    ...[
      '# HELP c_total third',
      '# TYPE c_total counter',
      'c_total{x="one",y="a"} 1',
      'c_total{x="two",y="a"} 2e+21',
      '',
    ],
  ]);
  assert.equal(parseExposition(text).size, 3);
});

test('the number of samples is bounded by our own tables', () => {
  const families = parseExposition(expositionText(METRIC_ROWS, sampleFigures()));
  const samples = [...families.values()].reduce((sum, family) => sum + family.samples.size, 0);
  assert.ok(samples < 1_500, `${samples} samples`);
});

test('a node is ready at the tip and with peers; otherwise it says what it waits for', () => {
  const { net, sync } = sampleFigures().status;
  assert.equal(whyNotReady({ net, sync }), undefined);
  assert.equal(whyNotReady({ net: { ...net, isActive: false }, sync }), 'the network is switched off');
  assert.equal(whyNotReady({ net: { ...net, peers: [] }, sync }), 'no peer is connected');
  const blocks = { ...sync, phase: 'blocks', height: 5 } as const;
  assert.equal(whyNotReady({ net, sync: blocks }), 'blocks: block 5 of 702');
  const stalled = { ...blocks, phase: 'stalled', reason: 'the disk is full' } as const;
  assert.equal(whyNotReady({ net, sync: stalled }), 'stalled: block 5 of 702, the disk is full');
});

test('the reader of the format takes none of these', () => {
  const bad = [
    '# HELP a b\n# TYPE a gauge\na 1',
    '# TYPE a gauge\na 1\n',
    'a 1\n',
    '# HELP a b\n# TYPE a gauge\na 1\na 2\n',
    '# HELP a b\n# TYPE a gauge\nb 1\n',
    '# HELP a b\n# TYPE a gauge\na one\n',
    '# HELP a b\n# TYPE a gauge\na{x=1} 1\n',
    '# HELP a b\n# TYPE a gauge\na{x="\\q"} 1\n',
    '# HELP a b\n# TYPE a gauge\na 1\n# HELP a b\n# TYPE a gauge\n',
    '# HELP a b\n# TYPE a meter\n',
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 1\na_sum 1\na_count 1\n',
    '# HELP a b\n# TYPE a histogram\na_bucket{le="1"} 2\na_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n',
    '# HELP a b\n# TYPE a histogram\na_bucket{le="+Inf"} 1\na_sum 1\na_count 2\n',
  ];
  for (const text of bad) assert.throws(() => parseExposition(text), assert.AssertionError, text);
});
