/**
 * Sync over the real chain, on a network with a minimum chain work that a flood of cheap headers does not reach: what
 * is stored, what is fetched, and how long honest peers wait.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Chain } from '#chain';
import { blockProof, type NetworkParams } from '#consensus';
import type { Block } from '#primitives';
import { createSync, type Sync, type SyncStatus, syncDefaults } from '#sync';
import { nullLogger, seededRandom } from '#util';
import regtestFile from '../../config/networks/regtest.json' with { type: 'json' };
import { type ChainBuilder, createChainBuilder } from '../support/chain-builder.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { regtestWith } from '../support/rule-chain.ts';
import { SimNetwork, type SimPeer, type SimPeerOptions } from '../support/sim-peers.ts';
import { openTestChain } from '../support/test-chain.ts';

const START_MS = 1_700_000_000_000;
const MAX_HEADERS = 50;
const TURN_MS = 4000;
const SPACING_SECONDS = 600;
/** Blocks between two changes of difficulty. */
const PERIOD = 20;
/** Until here blocks come twice as fast as they should, so that difficulty doubles each period; 32 times regtest's then. */
const HARD_FROM = 120;
const LENGTH = 620;
const MINIMUM_HEIGHT = 600;

const retargeting = {
  ...regtestFile.pow,
  targetTimespanSeconds: PERIOD * SPACING_SECONDS,
  allowMinDifficultyBlocks: false,
  noRetargeting: false,
};

/** As many seconds as keep the difficulty: a period is measured one block short. */
const STEADY_SECONDS = Math.round((SPACING_SECONDS * PERIOD) / (PERIOD - 1));

function mine(builder: ChainBuilder, count: number, coinbaseScript?: Uint8Array): void {
  for (let i = 0; i < count; i++) {
    const parent = builder.view(builder.height);
    const seconds = builder.height < HARD_FROM ? SPACING_SECONDS / 2 : STEADY_SECONDS;
    builder.mine({ time: parent.time + seconds, ...(coinbaseScript === undefined ? {} : { coinbaseScript }) });
  }
}

const workOf = (blocks: readonly Block[]): bigint =>
  blocks.reduce((sum, { header }) => sum + blockProof(header.bits), 0n);

const easy = regtestWith({ pow: retargeting });
const builder = createChainBuilder(easy);
mine(builder, LENGTH);
const main: readonly Block[] = [easy.genesis, ...builder.blocks];
/** Parts from `main` more than 144 blocks below its tip, and has more work. */
const rival = builder.fork(300);
mine(rival, LENGTH - 300 + 20, Uint8Array.of(0x51));
const heavier: readonly Block[] = [easy.genesis, ...rival.blocks];
const params: NetworkParams = { ...easy, minimumChainWork: workOf(main.slice(0, MINIMUM_HEIGHT + 1)) };

