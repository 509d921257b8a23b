/** Outbound slots over a network that is a list: who is there answers at once, and nothing else happens by itself. */
import type { PeerAddress } from '../../../../src/net/addrman/entry.ts';
import { type LiveFacts, newFacts } from '../../../../src/net/peer-facts.ts';
import type { ConnectionKind } from '../../../../src/net/port.ts';
import { Anchors } from '../../../../src/net/slots/anchors.ts';
import { FixedPeers } from '../../../../src/net/slots/fixed-peers.ts';
import { type OutboundOptions, OutboundSlots } from '../../../../src/net/slots/outbound-slots.ts';
import type { Addresses, Wire } from '../../../../src/net/slots/port.ts';
import { nullLogger, seededRandom } from '../../../../src/util/index.ts';
import { type MemoryFile, memoryFile } from '../../../support/addrman.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

/** Addresses as `/<group>/<n>`; the group `local` is none. */
export const groupOf = (address: string): string | undefined => {
  const group = address.split('/')[1];
  return group === 'local' ? undefined : group;
};

export type SceneSetup = {
  readonly known?: readonly PeerAddress[];
  readonly anchors?: readonly PeerAddress[];
  /** Complete addresses. */
  readonly manual?: readonly string[];
  readonly seeds?: readonly string[];
  readonly options?: Partial<OutboundOptions>;
};

export class Scene {
  readonly clock: ManualClock = createManualClock(1_800_000_000_000);
  readonly peers = new Map<string, LiveFacts>();
  /** Ids of those that do not answer. */
  readonly dead = new Set<string>();
  readonly unwelcome = new Set<string>();
  /** `kind id` of each dial, and `good id`, `close id`, … as they happen. */
  readonly said: string[] = [];
  readonly triedMs = new Map<string, number>();
  known: PeerAddress[] = [];
  collision: PeerAddress | undefined;
  /** Of each call to the address manager: whether new ones alone were asked for. */
  readonly newOnly: boolean[] = [];
  /** Whether a peer says hello at once. */
  confirms = true;
  readonly #random = seededRandom(2);
  #slots: OutboundSlots | undefined;

  static async create(setup: SceneSetup = {}, file: MemoryFile = memoryFile()): Promise<Scene> {
    const scene = new Scene();
    const { known = [], anchors, manual = [], seeds = [], options = {} } = setup;
    scene.known = [...known];
    if (anchors !== undefined) file.content = anchors;
    scene.#slots = new OutboundSlots(
      {
        clock: scene.clock,
        random: seededRandom(1),
        log: nullLogger,
        wire: scene.wire,
        addresses: scene.addresses,
        anchors: await Anchors.open(file),
        manual: new FixedPeers(manual, 'self', 2_000),
        seeds: new FixedPeers(seeds, 'self', 2_000),
        self: 'self',
        groupOf,
        isActive: () => true,
        isUnwelcome: (peer) => scene.unwelcome.has(peer),
      },
      {
        fullRelay: 8,
        blockOnly: 2,
        maxPeers: 125,
        busyMs: 500,
        idleMs: 5_000,
        backoffFirstMs: 2_000,
        backoffLastMs: 600_000,
        ...options,
      },
    );
    return scene;
  }

  get slots(): OutboundSlots {
    if (this.#slots === undefined) throw new Error('no slots');
    return this.#slots;
  }

  readonly wire: Wire = {
    connections: () => [...this.peers.values()],
    dial: async ({ id, addresses }, kind) => {
      this.said.push(`${kind} ${id}`);
      const open = this.peers.get(id);
      if (open !== undefined) open.kind = kind;
      if (open !== undefined || this.dead.has(id)) return open !== undefined;
      const facts = this.connect(id, addresses[0] ?? '', kind);
      if (this.confirms) this.confirm(facts);
      return true;
    },
    close: (id) => {
      this.said.push(`close ${id}`);
      this.lose(id);
    },
  };

  readonly addresses: Addresses = {
    size: { tried: 1, fresh: 0 },
    select: ({ newOnly, isWanted }) => {
      this.newOnly.push(newOnly);
      // From another place on each time, so that all get their turn.
      const from = this.#random.below(this.known.length + 1);
      return [...this.known.slice(from), ...this.known.slice(0, from)].find((peer) => isWanted(peer));
    },
    selectTriedCollision: () => this.collision,
    resolveCollisions: () => {},
    attempt: ({ id }, countFailure) => {
      this.triedMs.set(id, this.clock.now());
      if (!countFailure) this.said.push(`uncounted ${id}`);
    },
    good: ({ id }) => this.said.push(`good ${id}`),
    connected: (id) => this.said.push(`alive ${id}`),
    lastTryMs: ({ id }) => this.triedMs.get(id) ?? 0,
  };

  connect(id: string, address: string, kind: ConnectionKind): LiveFacts {
    const facts = newFacts(id, kind === 'manual', this.clock.monotonicMs());
    Object.assign(facts, { kind, address, group: groupOf(address), isAdmitted: true });
    this.peers.set(id, facts);
    return facts;
  }

  confirm(facts: LiveFacts): void {
    facts.isConfirmed = true;
    this.slots.confirmed(facts);
  }

  lose(id: string): void {
    const facts = this.peers.get(id);
    this.peers.delete(id);
    if (facts !== undefined) this.slots.disconnected(facts);
  }

  of(kind: ConnectionKind): string[] {
    return [...this.peers.values()].filter((peer) => peer.kind === kind).map(({ id }) => id);
  }

  count(line: string): number {
    return this.said.filter((each) => each.startsWith(line)).length;
  }

  /** One peer in each of so many groups. */
  static many(count: number): PeerAddress[] {
    return Array.from({ length: count }, (_, index) => ({ id: `p${index}`, address: `/g${index}/0` }));
  }
}
