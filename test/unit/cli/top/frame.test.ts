import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { FeeBucket, Figures } from '../../../../src/cli/top/figures.ts';
import { frameOf, plainText } from '../../../../src/cli/top/frame.ts';
import { mergedBuckets, peerLines } from '../../../../src/cli/top/panels.ts';
import { textOf } from '../../../../src/cli/top/spans.ts';
import { FIRST_VIEW, type View } from '../../../../src/cli/top/view.ts';
import { hashOf, makeScene, peerAnswer } from './answers.ts';

const NOBODY = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf';
const LONG_ADDRESS = '[2001:db8:85a3:1234:5678:8a2e:370:7334]:8433';
const SYNC = {
  ...{ phase: 'blocks', reason: '', height: 870_123, headerHeight: 870_124, progress: 0.99 },
  ...{ blocksPerSecond: 12, bytesPerSecond: 3e6, secondsLeft: 200, peers: 3 },
};

/** Two seconds in which peers were heard, a node that syncs, and one block that a peer announced. */
async function figuresOfScene(): Promise<Figures> {
  const scene = makeScene();
  await scene.collect();
  scene.collector.hear({ name: 'sync', data: SYNC });
  const block = { hash: hashOf(870_123), firstPeer: NOBODY, delayMs: 240 };
  scene.collector.hear({ name: 'blocks', data: { blocks: [block] } });
  await scene.clock.advance(2000);
  scene.node.totalIn += 6_000;
  scene.node.peers = [0, 1, 2].map((id) => {
    const heard = { bytesrecv: 1_000 + 2_000 * id, bytesrecv_per_msg: { '/meshsub/1.2.0': 700 + 2_000 * id } };
    return peerAnswer(id, { ...heard, gossipscore: id - 1, ...(id === 2 && { addr: LONG_ADDRESS }) });
  });
  return scene.collect();
}

let figures: Figures;
before(async () => {
  figures = await figuresOfScene();
});

const text = (columns: number, rows: number | undefined, view = FIRST_VIEW, trouble?: string): string =>
  plainText(frameOf(figures, view, { columns, rows }, trouble));

test('a frame for 80 by 24', () => {
  assert.equal(
    text(80, 24),
    [
      'starling  main  /Starling:0.1.0/  up 3 h 12 min              3 peers, 2 outbound',
      'sync     ███████░  99.00%  block 870,123 of 870,124  12/s  3.00 MB/s  3 min left',
      'tip      …000d46eb  1 min 37 s ago  4,000 transactions  difficulty 102 T',
      'mempool  1,234 transactions  432 kvB  memory 2.40 MB of 300 MB  from 1.23 sat/vB',
      'traffic  in 3.00 kB/s (9.00 kB)  out 0 B/s (1.50 kB)',
      '── mempool by fee rate, sat/vB ──────── ── recent blocks ──────────────────────',
      '20-30  ░░░░░░░   100 vB      1          870,123   1 min  4,000 tx  240 ms',
      ' 7-20  ░░░░░░░     0 vB      0          870,122  11 min  4,001 tx',
      '  5-7  ███░░░░  132 kvB    233          870,121  21 min  4,002 tx',
      '  2-5  ░░░░░░░     0 vB      0          870,120  31 min  4,003 tx',
      '  1-2  ███████  300 kvB  1,000          870,119  41 min  4,004 tx',
      '── bytes by protocol ───────────────────────────────────────────────────────────',
      '              in/s  out/s       in      out',
      'meshsub  3.00 kB/s  0 B/s  8.10 kB  1.20 kB',
      'ping         0 B/s  0 B/s      0 B    300 B',
      '── 3 peers ─────────────────────────────────────────────────────────────────────',
      'id▼       address                    height   ping  score       in/s  out/s',
      '  0  out  192.0.2.0:8433            870,123  10 ms   -1.0      0 B/s  0 B/s',
      '  1  in   192.0.2.1:8433            870,123  20 ms    0.0  1.00 kB/s  0 B/s',
      '  2  out  [2001:db8:8…0:7334]:8433  870,123  30 ms    1.0  2.00 kB/s  0 B/s',
      '',
      '',
      '',
      'q quit   s sort (id)   r reverse   ↑↓ PgUp PgDn scroll   ? help',
      '',
    ].join('\n'),
  );
});

