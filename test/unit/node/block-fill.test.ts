/** Who is asked for the transactions of a block and when, whose answer counts, and when it is given up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Block, Transaction } from '#primitives';
import { buildCompactBlock, reconstructFrom } from '#protocol';
import { equalBytes, seededRandom } from '#util';
import { BlockFill, type FillDeps, type FillOutcome, type PartialBlock } from '../../../src/node/block-fill.ts';
import type { HedgePeer } from '../../../src/node/hedge.ts';
import { HedgePace } from '../../../src/node/hedge-pace.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';

const txs = Array.from({ length: 10 }, (_, n) => numberedTx(n));
const block = blockOf(txs);
const { header } = block;
const stranger = numberedTx(99);

/** What is there of the block to somebody who lacks those places. */
function lacking(places: readonly number[], nonce = 1n, announced: Block = block): PartialBlock {
  const compact = buildCompactBlock(announced, nonce);
  const known = announced.transactions.filter((_, index) => !places.includes(index));
  const result = reconstructFrom(compact, known);
  assert(result.kind === 'missing');
  return result.partial;
}

/** An announcement with the id of a transaction that we know at a place where the block has another. */
function misled(place: number, missing: readonly number[], nonce = 2n): PartialBlock {
  return lacking(missing, nonce, Block.fromParts(header, txs.with(place, stranger)));
}

type Asked = {
  readonly peer: string;
  readonly atMs: number;
  readonly indexes: readonly number[];
  readonly signal: AbortSignal;
  readonly answer: (txs: readonly Transaction[] | undefined) => void;
  readonly fail: () => void;
};

const peer = (id: string, isOutbound = false, hasBlock = false): HedgePeer => ({ id, isOutbound, hasBlock });

function createFill(peers: readonly HedgePeer[] = []) {
  const clock = createManualClock();
  const asked: Asked[] = [];
  const ended: { outcome: FillOutcome | undefined; atMs: number } = { outcome: undefined, atMs: 0 };
  const sought: number[] = [];
  const deps: FillDeps = {
    requestBlockTxs: (id, hash, indexes, signal) => {
      assert.equal(hash, header.hash);
      const { promise, resolve, reject } = Promise.withResolvers<readonly Transaction[] | undefined>();
      const fail = () => reject(new Error('the exchange failed'));
      asked.push({ peer: id, atMs: clock.monotonicMs(), indexes, signal, answer: resolve, fail });
      return promise;
    },
    peers: () => peers,
    pace: new HedgePace(),
    clock,
    random: seededRandom(1),
  };
  const fill = new BlockFill(header.hash, deps, () => sought.push(clock.monotonicMs()));
  void fill.outcome.then((outcome) => {
    ended.outcome = outcome;
    ended.atMs = clock.monotonicMs();
  });
  const order = () => asked.map((each) => `${each.peer}@${each.atMs}`);
  const last = (): Asked => {
    const request = asked.at(-1);
    assert(request !== undefined);
    return request;
  };
  return { clock, asked, ended, fill, order, last, sought };
}

function assertRebuilt({ outcome }: { readonly outcome: FillOutcome | undefined }, hasAsked = true): void {
  assert(outcome?.kind === 'rebuilt');
  assert.ok(equalBytes(outcome.block.raw, block.raw));
  assert.equal(outcome.filled !== undefined, hasAsked);
}

const givenUp = (reason: string) => ({ kind: 'given-up', reason });

