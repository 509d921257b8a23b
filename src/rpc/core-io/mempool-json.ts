/** Entries of the mempool as Core's JSON (entryToJSON), and the orders in which Core lists them. */
import { type MempoolEntry, packageTotals, signalsBip125, withAncestors, withDescendants } from '#mempool';
import { idToBytes, type Txid } from '#primitives';
import { type Clock, compareBytes, Slices } from '#util';
import { amount, type JsonObject } from '../json/value.ts';

export function mempoolEntryJson(entry: MempoolEntry, unbroadcast: ReadonlySet<Txid>): JsonObject {
  const ancestors = withAncestors([entry]);
  const [above, below] = [packageTotals(ancestors), packageTotals(withDescendants([entry]))];
  return {
    vsize: entry.vsize,
    weight: entry.weight,
    time: Math.floor(entry.time / 1000),
    height: entry.height,
    descendantcount: below.count,
    descendantsize: below.vsize,
    ancestorcount: above.count,
    ancestorsize: above.vsize,
    wtxid: entry.wtxid,
    fees: {
      base: amount(entry.fee),
      modified: amount(entry.modifiedFee),
      ancestor: amount(above.modifiedFee),
      descendant: amount(below.modifiedFee),
    },
    depends: Array.from(entry.parents, ({ txid }) => txid).sort(),
    spentby: byHash(entry.children).map(({ txid }) => txid),
    'bip125-replaceable': [...ancestors].some(signalsBip125),
    unbroadcast: unbroadcast.has(entry.txid),
  };
}

/** By the bytes of the txids (CompareIteratorByHash). */
export function byHash(entries: Iterable<MempoolEntry>): readonly MempoolEntry[] {
  return [...entries].sort((a, b) => compareIds(a.txid, b.txid));
}

/** Core's order of uint256: by the bytes as they are on the wire. */
export function compareIds(a: Txid, b: Txid): number {
  return compareBytes(idToBytes(a), idToBytes(b));
}

type Ranked = {
  readonly entry: MempoolEntry;
  readonly ancestors: number;
  /** sat per vbyte, as exact as a double is. */
  readonly rate: number;
};

/** Doubles that differ by a smaller part do not tell which rate is higher. */
const RATE_PRECISION = 1e-12;

/** Parents first, then what pays more (GetSortedDepthAndScore). Rests now and then: entries may leave meanwhile. */
export async function byDepthAndScore(entries: Iterable<MempoolEntry>, clock: Clock): Promise<MempoolEntry[]> {
  const slices = new Slices(clock);
  const ranked: Ranked[] = [];
  for (const entry of [...entries]) {
    await slices.rest();
    const ancestors = entry.parents.size === 0 ? 1 : withAncestors([entry]).size;
    ranked.push({ entry, ancestors, rate: Number(entry.fee) / entry.vsize });
  }
  return ranked.sort(compareRanked).map(({ entry }) => entry);
}

function compareRanked(a: Ranked, b: Ranked): number {
  if (a.ancestors !== b.ancestors) return a.ancestors - b.ancestors;
  const byRate = b.rate - a.rate;
  // Exact comparisons of all would take seconds for a full mempool.
  if (Math.abs(byRate) > RATE_PRECISION * a.rate) return byRate;
  const difference = b.entry.fee * BigInt(a.entry.vsize) - a.entry.fee * BigInt(b.entry.vsize);
  if (difference !== 0n) return difference < 0n ? -1 : 1;
  return compareIds(b.entry.txid, a.entry.txid);
}