test('a wide screen has panels beside each other, and columns that a narrow one leaves out', () => {
  const lines = text(140, 30).split('\n');
  assert.match(lines[2] ?? '', new RegExp(`^tip +${hashOf(870_123)} `));
  assert.match(lines[5] ?? '', /^── mempool by fee rate.*── recent blocks.*── bytes by protocol/);
  assert.match(lines.join('\n'), /2 {2}out {2}\[2001:db8:85a3:1234:5678:8a2e:370:7334\]:8433 .*\/Starling:0\.1\.0\//);
});

test('whatever the size, a frame fills it exactly', () => {
  for (const columns of [1, 2, 9, 30, 39, 40, 79, 80, 81, 120, 250]) {
    for (const rows of [1, 2, 5, 6, 8, 9, 12, 24, 60]) {
      for (const view of [FIRST_VIEW, { ...FIRST_VIEW, isHelp: true }]) {
        const { lines } = frameOf(figures, view, { columns, rows });
        assert.equal(lines.length, rows, `${columns} by ${rows}`);
        for (const each of lines) assert.equal([...textOf(each)].length, columns, `${columns} by ${rows}`);
      }
    }
  }
});

test('peers scroll as far as there are some, between head and foot', () => {
  const many = { ...figures, peers: Array.from({ length: 50 }, (_, id) => ({ ...figures.peers[0], id }) as never) };
  const size = { columns: 80, rows: 24 };
  const { page, maxScroll } = frameOf(many, FIRST_VIEW, size);
  assert.deepEqual([page + maxScroll, page > 3], [50, true]);
  const lines = plainText(frameOf(many, { ...FIRST_VIEW, scroll: 1_000 }, size)).split('\n');
  assert.match(lines.at(-3) ?? '', /^ *49 /);
  assert.ok(lines.some((each) => each.startsWith(`── 50 peers, ${maxScroll + 1} to 50 `)));
});

test('peers are sorted by what one looks for first, or the other way', () => {
  const ids = (view: Partial<View>): string =>
    peerLines(figures.peers, { ...FIRST_VIEW, ...view }, 80)
      .map((each) => textOf(each).trim().split(' ')[0])
      .slice(1)
      .join('');
  assert.deepEqual(
    [ids({}), ids({ isReversed: true }), ids({ sort: 'in' }), ids({ sort: 'score' })],
    ['012', '210', '210', '012'],
  );
  const [first, ...others] = figures.peers;
  assert.ok(first);
  const unmeasured = [{ ...first, pingMs: undefined }, { ...first, id: 7, pingMs: undefined }, ...others];
  const byPing = peerLines(unmeasured, { ...FIRST_VIEW, sort: 'ping' }, 80).map((each) => textOf(each).trim()[0]);
  assert.deepEqual(byPing.slice(1), ['1', '2', '0', '7']);
});

test('a node that does not answer is told where the sync stood', () => {
  const [head, trouble] = text(80, 24, FIRST_VIEW, 'no answer\x1b[2J; trying again').split('\n');
  assert.deepEqual([head?.slice(0, 8), trouble], ['starling', 'trouble  no answer?[2J; trying again']);
});

test('fee rates are put together where there is less room, the smallest first', () => {
  const buckets = [0, 10, 1, 5, 100, 0].map((vsize, from): FeeBucket => ({ from, to: from + 1, count: vsize, vsize }));
  const shown = (rows: number): readonly string[] =>
    mergedBuckets(buckets, rows).map(({ from, to, count }) => `${from}-${to}:${count}`);
  assert.deepEqual(shown(9), ['1-2:10', '2-3:1', '3-4:5', '4-5:100']);
  assert.deepEqual(shown(3), ['1-2:10', '2-4:6', '4-5:100']);
  assert.deepEqual(shown(1), ['1-5:116']);
  assert.deepEqual(mergedBuckets([], 5), []);
  assert.deepEqual(mergedBuckets([{ from: 0, to: undefined, count: 0, vsize: 0 }], 5), []);
});
