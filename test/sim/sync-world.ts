/**
 * One simulated synchronisation, all of it drawn from a seed: a real chain on memory stores that syncs from peers of
 * every kind over links of every speed until it stands at the right tip. Peers are punished by the real table of
 * points, as the node and its network would.
 */
import type { Chain } from '#chain';
import type { Block } from '#primitives';
import { nullLogger, type Random, seededRandom } from '#util';
import { openJsonFile } from '../../src/net/json-file.ts';
import { DEFAULT_TUNING } from '../../src/net/options.ts';
import { Reputation } from '../../src/net/reputation.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { SimNetwork, type SimPeer } from '../support/sim-peers.ts';
import { openTestChain } from '../support/test-chain.ts';
import { type Blocks, GROWTH, LENGTH, paramsFor, scaled, workOf } from './sync-blocks.ts';
import { Ledger } from './sync-ledger.ts';
import { MAX_HEADERS, OPTIONS, SyncNode } from './sync-node.ts';
import { SupplyLog } from './sync-oracle.ts';
import { drawPlan, type Member, type WorldPlan } from './sync-population.ts';
import { Weather } from './sync-weather.ts';

/** One way to a tip. */
export type Leg = { readonly name: string; readonly tookMs: number; readonly idealMs: number };

export type Outcome = ReturnType<Ledger['outcome']> & {
  readonly seed: number;
  readonly kind: string;
  readonly peers: number;
  readonly liars: number;
  /** Of these, floods of headers of little work. */
  readonly floods: number;
  readonly legs: readonly Leg[];
  readonly height: number;
  readonly isRightTip: boolean;
  readonly leftOpen: number;
  readonly leftTimers: number;
  readonly fatal: readonly unknown[];
};

const START_MS = 1_700_000_000_000;
const SUBMIT_DEPTH = OPTIONS.blocks.intake.depth;
/** After the tip: all that peers, churn and reconnections still wait for comes to an end. */
const AFTERMATH_MS = 3_600_000;

const bytesOf = (blocks: readonly Block[]): number => blocks.reduce((sum, block) => sum + block.size, 0);

export async function runWorld(seed: number, blocks: Blocks, maxPeers: number): Promise<Outcome> {
  const random = seededRandom(seed);
  const chain = await openTestChain(paramsFor(blocks), undefined, { nowSeconds: START_MS / 1000 });
  const clock = createManualClock(START_MS, { settle: () => chain.idle() });
  const plan = drawPlan(random, maxPeers, bytesOf(blocks.main), SUBMIT_DEPTH);
  const reputation = await Reputation.open(clock, nullLogger, openJsonFile(undefined, nullLogger), DEFAULT_TUNING);
  const world = new World({ clock, chain, random, blocks, plan, reputation });
  const legs = await world.run();
  const facts = world.facts();
  await world.stop();
  const { height } = chain.tip();
  await chain[Symbol.asyncDispose]();
  return {
    ...facts,
    seed,
    kind: plan.kind,
    peers: plan.members.length,
    liars: plan.members.filter(({ isHonest }) => !isHonest).length,
    floods: plan.members.filter(({ options }) => options.behaviour === 'low-work-flood').length,
    legs,
    height,
    leftOpen: world.net.openRequests,
    leftTimers: clock.pending(),
  };
}

type Env = {
  readonly clock: ManualClock;
  readonly chain: Chain;
  readonly random: Random;
  readonly blocks: Blocks;
  readonly plan: WorldPlan;
  readonly reputation: Reputation;
};

class World {
  readonly net: SimNetwork;
  readonly #env: Env;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #supply: SupplyLog;
  readonly #ledger: Ledger;
  readonly #weather: Weather;
  readonly #node: SyncNode;
  #goal: Block | undefined;
  #isOver = false;

