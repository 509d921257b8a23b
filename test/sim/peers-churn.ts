/** A network in which a part of all nodes is replaced again and again, and what is measured of it. */
import { seededRandom } from '../../src/util/index.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { FULL_RELAY, PeersNode } from './peers-node.ts';
import { PeersWorld } from './peers-world.ts';

export type ChurnPlan = {
  readonly seed: number;
  readonly nodes: number;
  /** Replaced in a minute. */
  readonly replaced: number;
  readonly minutes: number;
};

export type ChurnOutcome = {
  /** Looks at which the nodes that had had time to join did not all hang together. */
  readonly splits: number;
  readonly looks: number;
  readonly losses: number;
  /** From a loss until a slot was filled again. */
  readonly longestRefillMs: number;
  readonly seedShare: number;
  readonly lookups: number;
};

const SEEDS = 2;
const WARM_UP_MINUTES = 3;
/** From then on a node must be part of the network, and have its slots filled. */
const JOINED_MS = 30_000;
const SETTLED_MS = 60_000;
const LOOK_MS = 10_000;

export async function runChurn({ seed, nodes, replaced, minutes }: ChurnPlan): Promise<ChurnOutcome> {
  const clock = createManualClock(1_800_000_000_000);
  const world = new PeersWorld(clock, seededRandom(seed));
  const refills = new Refills(() => clock.monotonicMs());
  const seeds = Array.from({ length: SEEDS }, () => new PeersNode(world, []));
  for (const { id } of seeds) world.seedIds.add(id);
  let members: PeersNode[] = [];
  const join = async (): Promise<void> => {
    const node = new PeersNode(world, seeds);
    refills.watch(node);
    members.push(node);
    await node.start();
  };
  for (const node of seeds) await node.start();
  for (let count = 0; count < nodes; count += 1) await join();
  await clock.advance(WARM_UP_MINUTES * 60_000);

  let [splits, looks] = [0, 0];
  refills.begin();
  Object.assign(world.lookups, { all: 0, ofSeeds: 0 });
  for (let minute = 0; minute < minutes; minute += 1) {
    for (let sixth = 0; sixth < 6; sixth += 1) {
      const leaving = world.pickSome(members, Math.round(replaced / 6));
      members = members.filter((node) => !leaving.includes(node));
      for (const [index, node] of leaving.entries()) {
        refills.forget(node);
        await node.stop(index % 2 === 1);
        await join();
      }
      await clock.advance(LOOK_MS);
      looks += 1;
      if (!hangTogether([...seeds, ...members].filter(({ ageMs }) => ageMs >= JOINED_MS))) splits += 1;
    }
  }
  const { losses, longestMs } = refills.end();
  for (const node of [...seeds, ...members]) await node.stop();
  const { all, ofSeeds } = world.lookups;
  return { splits, looks, losses, longestRefillMs: longestMs, seedShare: ofSeeds / Math.max(1, all), lookups: all };
}

/** Whether each of them reaches all the others over connections with nodes that run. */
function hangTogether(nodes: readonly PeersNode[]): boolean {
  const [first] = nodes;
  if (first === undefined) return true;
  const reached = new Set<unknown>([first]);
  const open: PeersNode[] = [first];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const next of node.neighbours()) {
      if (!(next instanceof PeersNode) || !next.isOnline || reached.has(next)) continue;
      reached.add(next);
      open.push(next);
    }
  }
  return nodes.every((node) => reached.has(node));
}

/** For each node the times at which full-relay slots were lost and are not filled yet, oldest first. */
class Refills {
  readonly #now: () => number;
  readonly #open = new Map<PeersNode, number[]>();
  #isCounting = false;
  #losses = 0;
  #longestMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  watch(node: PeersNode): void {
    node.onSlot = (change, kind) => {
      if (!this.#isCounting || kind !== 'full-relay' || node.ageMs < SETTLED_MS) return;
      if (change === 'filled') this.#filled(node);
      // An extra one that went again leaves no slot empty.
      else if (node.slotsOf('full-relay').length < FULL_RELAY) this.#lost(node);
    };
  }

  begin(): void {
    this.#isCounting = true;
  }

  forget(node: PeersNode): void {
    this.#open.delete(node);
    node.onSlot = () => {};
  }

  /** What is still open counts with the time until now. */
  end(): { readonly losses: number; readonly longestMs: number } {
    for (const node of this.#open.keys()) while ((this.#open.get(node)?.length ?? 0) > 0) this.#filled(node);
    this.#isCounting = false;
    return { losses: this.#losses, longestMs: this.#longestMs };
  }

  #lost(node: PeersNode): void {
    this.#losses += 1;
    const open = this.#open.get(node) ?? [];
    open.push(this.#now());
    this.#open.set(node, open);
  }

  #filled(node: PeersNode): void {
    const since = this.#open.get(node)?.shift();
    if (since !== undefined) this.#longestMs = Math.max(this.#longestMs, this.#now() - since);
  }
}
