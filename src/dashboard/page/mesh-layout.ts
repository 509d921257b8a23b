/**
 * Where peers stand in the picture of the mesh: this node in the middle, each peer at a distance that its latency gives, on a
 * bearing that it keeps for as long as it is connected. Pure.
 */
import type { PeerRow } from '../contract.ts';
import { niceCeiling } from './chart.ts';

/** The picture is a square from -SIZE to SIZE. */
export const MESH_SIZE = 100;
const INNER = 24;
const OUTER = 90;
/** Of whom no ping is known yet. */
const UNKNOWN_RADIUS = 97;
/** Successive multiples of it spread evenly, however many there are. */
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));
/** Off the vertical, where the rings' numbers stand. */
const FIRST_ANGLE = 0.7 - Math.PI / 2;

export type Standing = 'good' | 'neutral' | 'bad';

export type MeshPlace = {
  readonly peer: PeerRow;
  /** Radians, and the distance from the middle. */
  readonly angle: number;
  readonly radius: number;
  readonly x: number;
  readonly y: number;
  readonly standing: Standing;
};

export type Ring = { readonly latencyMs: number; readonly radius: number };

export type MeshLayout = { readonly places: readonly MeshPlace[]; readonly rings: readonly Ring[] };

/** Peer to the number of its bearing; a newcomer takes the lowest that is free. */
export type Bearings = ReadonlyMap<string, number>;

export function keepBearings(before: Bearings, ids: readonly string[]): Bearings {
  const kept = new Map<string, number>();
  for (const id of ids) {
    const bearing = before.get(id);
    if (bearing !== undefined) kept.set(id, bearing);
  }
  const taken = new Set(kept.values());
  let next = 0;
  for (const id of ids) {
    if (kept.has(id)) continue;
    while (taken.has(next)) next++;
    taken.add(next);
    kept.set(id, next);
  }
  return kept;
}

export function layOutMesh(peers: readonly PeerRow[], bearings: Bearings): MeshLayout {
  const scale = latencyScale(peers.flatMap(({ latencyMs }) => latencyMs ?? []));
  const places = peers.map((peer) => {
    const radius = peer.latencyMs === null ? UNKNOWN_RADIUS : scale.radius(peer.latencyMs);
    const angle = (bearings.get(peer.id) ?? 0) * GOLDEN_ANGLE + FIRST_ANGLE;
    return {
      peer,
      angle,
      radius,
      x: radius * Math.cos(angle),
      y: radius * Math.sin(angle),
      standing: standingOf(peer),
    };
  });
  return { places, rings: scale.rings };
}

/** Logarithmic, from a power of ten to a round number above all; over two powers of ten at least. */
function latencyScale(latencies: readonly number[]): { radius: (ms: number) => number; rings: readonly Ring[] } {
  const decade = (ms: number): number => Math.log10(Math.max(ms, 0.1));
  const decades = latencies.map(decade);
  const low = Math.floor(Math.min(...decades, 0));
  const highest = niceCeiling(10 ** Math.max(...decades, low + 2));
  const high = Math.log10(highest);
  const radius = (ms: number): number => {
    const part = (decade(ms) - low) / (high - low);
    return INNER + (OUTER - INNER) * Math.min(Math.max(part, 0), 1);
  };
  const powers = Array.from({ length: Math.ceil(high - low - 1e-9) }, (_, at) => 10 ** (low + at));
  return { radius, rings: [...powers, highest].map((latencyMs) => ({ latencyMs, radius: radius(latencyMs) })) };
}

/** Gossipsub's score is below 0 for offences alone; penalty points are for offences too. */
export function standingOf({ gossipScore, penaltyPoints }: PeerRow): Standing {
  if (penaltyPoints > 0 || gossipScore < 0) return 'bad';
  return gossipScore > 0 ? 'good' : 'neutral';
}