  constructor(env: Env) {
    const { clock, random, blocks, plan } = env;
    this.#env = env;
    this.#members = new Map(plan.members.map((member) => [member.id, member]));
    this.#supply = new SupplyLog(bytesOf(blocks.main) / blocks.main.length);
    this.#ledger = new Ledger(env);
    this.net = new SimNetwork({ clock, random, workOf, maxHeaders: MAX_HEADERS, headerBytes: scaled(80) });
    for (const { id, chain, options, bytesPerSecond } of plan.members) {
      const peer = this.net.add(id, { ...options, chain: this.#firstChain(chain), bytesPerSecond });
      peer.isConnected = false;
    }
    const drop = (id: string, isBanned: boolean): void => this.#drop(id, isBanned);
    this.#node = new SyncNode({ ...env, net: this.net, ledger: this.#ledger, submitMs: plan.submitMs, drop });
    this.#weather = new Weather(
      { clock, random },
      {
        toggle: (id) => (this.#peer(id).isConnected ? this.#leave(id) : this.#join(id)),
        setRate: (id, factor) => this.#setRate(id, factor),
      },
    );
  }

  async run(): Promise<Leg[]> {
    for (const id of this.#shuffled()) this.#join(id);
    this.#weather.start(this.#env.plan);
    const { kind } = this.#env.plan;
    if (kind === 'growing') return [await this.#whileGrowing()];
    if (kind === 'reorganised') return [await this.#whileReorganised()];
    if (kind === 'restarted') this.#later(this.#share(0.2, 0.8), () => void this.#restart());
    const first = await this.#leg(kind, this.#env.blocks.main.slice(0, LENGTH + 1));
    if (kind !== 'deep') return [first];
    const { deep } = this.#env.blocks;
    const startMs = this.#env.clock.monotonicMs();
    this.#switchAll(deep);
    return [first, await this.#leg('deep, second leg', deep, startMs, startMs)];
  }

  facts(): ReturnType<Ledger['outcome']> & Pick<Outcome, 'isRightTip' | 'fatal'> {
    return {
      ...this.#ledger.outcome(this.net),
      isRightTip: this.#env.chain.tip().hash === this.#goal?.hash,
      fatal: this.#node.fatal,
    };
  }

  async stop(): Promise<void> {
    const { clock } = this.#env;
    this.#isOver = true;
    this.#weather.stop();
    await clock.runUntil(Promise.resolve(this.#node.sync[Symbol.asyncDispose]()));
    await clock.advance(AFTERMATH_MS);
  }

  /** Runs until the tip is the last of `chain`; its blocks above the fork with `main` exist from `lateMs` on. */
  async #leg(name: string, chain: readonly Block[], startMs = 0, lateMs?: number): Promise<Leg> {
    const { clock, plan, blocks } = this.#env;
    this.#goal = chain.at(-1);
    const bound = 20 * plan.estimateMs + 600_000;
    await clock
      .runUntil(() => this.#node.fatal.length > 0 || this.#env.chain.tip().hash === this.#goal?.hash, bound)
      .catch(() => {});
    const tookMs = clock.monotonicMs() - startMs;
    const shared = startMs > 0 ? [] : chain.filter((block, height) => block === blocks.main[height]);
    const late = lateMs === undefined ? [] : chain.filter((block, height) => block !== blocks.main[height]);
    const linkMs = this.#supply.whenWithLateMs(bytesOf(shared), bytesOf(late), startMs, lateMs ?? startMs);
    return { name, tookMs, idealMs: Math.max(linkMs - startMs, (LENGTH * plan.submitMs) / SUBMIT_DEPTH) };
  }

  /** Blocks are found until about when the download ends, or after it. */
  async #whileGrowing(): Promise<Leg> {
    const { random, plan, blocks } = this.#env;
    const everyMs = (plan.estimateMs / GROWTH) * (random.below(2) === 0 ? 0.7 : 1.5);
    for (let i = 1; i <= GROWTH; i++) {
      const chain = blocks.main.slice(0, LENGTH + 1 + i);
      this.#later(i * everyMs, () => this.#switchAll(chain, i === GROWTH));
    }
    const leg = await this.#leg('growing', blocks.main);
    return { ...leg, idealMs: Math.max(leg.idealMs, GROWTH * everyMs) };
  }

  #whileReorganised(): Promise<Leg> {
    const { rival } = this.#env.blocks;
    const atMs = this.#share(0.2, 0.9);
    this.#later(atMs, () => this.#switchAll(rival));
    return this.#leg('reorganised', rival, 0, atMs);
  }

  /** A crash is the chain's matter; here the download stops and begins anew over what is stored. */
  async #restart(): Promise<void> {
    const online = [...this.net.peers.values()].filter((peer) => peer.isConnected).map(({ id }) => id);
    for (const id of online) this.#leave(id);
    await this.#node.restart();
    for (const id of online) this.#join(id);
  }

  /** The honest peers follow to `chain` within seconds and announce its tip. */
  #switchAll(chain: readonly Block[], withEqual = true): void {
    for (const [id, member] of this.#members) {
      if (!member.isHonest || member.chain === 'stale' || (member.chain === 'equal' && !withEqual)) continue;
      this.#later(this.#env.random.below(1500), () => this.#follow(this.#peer(id), chain));
    }
  }

  #follow(peer: SimPeer, chain: readonly Block[]): void {
    const tip = chain.at(-1);
    if (tip === undefined || peer.chain.length > chain.length) return;
    this.net.setChain(peer, chain);
    if (!peer.isConnected) return;
    const { chain: ours, random } = this.#env;
    // As the node does with what gossip brings: a header that connects is taken at once, and without a mempool the
    // body is wanted at once, or after two seconds of looking for it.
    const isKnown = ours.getHeader(tip.header.prevHash) !== undefined;
    if (isKnown) ours.submitHeaders([tip.header]);
    this.#node.sync.headerAnnounced(peer.id, tip.header);
    if (isKnown) this.#later(2000 * random.below(2), () => this.#node.sync.blockWanted(tip.hash, [peer.id]));
  }

  #firstChain(name: keyof Blocks): readonly Block[] {
    const chain = this.#env.blocks[name];
    return name === 'main' ? this.#mainAtFirst(chain) : chain;
  }

  /** The same array for all, so that its index is built once. */
  #mainAtFirst(main: readonly Block[]): readonly Block[] {
    const first = this.net.peers
      .values()
      .find((peer) => peer.chain.length === LENGTH + 1 && peer.chain[LENGTH] === main[LENGTH]);
    return first?.chain ?? main.slice(0, LENGTH + 1);
  }

  #shuffled(): string[] {
    const ids = [...this.#members.keys()];
    for (let i = ids.length - 1; i > 0; i--) {
      const j = this.#env.random.below(i + 1);
      [ids[i], ids[j]] = [ids[j] ?? '', ids[i] ?? ''];
    }
    return ids;
  }

  /** A moment between two shares of the estimated time. */
  #share(from: number, to: number): number {
    return this.#env.plan.estimateMs * (from + ((to - from) * this.#env.random.below(1000)) / 1000);
  }

