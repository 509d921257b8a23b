/** What came of each kind of source, for the operator: who tells us of peers, and of peers that are there. */
import type { SourceKind, SourceQuality } from '../port.ts';
import { type Entry, SOURCE_KINDS } from './entry.ts';

export class Quality {
  readonly #heard = new Map<SourceKind, number>();
  readonly #succeeded = new Map<SourceKind, number>();

  heard(kind: SourceKind, count: number): void {
    this.#heard.set(kind, (this.#heard.get(kind) ?? 0) + count);
  }

  succeeded(entry: Entry): void {
    const kind = entry.sources[0]?.kind;
    if (kind !== undefined) this.#succeeded.set(kind, (this.#succeeded.get(kind) ?? 0) + 1);
  }

  /** Kinds that nothing came from are left out. */
  of(entries: Iterable<Entry>): readonly SourceQuality[] {
    const fresh = new Map<SourceKind, number>();
    const tried = new Map<SourceKind, number>();
    for (const { sources, isTried } of entries) {
      const kind = sources[0]?.kind;
      const counts = isTried ? tried : fresh;
      if (kind !== undefined) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    const rows = SOURCE_KINDS.map((kind) => ({
      kind,
      heard: this.#heard.get(kind) ?? 0,
      fresh: fresh.get(kind) ?? 0,
      tried: tried.get(kind) ?? 0,
      succeeded: this.#succeeded.get(kind) ?? 0,
    }));
    return rows.filter((row) => row.heard + row.fresh + row.tried > 0);
  }
}
