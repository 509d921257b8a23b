/** Who is asked for the compact form of a block and when, and what ends the asking. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildCompactBlock } from '#protocol';
import { seededRandom } from '#util';
import { type CompactMessage, CompactPull } from '../../../src/node/compact-pull.ts';
import type { HedgePeer } from '../../../src/node/hedge.ts';
import { HedgePace } from '../../../src/node/hedge-pace.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';

const block = blockOf([numberedTx(0), numberedTx(1)]);
const form = (nonce: bigint) => buildCompactBlock(block, nonce);
const inbound = (id: string): HedgePeer => ({ id, isOutbound: false, hasBlock: false });
const outbound = (id: string): HedgePeer => ({ id, isOutbound: true, hasBlock: false });

type Asked = {
  readonly signal: AbortSignal;
  readonly answer: (compact: CompactMessage | undefined) => void;
  readonly fail: () => void;
};

function createPull(
  peers: readonly HedgePeer[],
  isGood: (compact: CompactMessage) => boolean = () => true,
  pace = new HedgePace(),
) {
  const clock = createManualClock();
  const said: string[] = [];
  const asked: Asked[] = [];
  const pull = new CompactPull(
    block.hash,
    {
      requestCompact: (peer, hash, signal) => {
        assert.equal(hash, block.hash);
        said.push(`${peer}@${clock.monotonicMs()}`);
        const { promise, resolve, reject } = Promise.withResolvers<CompactMessage | undefined>();
        asked.push({ signal, answer: resolve, fail: () => reject(new Error('the exchange failed')) });
        return promise;
      },
      peers: () => peers,
      pace,
      clock,
      random: seededRandom(1),
    },
    {
      announcers: () => ['a', 'b'],
      take: async (compact, from) => {
        said.push(`${compact.nonce} of ${from}`);
        return isGood(compact);
      },
      exhausted: () => {
        said.push('exhausted');
        pull.rest();
      },
    },
  );
  return { pull, clock, said, asked };
}

describe('asking for the compact form of a block', () => {
  it('begins with the announcer, and asks nobody else once that has answered', async () => {
    const { pull, clock, said, asked } = createPull([inbound('a'), inbound('c')]);
    pull.start('a');
    await clock.advance(499);
    asked[0]?.answer(form(1n));
    await clock.advance(5000);
    assert.deepEqual(said, ['a@0', '1 of a']);
    assert.equal(clock.pending(), 0);
  });

  it('asks a second peer after 0.5 s, an outbound one if the first is not, and a third after 1 s', async () => {
    const { pull, clock, said, asked } = createPull([inbound('a'), inbound('b'), inbound('c'), outbound('o')]);
    pull.start('a');
    await clock.advance(5000);
    assert.deepEqual(said, ['a@0', 'o@500', 'b@1000'], 'the other announcer before those of whom nothing is known');
    pull.rest();
    assert.ok(asked.every(({ signal }) => signal.aborted));
    const reached = createPull([outbound('a'), inbound('b'), outbound('o')]);
    reached.pull.start('a');
    await reached.clock.advance(500);
    assert.deepEqual(reached.said, ['a@0', 'b@500']);
  });

  it('takes the first answer and gives up the others', async () => {
    const { pull, clock, said, asked } = createPull([inbound('a'), inbound('b')]);
    pull.start('a');
    await clock.advance(500);
    asked[1]?.answer(form(2n));
    asked[0]?.answer(form(1n));
    await clock.advance(5000);
    assert.deepEqual(said, ['a@0', 'b@500', '2 of b']);
    assert.ok(asked.every(({ signal }) => signal.aborted));
  });

  it('waits longer the next time when the first answers late, and learns nothing of one that was overtaken', async () => {
    const pace = new HedgePace();
    const first = createPull([inbound('a'), inbound('b')], undefined, pace);
    first.pull.start('a');
    await first.clock.advance(600);
    first.asked[0]?.answer(form(1n));
    await first.clock.advance(0);
    assert.deepEqual(pace.delaysMs, [1800, 3600], '600 and twice 600');
    const second = createPull([inbound('a'), inbound('b')], undefined, pace);
    second.pull.start('a');
    await second.clock.advance(1900);
    second.asked[1]?.answer(form(1n));
    await second.clock.advance(0);
    second.asked[0]?.answer(form(2n));
    await second.clock.advance(0);
    assert.deepEqual(second.said, ['a@0', 'b@1800', '1 of b']);
    // One sample of 100: mean 537.5, deviation 350.
    assert.deepEqual(pace.delaysMs, [1938, 3876]);
  });

  it('replaces at once who has nothing or fails, and says when nobody is left', async () => {
    const { pull, clock, said, asked } = createPull([inbound('a'), inbound('b')]);
    pull.start('a');
    asked[0]?.answer(undefined);
    await clock.advance(10);
    asked[1]?.fail();
    await clock.advance(5000);
    assert.deepEqual(said, ['a@0', 'b@0', 'exhausted']);
  });

  it('asks for another form when one is wrong, at once or later, of three peers in all', async () => {
    const peers = ['a', 'b', 'c', 'd'].map(inbound);
    const { pull, clock, said, asked } = createPull(peers, ({ nonce }) => nonce === 2n);
    pull.start('a');
    asked[0]?.answer(form(1n));
    await clock.advance(0);
    assert.deepEqual(said, ['a@0', '1 of a', 'b@0']);
    asked[1]?.answer(form(2n));
    await clock.advance(1000);
    assert.deepEqual(said.slice(3), ['2 of b']);
    pull.askAnother();
    assert.match(said[4] ?? '', /^[cd]@1000$/);
    asked[2]?.answer(form(3n));
    await clock.advance(0);
    assert.equal(said.at(-1), 'exhausted');
    assert.equal(asked.length, 3);
  });
});
