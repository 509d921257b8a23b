/**
 * Random announcements, answers, time, and departures, against an oracle that knows only who announced what: never two
 * requests for one id, caps, nothing left behind; and what an honest peer announced is fetched in the end.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Wtxid, wtxidFromBytes } from '#primitives';
import { type Random, seededRandom } from '#util';
import { MAX_IN_FLIGHT, type TxBatch, TxRequestTracker } from '../../../src/relay/tx-request-tracker.ts';

const TIMEOUT_MS = 30_000;
/** For peers that came to us. */
const PATIENCE_MS = 2_000;
const isPreferred = (peer: string): boolean => peer === 'a' || peer === 'honest';
const PEERS = ['honest', 'a', 'b', 'c', 'd'] as const;
/** Ids announced about the same time. */
const IDS = 300;
const STEPS = 3_000;

function idOf(number: number): Wtxid {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(number);
  return wtxidFromBytes(bytes);
}

class World {
  readonly #random: Random;
  readonly #tracker: TxRequestTracker;
  nowMs = 0;
  #steps = 0;
  /** Requests on their way by peer, and since when each id is asked of whom. */
  readonly #open = new Map<string, TxBatch>();
  readonly #asked = new Map<Wtxid, { readonly peer: string; readonly sinceMs: number }>();
  readonly #connected = new Set<string>(PEERS);
  /** Requests to peers that left: they may end when the peer is back. */
  readonly #late: TxBatch[] = [];
  readonly #fetched = new Set<Wtxid>();
  readonly #promised = new Set<Wtxid>();

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#tracker = new TxRequestTracker(this.#random.bytes(16), TIMEOUT_MS);
    for (const peer of PEERS) this.#tracker.connected(peer, isPreferred(peer));
  }

  step(): void {
    this.#steps += 1;
    this.nowMs += this.#random.below(10) === 0 ? this.#random.below(5_000) : this.#random.below(50);
    const peer = PEERS[this.#random.below(PEERS.length)] ?? 'honest';
    switch (this.#random.below(8)) {
      case 0:
        this.#toggle(peer);
        break;
      case 1:
      case 2:
      case 3:
        for (let count = this.#random.below(40); count > 0; count--) this.#announce(peer);
        break;
      default:
        this.#answer(peer);
    }
    const late = this.#random.below(5) === 0 ? this.#late.shift() : undefined;
    if (late !== undefined) this.#tracker.batchEnded(late, 'failed');
    this.#take();
  }

  /** No more news: the liars stay silent, the honest peer answers. */
  finish(): void {
    for (let round = 0; this.#tracker.size > 0; round++) {
      assert.ok(round < 200, 'everything is decided in the end');
      this.#take();
      if (this.#open.has('honest')) this.#answer('honest');
      else this.nowMs = Math.max(this.nowMs, this.#tracker.nextDueMs() ?? this.nowMs + TIMEOUT_MS);
      for (const [peer, { refs }] of this.#open) {
        const isOver = refs.every(({ id }) => this.#isOver(id, peer));
        if (peer !== 'honest' && isOver) this.#end(peer, 'failed');
      }
    }
    for (const id of this.#promised) assert.ok(this.#fetched.has(id), `${id} was to be had`);
    for (const peer of PEERS) assert.equal(this.#tracker.count(peer), 0);
    assert.equal(this.#tracker.nextDueMs(), undefined);
  }

  get fetched(): number {
    return this.#fetched.size;
  }

  #isOver(id: Wtxid | string, peer: string): boolean {
    const asked = this.#asked.get(id as Wtxid);
    return asked?.peer !== peer || this.nowMs >= asked.sinceMs + TIMEOUT_MS;
  }

  #toggle(peer: string): void {
    if (peer === 'honest') return;
    if (this.#connected.delete(peer)) {
      const batch = this.#open.get(peer);
      this.#tracker.disconnected(peer);
      this.#open.delete(peer);
      if (batch !== undefined) this.#late.push(batch);
      for (const [id, asked] of this.#asked) if (asked.peer === peer) this.#asked.delete(id);
    } else {
      this.#connected.add(peer);
      this.#tracker.connected(peer, isPreferred(peer));
    }
  }

  #announce(peer: string): void {
    const id = idOf(this.#steps + this.#random.below(IDS));
    if (this.#fetched.has(id)) return;
    this.#tracker.announced(peer, { kind: 'wtxid', id }, this.nowMs);
    if (peer === 'honest') this.#promised.add(id);
  }

  #take(): void {
    for (const batch of this.#tracker.take(this.nowMs, ({ id }) => this.#fetched.has(id as Wtxid))) {
      assert.ok(this.#connected.has(batch.peer), 'only who is there is asked');
      assert.ok(!this.#open.has(batch.peer), 'one request a peer');
      assert.ok(batch.refs.length <= MAX_IN_FLIGHT);
      this.#open.set(batch.peer, batch);
      for (const ref of batch.refs) {
        const id = ref.id as Wtxid;
        const before = this.#asked.get(id);
        const timeoutMs = before === undefined || isPreferred(before.peer) ? TIMEOUT_MS : PATIENCE_MS;
        assert.ok(before === undefined || this.nowMs >= before.sinceMs + timeoutMs, 'one request for an id at a time');
        assert.ok(!this.#fetched.has(id));
        this.#asked.set(id, { peer: batch.peer, sinceMs: this.nowMs });
      }
    }
  }

  #answer(peer: string): void {
    const batch = this.#open.get(peer);
    if (batch === undefined) return;
    const isHonest = peer === 'honest';
    // Liars stay silent, break off, or have what they announced or not.
    if (!isHonest && this.#random.below(3) === 0) return;
    if (!isHonest && this.#random.below(6) === 0) {
      this.#end(peer, 'failed');
      return;
    }
    const length = isHonest ? batch.refs.length : 1 + this.#random.below(batch.refs.length);
    for (const { id } of batch.refs.slice(0, length)) {
      const wtxid = id as Wtxid;
      this.#tracker.answered(peer, wtxid);
      if (this.#asked.get(wtxid)?.peer === peer) this.#asked.delete(wtxid);
      if (!isHonest && this.#random.below(2) === 0) continue;
      this.#fetched.add(wtxid);
      this.#asked.delete(wtxid);
      this.#tracker.forget(wtxid);
    }
    this.#end(peer, 'ended');
  }

  #end(peer: string, result: 'ended' | 'failed'): void {
    const batch = this.#open.get(peer);
    if (batch === undefined) return;
    this.#open.delete(peer);
    this.#tracker.batchEnded(batch, result);
    for (const [id, asked] of this.#asked) if (asked.peer === peer) this.#asked.delete(id);
  }
}

describe('transaction requests by chance', () => {
  for (let seed = 1; seed <= 8; seed++) {
    it(`ask once at a time and get all that is to be had (seed ${seed})`, () => {
      const world = new World(seed);
      for (let i = 0; i < STEPS; i++) world.step();
      world.finish();
      assert.ok(world.fetched > STEPS / 2, `${world.fetched} fetched`);
    });
  }
});
