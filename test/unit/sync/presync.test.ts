/** The state machine of the low-work header sync, by itself: Core's headers_sync_chainwork_tests, and its bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockProof, type NetworkParams } from '#consensus';
import { BlockHeader } from '#primitives';
import { type Random, seededRandom } from '#util';
import { BitQueue } from '../../../src/sync/bit-queue.ts';
import { HeaderQueue } from '../../../src/sync/header-queue.ts';
import { syncDefaults } from '../../../src/sync/options.ts';
import { Presync, type PresyncStart } from '../../../src/sync/presync.ts';
import { regtest } from '../../support/chain-builder.ts';
import { CheapHeaders } from '../../support/cheap-headers.ts';

const params = regtest();
const { genesis } = params;
const start: PresyncStart = {
  hash: genesis.hash,
  height: 0,
  header: genesis.header,
  chainWork: blockProof(genesis.header.bits),
  medianTimePast: genesis.header.time,
};
/** Small enough that a chain of some thousand headers meets each bound. */
const options = { maxHeadersPerRequest: 200, commitmentPeriod: 7, redownloadBuffer: 300 };
const LENGTH = 2000;
const PER_BLOCK = 2n;
const allWork = start.chainWork + BigInt(LENGTH) * PER_BLOCK;

type Setting = {
  readonly minimumWork?: bigint;
  readonly params?: NetworkParams;
  readonly nowSeconds?: number;
  readonly random?: Random;
  readonly options?: Partial<typeof options>;
};

function presyncWith(setting: Setting = {}): Presync {
  const { random = seededRandom(3), nowSeconds = genesis.header.time + 100_000 } = setting;
  return new Presync(
    start,
    setting.minimumWork ?? allWork,
    { params: setting.params ?? params, random, nowSeconds },
    { ...options, ...setting.options },
  );
}

const chainOf = (salt: number, length = LENGTH): BlockHeader[] => new CheapHeaders(genesis, { salt }).after([], length);
const first = chainOf(1);
const second = chainOf(2);

/** Headers as they come from the network: nobody has hashed them yet. */
const fresh = (headers: readonly BlockHeader[]): BlockHeader[] => headers.map(({ raw }) => new BlockHeader(raw));

/** Feeds a chain from its beginning in full answers; gives the last verdict and what was released. */
function feed(presync: Presync, chain: readonly BlockHeader[]): { last: string; released: BlockHeader[] } {
  const released: BlockHeader[] = [];
  for (let at = 0; at < chain.length; at += options.maxHeadersPerRequest) {
    const headers = fresh(chain.slice(at, at + options.maxHeadersPerRequest));
    const { phase } = presync;
    const verdict = presync.take(headers, headers.length === options.maxHeadersPerRequest);
    for (let ready = presync.release(50); ready.length > 0; ready = presync.release(50)) {
      assert.ok(ready.length <= 50);
      released.push(...ready);
    }
    if (verdict.kind !== 'more') return { last: verdict.kind, released };
    if (presync.phase !== phase) return { last: 'redownload', released };
  }
  return { last: 'more', released };
}

const hashes = (headers: readonly BlockHeader[]): string[] => headers.map(({ hash }) => hash);

test('a chain with the work is released in the second pass, whole and in order', () => {
  const presync = presyncWith();
  assert.deepEqual(feed(presync, first), { last: 'redownload', released: [] });
  assert.equal(presync.lastHash, genesis.hash, 'it begins again');
  const { last, released } = feed(presync, first);
  assert.equal(last, 'proved');
  assert.deepEqual(hashes(released), hashes(first));
  // What was handed on beside the bytes is what the bytes hash to.
  assert.deepEqual(hashes(fresh(released)), hashes(first));
});

test('nothing is released before so many headers behind it agreed', () => {
  const presync = presyncWith();
  feed(presync, first);
  assert.deepEqual(feed(presync, first.slice(0, 200)).released, []);
  assert.equal(presync.take(fresh(first.slice(200, 400)), true).kind, 'more');
  const released = presync.release(1000);
  assert.deepEqual(hashes(released), hashes(first.slice(0, 400 - options.redownloadBuffer)));
});

test('the work is enough at exactly the threshold, and one below it is not', () => {
  assert.equal(feed(presyncWith({ minimumWork: allWork }), first).last, 'redownload');
  const short = presyncWith({ minimumWork: allWork + 1n });
  assert.equal(feed(short, first).last, 'more', 'the last answer was full: there may be more');
  assert.equal(short.work, allWork);
});

test('a chain that ends without the work is refused, and nothing was released', () => {
  const presync = presyncWith({ minimumWork: allWork + 1n });
  assert.deepEqual(feed(presync, chainOf(1, LENGTH - 1)), { last: 'low-work', released: [] });
});

test('who shows another chain the second time is found out', () => {
  const presync = presyncWith();
  assert.equal(feed(presync, first).last, 'redownload');
  const { last, released } = feed(presync, second);
  assert.equal(last, 'changed');
  assert.deepEqual(released, []);
});

test('whoever changes the chain late gets at most what lies the buffer behind', () => {
  const presync = presyncWith();
  assert.equal(feed(presync, first).last, 'redownload');
  const common = first.slice(0, 1000);
  const fork = new CheapHeaders({ hash: common[999]?.hash ?? genesis.hash, header: genesis.header }, { salt: 9 });
  const { last, released } = feed(presync, [...common, ...fork.after([], 1000)]);
  assert.equal(last, 'changed');
  assert.deepEqual(hashes(released), hashes(common.slice(0, released.length)));
});

