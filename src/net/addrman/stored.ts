/**
 * The form in which addresses are kept in `peers.json`: lists instead of objects, whole seconds, each source once; some
 * 126 bytes an entry, 10 MB when both tables are full. Places are not kept: they follow from the key and the groups,
 * which may be others now. Reading believes nothing: a file may be damaged or edited.
 */
import { toHex } from '#util';
import type { SourceKind } from '../port.ts';
import { BUCKET_SIZE } from './bucket-table.ts';
import { type AddressSource, type Entry, type PeerAddress, SOURCE_KINDS } from './entry.ts';
import { NEW_BUCKETS, TRIED_BUCKETS } from './placement.ts';

export type StoredEntry = PeerAddress &
  Pick<Entry, 'isTried' | 'lastSeenMs' | 'lastTryMs' | 'lastSuccessMs' | 'attempts'> & {
    /** Empty: not known. */
    readonly sources: readonly AddressSource[];
  };

/** `key` is hex as far as it is text, and undefined if it is not. */
export type Stored = { readonly key: string | undefined; readonly entries: readonly StoredEntry[] };

const VERSION = 1;
const MAX_ENTRIES = (NEW_BUCKETS + TRIED_BUCKETS) * BUCKET_SIZE;
const MAX_TEXT = 300;
const MAX_SOURCES = 8;
const KINDS: ReadonlySet<unknown> = new Set(SOURCE_KINDS);

export function toStored(key: Uint8Array, entries: Iterable<Entry>): unknown {
  const sources = new Map<string, number>();
  const numberOf = ({ kind, group }: AddressSource): number => {
    const text = `${kind} ${group}`;
    const known = sources.get(text) ?? sources.size;
    sources.set(text, known);
    return known;
  };
  const rows: unknown[] = [];
  for (const entry of entries) {
    const times = [entry.lastSeenMs, entry.lastTryMs, entry.lastSuccessMs].map((ms) => Math.floor(ms / 1000));
    rows.push([entry.id, entry.address, entry.isTried ? 1 : 0, entry.sources.map(numberOf), ...times, entry.attempts]);
  }
  return { version: VERSION, key: toHex(key), sources: [...sources.keys()], entries: rows };
}

/** The outer form alone; what in it makes no sense is left out, entry by entry. */
export function areStoredAddresses(content: unknown): boolean {
  if (Array.isArray(content)) return true;
  if (typeof content !== 'object' || content === null) return false;
  const { version, sources, entries } = content as Record<string, unknown>;
  return version === VERSION && Array.isArray(sources) && Array.isArray(entries);
}

export function parseStored(content: unknown): Stored {
  if (Array.isArray(content)) return { key: undefined, entries: content.slice(0, MAX_ENTRIES).flatMap(parseKnownPeer) };
  if (typeof content !== 'object' || content === null) return { key: undefined, entries: [] };
  const { version, key, sources, entries } = content as Record<string, unknown>;
  if (version !== VERSION || !Array.isArray(sources) || !Array.isArray(entries)) return { key: undefined, entries: [] };
  const parsedSources = sources.slice(0, MAX_ENTRIES).map(parseSource);
  return {
    key: typeof key === 'string' && /^[0-9a-f]*$/.test(key) ? key : undefined,
    entries: entries.slice(0, MAX_ENTRIES).flatMap((row) => parseRow(row, parsedSources)),
  };
}

function parseSource(text: unknown): AddressSource | undefined {
  if (typeof text !== 'string' || text.length > MAX_TEXT) return undefined;
  const [kind, ...group] = text.split(' ');
  return KINDS.has(kind) ? { kind: kind as SourceKind, group: group.join(' ') } : undefined;
}

function parseRow(row: unknown, sources: readonly (AddressSource | undefined)[]): StoredEntry[] {
  if (!Array.isArray(row)) return [];
  const [id, address, isTried, numbers, lastSeen, lastTry, lastSuccess, attempts] = row as unknown[];
  if (!isText(id) || !isText(address)) return [];
  const told = (Array.isArray(numbers) ? numbers : []).slice(0, MAX_SOURCES).map((number) => sources[Number(number)]);
  return [
    {
      id,
      address,
      isTried: isTried === 1,
      sources: told.filter((source) => source !== undefined),
      lastSeenMs: 1000 * natural(lastSeen),
      lastTryMs: 1000 * natural(lastTry),
      lastSuccessMs: 1000 * natural(lastSuccess),
      attempts: natural(attempts),
    },
  ];
}

/** The form before version 1: one object a peer, the address that last worked first. */
function parseKnownPeer(known: unknown): StoredEntry[] {
  if (typeof known !== 'object' || known === null) return [];
  const { id, addresses, lastSeen, lastTry, lastSuccess } = known as Record<string, unknown>;
  if (!isText(id) || !Array.isArray(addresses)) return [];
  const texts = addresses.slice(0, 4).filter(isText);
  return texts.map((address, index) => ({
    id,
    address,
    isTried: index === 0 && natural(lastSuccess) > 0,
    sources: [],
    lastSeenMs: natural(lastSeen),
    lastTryMs: natural(lastTry),
    lastSuccessMs: index === 0 ? natural(lastSuccess) : 0,
    attempts: 0,
  }));
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_TEXT;
}

function natural(value: unknown): number {
  return typeof value === 'number' && value > 0 && value < Number.MAX_SAFE_INTEGER ? Math.floor(value) : 0;
}
