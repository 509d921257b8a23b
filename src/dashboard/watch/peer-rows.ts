/** Connected peers as rows, and what changed from one look to the next. Bound: the node's connections. */
import type { NodePeerDetails } from '#node';
import type { PeerPatch, PeerRow, PeersDelta } from '../contract.ts';

const MAX_AGENT_CHARS = 100;

const tenths = (value: number): number => Math.round(value * 10) / 10;

export function peerRow(peer: NodePeerDetails): PeerRow {
  const { claims, latencyMs, minLatencyMs } = peer;
  return {
    id: peer.id,
    address: peer.address,
    direction: peer.direction,
    kind: peer.kind,
    phase: peer.phase,
    agent: (claims?.userAgent ?? peer.agent).slice(0, MAX_AGENT_CHARS),
    connectedAtMs: peer.connectedAt,
    latencyMs: latencyMs === undefined ? null : tenths(latencyMs),
    minLatencyMs: minLatencyMs === undefined ? null : tenths(minLatencyMs),
    gossipScore: tenths(peer.gossipScore),
    penaltyPoints: tenths(peer.penaltyPoints),
    height: peer.bestKnownHeight ?? claims?.tipHeight ?? null,
    bytesIn: peer.bytesIn,
    bytesOut: peer.bytesOut,
    streams: peer.streams,
    meshTopics: peer.meshTopics,
    isRelayed: peer.isRelayed,
    isManual: peer.isManual,
    isSeed: peer.isSeed,
    relaysTransactions: claims?.relaysTransactions ?? false,
    lastBlockAtMs: peer.lastBlockAt ?? null,
    lastTxAtMs: peer.lastTxAt ?? null,
  };
}

export class PeerRows {
  readonly #rows = new Map<string, PeerRow>();
  readonly #joined = new Map<string, PeerRow>();
  readonly #changed = new Map<string, PeerPatch>();
  readonly #left = new Map<string, string>();

  /** Longest connected first. */
  rows(): readonly PeerRow[] {
    return [...this.#rows.values()];
  }

  /** All that are connected now. */
  update(peers: readonly NodePeerDetails[]): void {
    const gone = new Set(this.#rows.keys());
    for (const peer of peers) {
      gone.delete(peer.id);
      this.#set(peerRow(peer));
    }
    for (const id of gone) this.left(id, 'gone');
  }

  left(id: string, reason: string): void {
    if (!this.#rows.delete(id)) return;
    this.#changed.delete(id);
    // One that nobody was told of need not leave.
    if (!this.#joined.delete(id)) this.#left.set(id, reason);
  }

  /** What changed since it was last asked; undefined if nothing did. */
  takeDelta(): PeersDelta | undefined {
    if (this.#joined.size + this.#changed.size + this.#left.size === 0) return undefined;
    const delta = {
      joined: [...this.#joined.values()],
      changed: [...this.#changed.values()],
      left: Array.from(this.#left, ([id, reason]) => ({ id, reason })),
    };
    for (const gathered of [this.#joined, this.#changed, this.#left]) gathered.clear();
    return delta;
  }

  #set(row: PeerRow): void {
    const before = this.#rows.get(row.id);
    this.#rows.set(row.id, row);
    if (before === undefined || this.#joined.has(row.id)) {
      this.#joined.set(row.id, row);
      return;
    }
    const patch = changesOf(before, row);
    if (patch !== undefined) this.#changed.set(row.id, { ...this.#changed.get(row.id), ...patch });
  }
}

/** Undefined if they are equal. */
function changesOf(before: PeerRow, after: PeerRow): PeerPatch | undefined {
  const old: Readonly<Record<string, unknown>> = before;
  const changes = Object.entries(after).filter(([key, value]) => !isSame(old[key], value));
  return changes.length === 0 ? undefined : { id: after.id, ...Object.fromEntries(changes) };
}

function isSame(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b) ? a.join() === b.join() : a === b;
}
