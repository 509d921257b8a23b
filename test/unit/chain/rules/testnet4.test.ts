/** BIP94, testnet4's rules, on a network with periods of ten blocks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compactToTarget, type NetworkParams, nextWorkRequired } from '#consensus';
import { RuleChain, regtestWith } from '../../../support/rule-chain.ts';

const INTERVAL = 10;
const TIMESPAN = INTERVAL * 600;

function network(enforceBip94: boolean): NetworkParams {
  return regtestWith({
    pow: { targetTimespanSeconds: TIMESPAN, noRetargeting: false, allowMinDifficultyBlocks: true, enforceBip94 },
  });
}

function tipTime({ builder }: RuleChain): number {
  return builder.view(builder.height).time;
}

/** Nine blocks, the last one an hour ahead of the others. */
async function beforePeriod(enforceBip94: boolean): Promise<RuleChain> {
  const rules = await RuleChain.open({ params: network(enforceBip94), blocks: 8 });
  await rules.accept({ time: tipTime(rules) + 3600 });
  assert.equal(rules.nextHeight, INTERVAL);
  return rules;
}

test('time-timewarp-attack: a period begins at most 600 seconds before its parent', async () => {
  const rules = await beforePeriod(true);
  const parent = tipTime(rules);
  await rules.reject('time-timewarp-attack', { time: parent - 601 }, 'invalid-header');
  await rules.accept({ time: parent - 600 });
});

test('other blocks, and other networks, may go back further', async () => {
  const rules = await beforePeriod(true);
  const first = await rules.accept();
  await rules.accept({ time: first.header.time - 1201 });
  const others = await beforePeriod(false);
  await others.accept({ time: tipTime(others) - 601 });
});

test('time-too-old comes before the look at the parent', async () => {
  const rules = await beforePeriod(true);
  await rules.reject('time-too-old', { time: rules.builder.view(5).time - 1 }, 'invalid-header');
});

test('bad-diffbits: a period starts from the difficulty of the last one’s first block', async () => {
  const bits: number[] = [];
  for (const enforceBip94 of [true, false]) {
    const rules = await RuleChain.open({ params: network(enforceBip94), blocks: 0 });
    while (rules.nextHeight < INTERVAL * 2 - 1) await rules.accept({ time: tipTime(rules) + 300 });
    // The period's last block is an exception of minimum difficulty.
    const exception = await rules.accept({ time: tipTime(rules) + 1201 });
    const first = rules.builder.view(INTERVAL);
    assert.ok(compactToTarget(exception.header.bits).target > compactToTarget(first.bits).target);
    const time = tipTime(rules) + 300;
    const wrong = nextWorkRequired(rules.builder.view(rules.builder.height), time, network(!enforceBip94));
    await rules.reject('bad-diffbits', { time, mutateHeader: (f) => ({ ...f, bits: wrong }) }, 'invalid-header');
    const accepted = await rules.accept({ time });
    bits.push(accepted.header.bits);
    const from = enforceBip94 ? first.bits : exception.header.bits;
    const took = BigInt(exception.header.time - first.time);
    const target = (compactToTarget(from).target * took) / BigInt(TIMESPAN);
    // Compact form keeps the highest 16 to 24 bits.
    assert.equal(compactToTarget(accepted.header.bits).target >> 240n, target >> 240n);
  }
  assert.notEqual(bits[0], bits[1]);
});