  #later(ms: number, act: () => void): void {
    this.#env.clock.after(ms, () => {
      if (!this.#isOver) act();
    });
  }

  #peer(id: string): SimPeer {
    const peer = this.net.peers.get(id);
    if (peer === undefined) throw new Error(`no peer ${id}`);
    return peer;
  }

  #isSource(id: string): boolean {
    const member = this.#members.get(id);
    return member?.isHonest === true && member.chain !== 'stale';
  }

  #setRate(id: string, factor: number): void {
    const peer = this.#peer(id);
    peer.link.setRate(factor * peer.options.bytesPerSecond);
    if (peer.isConnected) this.#supply.rateChanged(id, this.#env.clock.monotonicMs(), peer.link.bytesPerSecond);
  }

  #join(id: string): void {
    const peer = this.#peer(id);
    if (this.#isOver || peer.isConnected || this.#env.reputation.isPeerBanned(id)) return;
    peer.isConnected = true;
    if (this.#isSource(id)) this.#supply.opened(id, this.#env.clock.monotonicMs(), peer.link.bytesPerSecond);
    this.#node.sync.peerReady(id, this.net.hello(peer));
  }

  #leave(id: string): void {
    const peer = this.#peer(id);
    if (!peer.isConnected) return;
    peer.isConnected = false;
    this.#supply.closed(id, this.#env.clock.monotonicMs());
    this.#node.sync.peerGone(id);
  }

  /** Who is not banned may be connected again after the dialler's rest. */
  #drop(id: string, isBanned: boolean): void {
    this.#leave(id);
    if (!isBanned) this.#later(DEFAULT_TUNING.cooldownMs, () => this.#join(id));
  }
}