type World = {
  readonly clock: ManualClock;
  readonly chain: Chain;
  readonly net: SimNetwork;
  readonly sync: Sync;
  readonly fatal: unknown[];
  readonly join: (id: string, options: SimPeerOptions) => SimPeer;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

async function createWorld(): Promise<World> {
  const chain = await openTestChain(params, undefined, { nowSeconds: START_MS / 1000 });
  const clock = createManualClock(START_MS, { settle: () => chain.idle() });
  const net = new SimNetwork({ clock, random: seededRandom(5), workOf, maxHeaders: MAX_HEADERS });
  const fatal: unknown[] = [];
  const sync = createSync(
    { ...net.deps(), chain, fatal: (error) => fatal.push(error), clock, random: seededRandom(6), log: nullLogger },
    {
      headers: {
        ...syncDefaults.headers,
        maxHeadersPerRequest: MAX_HEADERS,
        commitmentPeriod: 11,
        redownloadBuffer: 200,
        presyncTurnMs: TURN_MS,
      },
    },
  );
  return {
    clock,
    chain,
    net,
    sync,
    fatal,
    join: (id, options) => {
      const peer = net.add(id, options);
      sync.peerReady(id, net.hello(peer));
      return peer;
    },
    [Symbol.asyncDispose]: async () => {
      await clock.runUntil(Promise.resolve(sync[Symbol.asyncDispose]()));
      await chain[Symbol.asyncDispose]();
    },
  };
}

async function reach({ clock, chain, fatal }: World, blocks: readonly Block[], limitMs: number): Promise<void> {
  await clock.runUntil(() => fatal.length > 0 || chain.tip().hash === blocks.at(-1)?.hash, limitMs);
  assert.deepEqual(fatal, []);
}

const flood: SimPeerOptions = { chain: main.slice(0, 1), behaviour: 'low-work-flood', latencyMs: 150 };

/** The first headers that the flood showed: if any of it was stored, they were. */
function isFloodStored({ chain, net }: World): boolean {
  return [...net.peers.values()].some((peer) =>
    (peer.flood?.after([], 10) ?? []).some((header) => chain.getHeader(header.hash) !== undefined),
  );
}

test('honest peers alone: twice through the headers, then the bodies', async () => {
  await using world = await createWorld();
  const phases: SyncStatus['phase'][] = [];
  world.sync.onStatus(({ phase }) => phases.at(-1) !== phase && phases.push(phase));
  world.join('a', { chain: main });
  world.join('b', { chain: main });
  await reach(world, main, 60_000);
  await world.clock.advance(1000);
  assert.deepEqual(phases, ['headers', 'blocks', 'at-tip']);
  assert.deepEqual(world.net.charges, []);
});

test('a flood from every slot costs the honest peer’s turn a few others, and nothing of it is stored', async () => {
  await using world = await createWorld();
  for (let i = 0; i < 4; i++) world.join(`out${i}`, flood);
  for (let i = 0; i < 8; i++) world.join(`in${i}`, { ...flood, isOutbound: false });
  await world.clock.advance(TURN_MS);
  assert.equal(world.sync.status().phase, 'headers');
  world.join('honest', { chain: main });
  await reach(world, main, 12 * TURN_MS);
  assert.equal(isFloodStored(world), false);
  assert.deepEqual(world.net.charges, []);
});

test('against inbound floods an outbound peer need not wait for a turn', async () => {
  await using world = await createWorld();
  for (let i = 0; i < 2; i++) world.join(`in${i}`, { ...flood, isOutbound: false });
  await world.clock.advance(2 * TURN_MS);
  world.join('honest', { chain: main });
  await reach(world, main, 30_000);
  assert.equal(isFloodStored(world), false);
});

test('a flood alone: neither headers nor bodies, and never at the tip', async () => {
  await using world = await createWorld();
  const peer = world.join('flood', flood);
  for (let i = 0; i < 20; i++) {
    await world.clock.advance(1000);
    assert.equal(world.sync.status().phase, 'headers');
  }
  assert.equal(world.chain.bestHeader().height, 0);
  assert.equal(peer.blocksSent, 0);
});

test('peers whose full chain has too little work give nothing and lose their outbound slots', async () => {
  await using world = await createWorld();
  const peer = world.net.add('short', { chain: main.slice(0, MINIMUM_HEIGHT - 50) });
  world.sync.peerReady('short', { ...world.net.hello(peer), tipChainWork: 2n * params.minimumChainWork });
  await world.clock.advance(60_000);
  assert.equal(world.chain.bestHeader().height, 0);
  assert.deepEqual([world.net.disconnects, world.net.charges], [['short'], []]);
});

test('a heavier chain that parts more than 144 blocks below the tip is followed', async () => {
  await using world = await createWorld();
  world.join('a', { chain: main });
  await reach(world, main, 60_000);
  world.join('b', { chain: heavier });
  await reach(world, heavier, 60_000);
  assert.deepEqual(world.net.charges, []);
});
