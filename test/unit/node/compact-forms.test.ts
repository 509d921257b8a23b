/** What is served as a block's compact form, to whom it is worth waiting, and how much of it is kept. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Block } from '#primitives';
import { buildCompactBlock, reconstructFrom, streams } from '#protocol';
import { seededRandom } from '#util';
import { CompactForms } from '../../../src/node/compact-forms.ts';
import { blockOf, numberedTx } from '../../support/numbered-tx.ts';

const { codec } = { codec: streams.compact.response };
const txs = Array.from({ length: 6 }, (_, n) => numberedTx(n));
const block = blockOf(txs);
const { hash } = block;
const create = (prefills = true) => new CompactForms({ random: seededRandom(1), prefills });

function prefilledOf(bytes: Uint8Array | undefined): number[] {
  assert(bytes !== undefined);
  return codec.decode(bytes).prefilled.map(({ index }) => index);
}

function lacking(places: readonly number[], of: Block = block) {
  const known = of.transactions.filter((_, index) => !places.includes(index));
  const result = reconstructFrom(buildCompactBlock(of, 9n), known);
  assert(result.kind === 'missing');
  return result.partial;
}

describe('compact forms', () => {
  it('are not there, are waited for, and go out as they were received', async () => {
    const forms = create();
    assert.equal(await forms.of(hash), undefined);
    forms.expect(hash);
    const waiting = [forms.of(hash), forms.of(hash)];
    const compact = buildCompactBlock(block, 3n);
    forms.received(compact);
    for (const bytes of await Promise.all(waiting)) assert.deepEqual(bytes, codec.encode(compact));
    assert.deepEqual(await forms.of(hash), codec.encode(compact));
  });

  it('are not waited for any longer when nobody gives one, and one that is wrong is not given out', async () => {
    const forms = create();
    forms.expect(hash);
    const waiting = forms.of(hash);
    forms.ended(hash);
    assert.equal(await waiting, undefined);
    forms.received(buildCompactBlock(block, 3n));
    forms.forget(hash);
    forms.expect(hash);
    const another = forms.of(hash);
    forms.received(buildCompactBlock(block, 4n));
    assert.equal(codec.decode((await another) ?? new Uint8Array(0)).nonce, 4n);
  });

  it('hold what this node had to ask for, under the ids of the announcement', async () => {
    const forms = create();
    forms.received(buildCompactBlock(block, 9n));
    forms.rebuilt(block, lacking([2, 4]));
    const bytes = await forms.of(hash);
    assert.deepEqual(prefilledOf(bytes), [0, 2, 4]);
    assert.equal(codec.decode(bytes ?? new Uint8Array(0)).nonce, 9n);
    const without = create(false);
    without.rebuilt(block, lacking([2, 4]));
    assert.deepEqual(prefilledOf(await without.of(hash)), [0]);
  });

  it('hold 10,000 bytes of transactions at most besides the coinbase', () => {
    const large = blockOf([numberedTx(0, 20_000), numberedTx(1, 6_000), numberedTx(2, 6_000), numberedTx(3, 3_000)]);
    assert.deepEqual(prefilledOf(create().built(large, [1, 2, 3])), [0, 1, 3]);
  });

  it('are not built of a block whose form would be too long', () => {
    assert.equal(create().built(blockOf([numberedTx(0, 300_000), numberedTx(1)])), undefined);
  });

  it('are kept of the eight newest blocks', async () => {
    const forms = create();
    const blocks = Array.from({ length: 9 }, (_, n) => blockOf([numberedTx(100 + n)]));
    for (const each of blocks) forms.built(each);
    const kept = await Promise.all(blocks.map(async (each) => (await forms.of(each.hash)) !== undefined));
    assert.deepEqual(kept, [false, ...new Array(8).fill(true)]);
  });
});