describe('asking for the transactions of a block', () => {
  it('begins with the announcer and ends with its answer', async () => {
    const { clock, asked, ended, fill, order, last } = createFill([peer('b')]);
    fill.offer(lacking([3, 7]), 'a');
    assert.deepEqual(order(), ['a@0']);
    assert.deepEqual(last().indexes, [3, 7]);
    assert.ok(fill.bytes > 0);
    await clock.advance(499);
    last().answer([txs[3], txs[7]].filter((tx) => tx !== undefined));
    await clock.advance(0);
    assertRebuilt(ended);
    assert.equal(fill.bytes, block.size, 'until it is connected');
    await clock.advance(5000);
    assert.deepEqual(order(), ['a@0'], 'nobody else is asked');
    assert.equal(clock.pending(), 0);
    assert.equal(asked.length, 1);
  });

  it('goes on to a second peer after 0.5 s and a third after 1 s, and gives up after 2 s', async () => {
    const { clock, asked, ended, fill, order } = createFill([peer('a'), peer('b'), peer('c'), peer('d')]);
    fill.offer(lacking([3]), 'a');
    await clock.advance(499);
    assert.equal(asked.length, 1);
    await clock.advance(1);
    assert.equal(asked.length, 2);
    await clock.advance(499);
    assert.equal(asked.length, 2);
    await clock.advance(1);
    assert.deepEqual(
      order().map((each) => each.split('@')[1]),
      ['0', '500', '1000'],
    );
    assert.equal(new Set(asked.map((each) => each.peer)).size, 3, 'each once');
    await clock.advance(999);
    assert.equal(ended.outcome, undefined);
    await clock.advance(1);
    assert.deepEqual(ended.outcome, givenUp('too slow'));
    assert.equal(ended.atMs, 2000);
    assert.ok(asked.every((each) => each.signal.aborted));
    assert.equal(asked.length, 3, 'at most three');
  });

  it('takes the first good answer and aborts the others; what they answer late is not looked at', async () => {
    const { clock, asked, ended, fill } = createFill([peer('b'), peer('c')]);
    fill.offer(lacking([3]), 'a');
    await clock.advance(1000);
    assert.equal(asked.length, 3);
    asked[1]?.answer(txs.slice(3, 4));
    await clock.advance(0);
    assertRebuilt(ended);
    assert.ok(asked.every((each) => each.signal.aborted));
    asked[0]?.answer([stranger]);
    asked[2]?.fail();
    await clock.advance(5000);
    assertRebuilt(ended);
    assert.equal(asked.length, 3);
  });

  it('prefers other announcers, then who says to have the block, then anybody', async () => {
    const peers = [peer('x'), peer('y', false, true), peer('z'), peer('b'), peer('a')];
    const second = createFill(peers);
    second.fill.offer(lacking([3]), 'a');
    second.fill.announcedBy('b');
    await second.clock.advance(1000);
    assert.deepEqual(second.order(), ['a@0', 'b@500', 'y@1000']);
    const gone = createFill([peer('y')]);
    gone.fill.offer(lacking([3]), 'a');
    gone.fill.announcedBy('b');
    await gone.clock.advance(500);
    assert.deepEqual(gone.order(), ['a@0', 'y@500'], 'an announcer that has left is not asked');
  });

  it('has an outbound peer among the three if there is one', async () => {
    const inbound = [peer('a'), peer('b'), peer('c', false, true)];
    const last = createFill([...inbound, peer('out', true)]);
    last.fill.offer(lacking([3]), 'a');
    last.fill.announcedBy('b');
    last.fill.announcedBy('c');
    await last.clock.advance(1000);
    assert.deepEqual(last.order(), ['a@0', 'b@500', 'out@1000']);
    const first = createFill([...inbound, peer('a', true), peer('out', true)]);
    first.fill.offer(lacking([3]), 'a');
    first.fill.announcedBy('b');
    first.fill.announcedBy('c');
    await first.clock.advance(1000);
    assert.deepEqual(first.order(), ['a@0', 'b@500', 'c@1000'], 'the first one is outbound already');
  });

  it('replaces at once who does not have the block or fails, and seeks another form when nobody is left', async () => {
    const { clock, asked, ended, fill, order, sought } = createFill([peer('b', false, true), peer('c')]);
    fill.offer(lacking([3]), 'a');
    await clock.advance(100);
    asked[0]?.answer(undefined);
    await clock.advance(100);
    asked[1]?.fail();
    await clock.advance(0);
    assert.deepEqual(order(), ['a@0', 'b@100', 'c@200']);
    await clock.advance(1000);
    assert.equal(asked.length, 3, 'the third was asked already');
    assert.equal(ended.outcome, undefined);
    asked[2]?.answer(undefined);
    await clock.advance(0);
    assert.deepEqual(sought, [1200]);
    await clock.advance(800);
    assert.deepEqual(ended, { outcome: givenUp('too slow'), atMs: 2000 });
    assert.equal(clock.pending(), 0);
  });

  it('waits for who was asked while there is nobody else', async () => {
    const { clock, asked, ended, fill } = createFill();
    fill.offer(lacking([3]), 'a');
    await clock.advance(1999);
    assert.equal(ended.outcome, undefined);
    asked[0]?.answer(txs.slice(3, 4));
    await clock.advance(0);
    assertRebuilt(ended);
  });

  it('asks another after transactions that nobody announced, too few or too many, or with another witness', async () => {
    const third = txs[3];
    assert(third?.hasWitness);
    const inputs = third.inputs.map((input) => ({ ...input, witness: [Uint8Array.of(0x77)] }));
    const malleated = Transaction.fromFields({ ...third, inputs, outputs: third.outputs });
    assert.equal(malleated.txid, third.txid);
    for (const wrong of [[stranger], [], [stranger, stranger], [malleated]]) {
      const { clock, asked, ended, fill, last } = createFill([peer('b')]);
      fill.offer(lacking([3]), 'a');
      asked[0]?.answer(wrong);
      await clock.advance(0);
      assert.equal(last().peer, 'b');
      last().answer(txs.slice(3, 4));
      await clock.advance(0);
      assertRebuilt(ended);
    }
  });

  it('seeks another form when what was announced is not the block: nobody can have a better answer', async () => {
    const { clock, asked, ended, fill, sought, order } = createFill([peer('b'), peer('c')]);
    fill.offer(misled(5, [3]), 'a');
    await clock.advance(500);
    asked[0]?.answer(txs.slice(3, 4));
    await clock.advance(1000);
    assert.deepEqual(sought, [500]);
    assert.equal(asked.length, 2, 'and asks for nothing more of this one');
    assert.equal(fill.bytes, 0, 'nor keeps it');
    fill.offer(lacking([3, 4], 3n), 'b');
    assert.equal(order().at(-1), 'b@1500');
    asked.at(-1)?.answer(txs.slice(3, 5));
    await clock.advance(0);
    assertRebuilt(ended);
  });

  it('gives up two seconds after the announcement, whenever it has something to ask for', async () => {
    const { clock, ended, fill } = createFill();
    await clock.advance(1500);
    fill.offer(lacking([3]), 'a');
    await clock.advance(500);
    assert.deepEqual(ended, { outcome: givenUp('too slow'), atMs: 2000 });
  });

  it('turns to another variant when the first proves wrong', async () => {
    const { clock, asked, ended, fill, last } = createFill([peer('b'), peer('c')]);
    fill.offer(misled(5, [3]), 'liar');
    fill.offer(lacking([3, 4], 3n), 'b');
    asked[0]?.answer(txs.slice(3, 4));
    await clock.advance(0);
    assert.equal(last().peer, 'b');
    assert.deepEqual(last().indexes, [3, 4]);
    last().answer(txs.slice(3, 5));
    await clock.advance(0);
    assertRebuilt(ended);
  });

  it('asks next for the variant that lacks least, and judges each answer by what was asked', async () => {
    const { clock, asked, ended, fill, last } = createFill([peer('b')]);
    fill.offer(lacking([3, 4, 5]), 'a');
    fill.offer(lacking([8], 3n), 'b');
    assert.deepEqual(fill.announcers, ['a', 'b']);
    await clock.advance(500);
    assert.deepEqual(last().indexes, [8]);
    asked[0]?.answer(txs.slice(3, 6));
    await clock.advance(0);
    assertRebuilt(ended);
  });

  it('ends without a round trip when another variant is complete, or when it is closed', async () => {
    const supplied = createFill();
    supplied.fill.offer(lacking([3]), 'a');
    supplied.fill.supply(block);
    await supplied.clock.advance(0);
    assertRebuilt(supplied.ended, false);
    assert.ok(supplied.last().signal.aborted);
    const closed = createFill();
    closed.fill.offer(lacking([3]), 'a');
    closed.fill.giveUp('closed');
    closed.fill.offer(lacking([3]), 'b');
    await closed.clock.advance(5000);
    assert.deepEqual(closed.ended.outcome, givenUp('closed'));
    assert.deepEqual(closed.order(), ['a@0']);
    assert.equal(closed.clock.pending(), 0);
  });
});
