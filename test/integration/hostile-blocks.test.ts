/** Bogus announcements and bodies of blocks against a real node: who is to blame is charged, and honest blocks get through. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Block, Transaction } from '#primitives';
import { buildCompactBlock, type OffenceName, streams, topics } from '#protocol';
import type { Twist } from '../support/serving-peer.ts';
import { buildTx, pay } from '../support/tx-builder.ts';
import { type Attacker, openScene, payment, type Scene, until } from './hostile-scene.ts';

const timeout = 300_000;
const FLOOD = 40;

let scene: Scene;
before(async () => {
  scene = await openScene();
});
after(() => scene[Symbol.asyncDispose]());

const announce = (block: Block, nonce = 0n): Uint8Array => topics.block.codec.encode(buildCompactBlock(block, nonce));
const offencesOf = (attacker: Attacker): string[] => [
  ...new Set(scene.chargesOf(attacker.id).map(({ offence }) => offence)),
];

/** A block on the tip with transactions that nobody but its maker has. */
function unknownBlock(count = 1): Block {
  const transactions = Array.from({ length: count }, () => payment(scene.coin()));
  return scene.builder.build({ transactions });
}

/** An attacker's answers: bodies by hash and transactions of blocks; undefined leaves the honest answer. */
type Answers = {
  readonly block?: (hash: string) => Uint8Array | undefined;
  readonly blockTxs?: (indexes: readonly number[]) => readonly Transaction[];
};

function answering({ block, blockTxs }: Answers): Twist {
  return (honest) =>
    async function* (name, from, request, signal) {
      if (name === 'blocks' && block !== undefined) {
        for (const hash of streams.blocks.request.decode(request)) {
          const raw = block(hash);
          yield raw === undefined ? { status: 3, payload: new Uint8Array(0) } : { status: 0, payload: raw };
        }
      } else if (name === 'blocktxn' && blockTxs !== undefined) {
        const { indexes } = streams.blocktxn.request.decode(request);
        yield { status: 0, payload: streams.blocktxn.response.encode([...blockTxs(indexes)]) };
      } else {
        yield* honest(name, from, request, signal);
      }
    };
}

describe('announcements of blocks', { timeout }, () => {
  const HEADERS: Readonly<Record<string, readonly [OffenceName, () => Block]>> = {
    'whose hash misses its target': ['invalid-pow', () => scene.builder.build({ work: 'invalid' })],
    'with an easier target than the rules say': [
      'invalid-header',
      () => scene.builder.build({ mutateHeader: (fields) => ({ ...fields, bits: 0x207ffffe }) }),
    ],
    'from before the time of their parents': [
      'invalid-header',
      () => scene.builder.build({ time: scene.builder.view(1).time }),
    ],
  };
  for (const [what, [offence, make]] of Object.entries(HEADERS)) {
    it(`${what}: their sender is banned at once`, async () => {
      await using attacker = await scene.attacker();
      const blocks = Array.from({ length: FLOOD }, make);
      for (const block of blocks) await attacker.send('block', announce(block));
      await scene.assertThrownOut(attacker, offence);
      assert.ok(!blocks.some(({ hash }) => scene.passedOnBlocks.includes(hash)));
    });
  }

  it('that do not decode behind a good header: twice, and their sender is out', async () => {
    await using attacker = await scene.attacker();
    let sent = 0;
    await until(async () => {
      await attacker.send('block', announce(scene.builder.build()).subarray(0, 100 + (sent++ % 10)));
      return scene.isThrownOut(attacker);
    });
    await scene.assertThrownOut(attacker, 'undecodable-message');
  });

  it('on nothing that is known: the parents are asked for, and charged at last', async () => {
    await using attacker = await scene.attacker();
    const branch = scene.builder.fork(100);
    branch.mine();
    await scene.honestGetThroughDuring(async () => attacker.send('block', announce(branch.build())));
    await until(async () => {
      await attacker.send('block', announce(branch.build()));
      return offencesOf(attacker).length > 0;
    });
    assert.deepEqual(offencesOf(attacker), ['unconnected-headers']);
  });

  it('of bodies that nobody has: all are left to sync, and nobody is blamed', async () => {
    await using attacker = await scene.attacker();
    const before = (await scene.victim.status()).announcedBlocks.whole;
    for (let at = 0; at < FLOOD; at++) await attacker.send('block', announce(unknownBlock()));
    await scene.until(({ announcedBlocks }) => announcedBlocks.whole >= before + FLOOD);
    await scene.honestGetThrough();
    assert.deepEqual(offencesOf(attacker), []);
  });

  it('of one block in many variants by one peer: one is looked at and passed on', async () => {
    await using attacker = await scene.attacker(answering({ block: () => undefined }));
    const block = unknownBlock();
    await scene.honestGetThroughDuring(async (round) => {
      for (let at = 0; at < 10; at++) await attacker.send('block', announce(block, BigInt(10 * round + at)));
    });
    await until(() => scene.passedOnBlocks.includes(scene.builder.tip.hash));
    assert.equal(scene.passedOnBlocks.filter((hash) => hash === block.hash).length, 1);
    assert.deepEqual(offencesOf(attacker), []);
  });
});