test('a chain cut short the second time is refused', () => {
  const presync = presyncWith();
  feed(presync, first);
  assert.equal(feed(presync, first.slice(0, 950)).last, 'low-work');
});

test('a chain that grew meanwhile is released with its new end, to which nothing was committed', () => {
  const presync = presyncWith({ minimumWork: start.chainWork + 1050n * PER_BLOCK });
  assert.equal(feed(presync, first.slice(0, 1050)).last, 'redownload');
  const { last, released } = feed(presync, first.slice(0, 1200));
  assert.equal(last, 'proved');
  assert.deepEqual(hashes(released), hashes(first.slice(0, 1200)));
});

test('headers that do not follow end it in both passes', () => {
  const presync = presyncWith();
  assert.equal(presync.take(fresh(first.slice(1, 5)), true).kind, 'unconnected');
  const gap = presyncWith();
  assert.equal(gap.take(fresh([...first.slice(0, 3), ...first.slice(4, 6)]), true).kind, 'unconnected');
  const later = presyncWith();
  feed(later, first);
  assert.equal(later.take(fresh(first.slice(1, 5)), true).kind, 'unconnected');
});

test('proof of work and difficulty are checked in both passes', () => {
  const [head] = first;
  assert.ok(head);
  const changed = (change: (view: DataView) => void): BlockHeader => {
    const raw = head.raw.slice();
    change(new DataView(raw.buffer));
    return new BlockHeader(raw);
  };
  // A target of one: no hash meets it.
  const noWork = changed((view) => view.setUint32(72, 0x03000001, true));
  const fixed = { ...params, pow: { ...params.pow, allowMinDifficultyBlocks: false } };
  const [harder] = new CheapHeaders(genesis, { bits: 0x203fffff }).after([], 1);
  assert.ok(harder);
  for (const passes of [1, 2]) {
    for (const [header, code] of [
      [noWork, 'high-hash'],
      [harder, 'bad-diffbits'],
    ] as const) {
      const presync = presyncWith({ params: fixed });
      if (passes === 2) feed(presync, first);
      const verdict = presync.take([header], false);
      assert.equal(verdict.kind === 'invalid' ? verdict.failure.code : verdict.kind, code);
    }
  }
});

test('a chain longer than six blocks a second since its start allow is given up', () => {
  // Regtest's genesis is the start: with two hours ahead allowed, at most 6 * (7200 + seconds) blocks, in commitments.
  const limit = Math.floor((6 * (7200 + 2)) / 120);
  const setting = { options: { commitmentPeriod: 120 }, nowSeconds: genesis.header.time + 2, minimumWork: 2n ** 80n };
  const presync = presyncWith(setting);
  const flood = new CheapHeaders(genesis);
  let count = 0;
  let verdict = 'more';
  while (verdict === 'more') {
    const headers = flood.after([presync.lastHash], options.maxHeadersPerRequest);
    verdict = presync.take(headers, true).kind;
    count = presync.height;
  }
  assert.equal(verdict, 'too-long');
  assert.equal(Math.ceil(count / 120), limit + 1, 'it ends with the commitment above the bound');
});

test('a clock before the start allows no commitment, and is no fault', () => {
  const presync = presyncWith({ nowSeconds: genesis.header.time - 10_000_000 });
  assert.equal(feed(presync, first).last, 'too-long');
});

test('a flood takes one bit a period in the first pass, and the buffer in the second', () => {
  const flood = new CheapHeaders(genesis);
  // As many commitments as ten million headers make by default.
  const period = 2;
  const count = (10_000_000 / syncDefaults.headers.commitmentPeriod) * period;
  const presync = presyncWith({
    options: { commitmentPeriod: period },
    nowSeconds: genesis.header.time + 10 ** 7,
    minimumWork: 2n ** 80n,
  });
  while (presync.height < count) assert.equal(presync.take(flood.after([presync.lastHash], 1000), true).kind, 'more');
  assert.ok(presync.bytes <= 4096, `${presync.bytes} bytes`);
  const { redownloadBuffer, maxHeadersPerRequest } = syncDefaults.headers;
  assert.ok(new HeaderQueue(redownloadBuffer + maxHeadersPerRequest).bytes < 1_400_000);
});

test('the secret decides which headers are committed to, and by what', () => {
  // Of two chains that differ in all headers each secret notices it at another one.
  const noticed = new Set<number>();
  for (let seed = 1; seed <= 12; seed++) {
    const presync = presyncWith({ random: seededRandom(seed) });
    feed(presync, first);
    feed(presync, second);
    noticed.add(presync.height);
  }
  assert.ok(noticed.size >= 6, [...noticed].join());
});

test('bits come out as they went in, up to the bound', () => {
  const queue = new BitQueue(2000);
  const bits = Array.from({ length: 2000 }, (_, i): 0 | 1 => ((i * 7919) % 13 < 6 ? 1 : 0));
  for (const bit of bits) assert.ok(queue.push(bit));
  assert.equal(queue.push(1), false);
  assert.deepEqual(
    bits.map(() => queue.shift()),
    bits,
  );
  assert.equal(queue.shift(), undefined);
  assert.ok(queue.bytes <= 512);
});

test('headers come out of their queue as they went in, also around its end', () => {
  const queue = new HeaderQueue(30);
  const out: BlockHeader[] = [];
  for (const header of first.slice(0, 100)) {
    queue.push(header);
    if (queue.size === 30) out.push(...queue.take(17));
  }
  out.push(...queue.take(100));
  assert.deepEqual(hashes(out), hashes(first.slice(0, 100)));
  assert.deepEqual(hashes(fresh(out)), hashes(out));
});
