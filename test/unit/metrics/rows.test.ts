/** The table of metrics: names by Prometheus' rules, and a text that a strict reader takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exposition } from '../../../src/metrics/exposition.ts';
import { whyNotReady } from '../../../src/metrics/health.ts';
import { METRIC_ROWS } from '../../../src/metrics/rows/all.ts';
import { parseExposition } from '../../support/exposition.ts';
import { sampleFigures } from '../../support/node-figures.ts';

test('every metric has help, a name of its own, and the unit in it', () => {
  assert.equal(new Set(METRIC_ROWS.map(({ name }) => name)).size, METRIC_ROWS.length);
  for (const { name, help, type, unit, label = 'x' } of METRIC_ROWS) {
    assert.match(name, /^starling_[a-z]+(?:_[a-z]+)*$/);
    assert.match(help, /^\S.{10,119}$/, name);
    assert.match(label, /^[a-z]+$/, name);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    const base = name.replace(/_total$/, '');
    if (unit === 'count') assert.doesNotMatch(base, /_(?:seconds|bytes|ratio|ms|minutes|kb|mb)$/, name);
    else assert.ok(base.endsWith(`_${unit}`), `${name} ends with its unit`);
  }
});

test('what is written is the text format, with the values of the rows', async () => {
  const figures = sampleFigures();
  const families = parseExposition(await new Exposition(METRIC_ROWS).text(figures));
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

test('values follow the figures from scrape to scrape: counters are not added up, what is gone is gone', async () => {
  const exposition = new Exposition(METRIC_ROWS);
  const figures = sampleFigures();
  await exposition.text(figures);
  const later = {
    ...figures,
    status: { ...figures.status, lastBlockDelayMs: undefined },
    mempool: { ...figures.mempool, entered: 9, left: { block: 4 } },
  };
  const families = parseExposition(await exposition.text(later));
  assert.equal(families.get('starling_mempool_entered_total')?.samples.get('starling_mempool_entered_total'), 9);
  assert.deepEqual(Object.fromEntries(families.get('starling_mempool_left_total')?.samples ?? []), {
    'starling_mempool_left_total{reason="block"}': 4,
  });
  assert.equal(families.get('starling_chain_block_delay_seconds')?.samples.size, 0);
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
  ];
  for (const text of bad) assert.throws(() => parseExposition(text), assert.AssertionError, text);
});