describe('bodies of announced blocks', { timeout }, () => {
  it('with other transactions than announced: fetched whole instead, nobody is blamed', async () => {
    const block = unknownBlock();
    const other = payment(scene.coin());
    await using attacker = await scene.attacker(
      answering({ blockTxs: (indexes) => indexes.map(() => other), block: () => block.raw }),
    );
    await attacker.send('block', announce(block));
    await scene.until(() => scene.victim.chain.tip().hash === block.hash);
    scene.builder.append(block);
    assert.deepEqual(offencesOf(attacker), []);
  });

  it('with another number of transactions than asked: a wrong response', async () => {
    const block = unknownBlock();
    await using attacker = await scene.attacker(answering({ blockTxs: () => [], block: () => block.raw }));
    await attacker.send('block', announce(block));
    await scene.until(() => scene.victim.chain.tip().hash === block.hash);
    scene.builder.append(block);
    assert.deepEqual(offencesOf(attacker), ['wrong-response']);
  });

  it('that are another block: a wrong response', async () => {
    const block = scene.builder.build({ transactions: [1, 2, 3].map(() => payment(scene.coin())) });
    const other = scene.builder.tip.block.raw;
    await using attacker = await scene.attacker(answering({ blockTxs: () => [], block: () => other }));
    await attacker.send('block', announce(block));
    await until(() => offencesOf(attacker).length > 0);
    await scene.honestGetThrough();
    assert.deepEqual(offencesOf(attacker), ['wrong-response']);
  });

  it('that do not fit their header: who serves them is banned', async () => {
    const block = unknownBlock();
    const raw = block.raw.slice();
    raw[raw.length - 1] = (raw.at(-1) ?? 0) ^ 1;
    await using attacker = await scene.attacker(
      answering({ blockTxs: (indexes) => [...indexes].map(() => payment(scene.coin())), block: () => raw }),
    );
    await attacker.send('block', announce(block));
    await scene.assertThrownOut(attacker, 'invalid-block');
  });

  it('that break a rule, rebuilt from what was announced: nobody is blamed, and the block is refused', async () => {
    const greedy = scene.builder.build({ coinbaseValue: 5_000_000_000_000n });
    await using attacker = await scene.attacker();
    await attacker.send('block', announce(greedy));
    await scene.until(() => scene.victim.chain.isInvalid(greedy.hash));
    await scene.honestGetThrough();
    assert.deepEqual(offencesOf(attacker), []);
  });

  it('that break a rule, served whole: who serves them is banned', async () => {
    const spends = [1, 2, 3].map(() => {
      const coin = scene.coin();
      return buildTx([coin], [pay(coin.output.value * 2n)]);
    });
    const greedy = scene.builder.build({ transactions: spends });
    await using attacker = await scene.attacker(answering({ block: () => greedy.raw }));
    await attacker.send('block', announce(greedy));
    await scene.assertThrownOut(attacker, 'invalid-block');
  });
});
