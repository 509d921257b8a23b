/** Runs the attack of `peers-attack.ts` on a node for some days, and counts whom the node is connected with. */
import { seededRandom } from '../../src/util/index.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { Attack } from './peers-attack.ts';
import { BareNode } from './peers-bare.ts';
import { PeersNode } from './peers-node.ts';
import { PeersWorld } from './peers-world.ts';

export type EclipsePlan = {
  readonly seed: number;
  readonly days: number;
  /** Without the rule of one outbound connection a netgroup, to see that the attack is one. */
  readonly ignoresGroups?: boolean;
};

export type EclipseOutcome = {
  /** Full-relay peers that are honest, looked at every ten minutes. */
  readonly leastHonest: number;
  readonly meanHonest: number;
  /** Of the addresses of block-only peers that were kept over restarts. */
  readonly anchors: number;
  readonly honestAnchors: number;
  readonly meanHonestInbound: number;
  readonly meanInbound: number;
};

export type BareOutcome = { readonly meanOutbound: number; readonly honestShare: number; readonly leastShare: number };

const LOOK_MS = 600_000;
const KNOCK_MS = 30_000;
const RESTART_HOURS = 6;
const QUIET_HOURS = 6;
const LOOKS_PER_HOUR = 3_600_000 / LOOK_MS;

function newScene(seed: number): { readonly world: PeersWorld; readonly attack: Attack } {
  const world = new PeersWorld(createManualClock(1_800_000_000_000), seededRandom(seed));
  return { world, attack: new Attack(world) };
}

/** Calls `look` every ten minutes, `restart` every few hours, and lets attackers and others knock all the time. */
async function besiege(
  { world, attack }: ReturnType<typeof newScene>,
  victim: PeersNode | BareNode,
  days: number,
  look: () => void,
  restart: () => Promise<void>,
): Promise<void> {
  await victim.start();
  const knock = (): void => {
    if (victim.isOnline) attack.knock(victim);
    world.clock.after(KNOCK_MS, knock);
  };
  world.clock.after(KNOCK_MS, knock);
  await world.clock.advance(QUIET_HOURS * 3_600_000);
  attack.isOn = true;
  for (let hour = 1; hour <= 24 * days; hour += 1) {
    for (let at = 0; at < LOOKS_PER_HOUR; at += 1) {
      await world.clock.advance(LOOK_MS);
      look();
    }
    if (hour % RESTART_HOURS === 0) await restart();
  }
  await victim.stop();
}

export async function runEclipse({ seed, days, ignoresGroups = false }: EclipsePlan): Promise<EclipseOutcome> {
  const scene = newScene(seed);
  const { world, attack } = scene;
  const seeds = attack.honest.slice(0, 2);
  for (const { id } of seeds) world.seedIds.add(id);
  const victim = new PeersNode(world, seeds, { ignoresGroups });
  const honest: number[] = [];
  const inbound: { honest: number; all: number }[] = [];
  let [anchors, honestAnchors] = [0, 0];
  const look = (): void => {
    for (const { id } of attack.attackers) victim.noteBlockFrom(id);
    const full = victim.slotsOf('full-relay');
    // A slot that is being filled is no attacker's.
    honest.push(8 - full.filter((host) => !host.isHonest).length);
    const guests = victim.peersOf('inbound');
    inbound.push({ honest: guests.filter((host) => host.isHonest).length, all: guests.length });
  };
  const restart = async (): Promise<void> => {
    await victim.stop();
    for (const { id } of victim.files.anchors.content as { id: string }[]) {
      anchors += 1;
      if (world.hosts.get(id)?.isHonest === true) honestAnchors += 1;
    }
    await victim.start();
  };
  await besiege(scene, victim, days, look, restart);
  return {
    leastHonest: Math.min(...honest),
    meanHonest: mean(honest),
    anchors,
    honestAnchors,
    meanHonestInbound: mean(inbound.map((each) => each.honest)),
    meanInbound: mean(inbound.map((each) => each.all)),
  };
}

export async function runBare({ seed, days }: EclipsePlan): Promise<BareOutcome> {
  const scene = newScene(seed);
  const victim = new BareNode(scene.world, scene.attack.honest.slice(0, 2));
  const outbound: number[] = [];
  const shares: number[] = [];
  const look = (): void => {
    const peers = victim.outbound();
    outbound.push(peers.length);
    shares.push(peers.filter((host) => host.isHonest).length / Math.max(1, peers.length));
  };
  const restart = async (): Promise<void> => {
    await victim.stop();
    await victim.start();
  };
  await besiege(scene, victim, days, look, restart);
  return { meanOutbound: mean(outbound), honestShare: mean(shares), leastShare: Math.min(...shares) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
