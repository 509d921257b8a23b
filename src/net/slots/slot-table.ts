/**
 * The connections that there are and those being dialled, looked at together: a dial takes its slot and its group at once.
 * Seeds fill no slot.
 */
import type { ConnectionKind, PeerIdText } from '../port.ts';
import type { ConnectionFacts, DialTarget, OutboundKind, Wire } from './port.ts';

type Dialling = { readonly kind: OutboundKind; readonly group: string | undefined };
type Filling = 'full-relay' | 'block-only' | 'feeler';

export class SlotTable {
  readonly #wire: Pick<Wire, 'connections'>;
  readonly #groupOf: (address: string) => string | undefined;
  readonly #seeds: ReadonlySet<PeerIdText>;
  readonly #dialling = new Map<PeerIdText, Dialling>();

  constructor(
    wire: Pick<Wire, 'connections'>,
    groupOf: (address: string) => string | undefined,
    seeds: ReadonlySet<PeerIdText>,
  ) {
    this.#wire = wire;
    this.#groupOf = groupOf;
    this.#seeds = seeds;
  }

  get dialling(): ReadonlyMap<PeerIdText, Dialling> {
    return this.#dialling;
  }

  begin({ id, addresses }: DialTarget, kind: OutboundKind): void {
    const [address] = addresses;
    this.#dialling.set(id, { kind, group: address === undefined ? undefined : this.#groupOf(address) });
  }

  end(peer: PeerIdText): void {
    this.#dialling.delete(peer);
  }

  /** Oldest first. */
  of(kind: ConnectionKind): ConnectionFacts[] {
    return this.#wire.connections().filter((connection) => connection.kind === kind);
  }

  get(id: PeerIdText): ConnectionFacts | undefined {
    return this.#wire.connections().find((connection) => connection.id === id);
  }

  isConnected(id: PeerIdText): boolean {
    return this.get(id) !== undefined;
  }

  get isAlone(): boolean {
    return this.#wire.connections().length === 0;
  }

  /** Those that fill a slot, oldest first. */
  filling(kind: Filling): ConnectionFacts[] {
    return this.of(kind).filter(({ id }) => !this.#seeds.has(id));
  }

  /** Seeds that we dialled as such. */
  seeds(): ConnectionFacts[] {
    return this.of('full-relay').filter(({ id }) => this.#seeds.has(id));
  }

  isSeed(id: PeerIdText): boolean {
    return this.#seeds.has(id);
  }

  /** Slots that are filled, or being dialled for. */
  held(kind: Filling): number {
    let count = this.filling(kind).filter(({ id }) => !this.#dialling.has(id)).length;
    for (const [id, dialling] of this.#dialling) if (dialling.kind === kind && !this.#seeds.has(id)) count += 1;
    return count;
  }

  /** What counts against the number of peers: not the operator's, nor what is open for a moment or unproved. */
  counted(): number {
    const inbound = this.of('inbound').filter(({ isAdmitted }) => isAdmitted).length;
    const slots = this.held('full-relay') + this.held('block-only') + this.held('feeler');
    return inbound + slots + this.seeds().length;
  }

  /** Of the outbound connections that we chose. Those of the operator stand beside them. */
  takenGroups(): Set<string> {
    const groups = new Set<string>();
    for (const { kind, group } of [...this.#wire.connections(), ...this.#dialling.values()]) {
      const isChosen = kind === 'full-relay' || kind === 'block-only' || kind === 'feeler';
      if (isChosen && group !== undefined) groups.add(group);
    }
    return groups;
  }

  isIn(groups: ReadonlySet<string>, address: string): boolean {
    const group = this.#groupOf(address);
    return group !== undefined && groups.has(group);
  }

  /** Parts of the network that we have outbound connections with. */
  reached(): number {
    const groups = [...this.of('full-relay'), ...this.of('block-only')].map(({ id, group }) => group ?? id);
    return new Set(groups).size;
  }
}
