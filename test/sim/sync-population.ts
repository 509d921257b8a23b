/** Who takes part in a simulated synchronisation, and how the world changes under them: all of it drawn from a seed. */
import type { Random } from '#util';
import { pick } from '../support/pick.ts';
import type { Behaviour, SimPeerOptions } from '../support/sim-peers.ts';
import { type Blocks, scaled } from './sync-blocks.ts';

export type Member = {
  readonly id: string;
  readonly isHonest: boolean;
  readonly chain: keyof Blocks;
  readonly options: Required<Pick<SimPeerOptions, 'latencyMs' | 'isOutbound'>> &
    Pick<SimPeerOptions, 'behaviour' | 'turn' | 'lossesIn10k' | 'breaksIn10k'>;
  /** Of its uplink when nothing is wrong; scaled. */
  bytesPerSecond: number;
  readonly comesAndGoes: boolean;
  /** Its rate changes, and it goes silent for a minute. */
  readonly isUnsteady: boolean;
};

/**
 * - `plain`: the chain stands still.
 * - `growing`: blocks are found and announced meanwhile, some honest peers are on an equal branch until the last.
 * - `reorganised`: the honest peers go over to a heavier branch meanwhile.
 * - `deep`: they do so when we are in sync, hundreds of blocks deep.
 * - `restarted`: we stop in the middle and go on from what is stored.
 */
export type WorldKind = 'plain' | 'growing' | 'reorganised' | 'deep' | 'restarted';

export type WorldPlan = {
  readonly kind: WorldKind;
  readonly members: readonly Member[];
  /** About the ideal time. */
  readonly estimateMs: number;
  /** What the chain needs for a block; 0 in most worlds. */
  readonly submitMs: number;
};

/** Real bytes per second. */
const SLOWEST = scaled(20_000);
const FASTEST = scaled(2_000_000);
const MIN_IDEAL_MS = 60_000;
const MAX_IDEAL_MS = 1_800_000;

const KINDS: readonly WorldKind[] = [
  ...(['plain', 'plain', 'plain', 'growing', 'growing', 'reorganised', 'deep'] as const),
  ...(['restarted', 'restarted'] as const),
];

/** How a peer behaves, and what a liar turns into after some blocks. */
type Role = { readonly behaviour: Behaviour; readonly chain: keyof Blocks; readonly turnsInto?: Behaviour };

const role = (behaviour: Behaviour, chain: keyof Blocks = 'main'): Role => ({ behaviour, chain });
const turning = (turnsInto: Behaviour): Role => ({ behaviour: 'honest', chain: 'main', turnsInto });

const LIES: readonly Role[] = [
  role('silent'),
  role('silent', 'bodiless'),
  role('silent-after-one'),
  role('bad-bytes'),
  role('wrong-order'),
  role('headers-only'),
  role('headers-only', 'bodiless'),
  role('short-answers'),
  role('mute'),
  role('boaster'),
  role('unconnected'),
  role('repeater'),
  role('broken'),
  role('slow-drip'),
  role('honest', 'invalid'),
  turning('silent'),
  turning('slow-drip'),
  turning('bad-bytes'),
  turning('headers-only'),
];

/** Not in league: with most peers flooding, who asks them at random may ask for longer than the shortest worlds last. */
const FLOOD = role('low-work-flood');
/** Five answers a second: a flood costs the tester as much time as the tested. */
const FLOOD_LATENCY_MS = 100;

/** Log-uniform between `low` and `high`. */
function spread(random: Random, low: number, high: number): number {
  return low * (high / low) ** (random.below(1001) / 1000);
}

/** `mainBytes`: what has to be downloaded. */
export function drawPlan(random: Random, maxPeers: number, mainBytes: number, submitDepth: number): WorldPlan {
  const chance = (percent: number): boolean => random.below(100) < percent;
  const kind = pick(random, KINDS);
  const members = drawMembers(random, 1 + random.below(maxPeers), kind === 'growing', chance);
  if (chance(25)) members.push(drawFavourite(random, members.length));
  const sum = members.reduce((total, member) => total + (isSource(member) ? member.bytesPerSecond : 0), 0);
  const naturalMs = (mainBytes / sum) * 1000;
  const mostMs = spread(random, MIN_IDEAL_MS, MAX_IDEAL_MS);
  const estimateMs = Math.min(mostMs, Math.max(MIN_IDEAL_MS, naturalMs));
  for (const member of members) member.bytesPerSecond *= naturalMs / estimateMs;
  const isChainSlow = (kind === 'plain' || kind === 'restarted') && chance(25);
  const submitMs = isChainSlow ? (spread(random, 0.3, 2) * estimateMs * submitDepth) / 1000 : 0;
  return { kind, members, estimateMs, submitMs };
}

const isSource = ({ isHonest, chain }: Member): boolean => isHonest && chain !== 'stale';

function drawMembers(
  random: Random,
  count: number,
  isGrowing: boolean,
  chance: (percent: number) => boolean,
): Member[] {
  const liarPercent = chance(25) ? 85 : random.below(60);
  const churnPercent = chance(40) ? 0 : random.below(70);
  const unsteadyPercent = chance(40) ? 0 : random.below(50);
  // In some worlds all liars are in league.
  const league = chance(20) ? pick(random, LIES) : undefined;
  return Array.from({ length: count }, (_, i): Member => {
    const isFirst = i === 0;
    const isHonest = isFirst || !chance(liarPercent);
    const { behaviour, chain, turnsInto } = isHonest
      ? honest(isFirst, isGrowing, chance)
      : (league ?? pick(random, [...LIES, FLOOD]));
    const turn = turnsInto && { afterBlocks: 1 + random.below(60), into: turnsInto };
    return {
      id: `${isHonest ? 'honest' : 'liar'}${i}`,
      isHonest,
      chain,
      options: {
        behaviour,
        turn,
        latencyMs: behaviour === 'low-work-flood' ? FLOOD_LATENCY_MS : spread(random, 2, 300),
        isOutbound: chance(50),
        lossesIn10k: chance(50) ? random.below(300) : 0,
        breaksIn10k: chance(20) ? random.below(40) : 0,
      },
      bytesPerSecond: spread(random, SLOWEST, FASTEST),
      comesAndGoes: !isFirst && chance(churnPercent),
      isUnsteady: !isFirst && chance(unsteadyPercent),
    };
  });
}

/** A branch of equal work stays the tip of who saw it first: it comes only where a later block decides. */
function honest(isFirst: boolean, isGrowing: boolean, chance: (percent: number) => boolean): Role {
  if (isFirst || !chance(12)) return role('honest');
  return role('honest', isGrowing && chance(50) ? 'equal' : 'stale');
}

/** A liar with the best rate of all: a favourite that goes bad when much depends on it. */
function drawFavourite(random: Random, index: number): Member {
  const into = pick(random, ['silent', 'slow-drip', 'bad-bytes', 'broken', 'headers-only'] as const);
  return {
    id: `liar${index}`,
    isHonest: false,
    chain: 'main',
    options: { latencyMs: 5, isOutbound: true, turn: { afterBlocks: 20 + random.below(300), into } },
    bytesPerSecond: FASTEST * 3,
    comesAndGoes: false,
    isUnsteady: false,
  };
}
