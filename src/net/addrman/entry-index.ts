/** All entries, found by peer, by host and port, or by chance. Each is in all three or in none. */
import type { Random } from '#util';
import type { PeerIdText } from '../port.ts';
import type { Entry, PeerAddress } from './entry.ts';

export class EntryIndex {
  readonly #all: Entry[] = [];
  readonly #byPeer = new Map<PeerIdText, Entry[]>();
  readonly #byHostPort = new Map<string, Entry[]>();

  get size(): number {
    return this.#all.length;
  }

  find({ id, address }: PeerAddress): Entry | undefined {
    return this.ofPeer(id).find((entry) => entry.address === address);
  }

  ofPeer(id: PeerIdText): readonly Entry[] {
    return this.#byPeer.get(id) ?? [];
  }

  ofHostPort(address: string): readonly Entry[] {
    return this.#byHostPort.get(hostPort(address)) ?? [];
  }

  has(entry: Entry): boolean {
    return entry.index >= 0;
  }

  add(entry: Entry): void {
    entry.index = this.#all.push(entry) - 1;
    addTo(this.#byPeer, entry.id, entry);
    addTo(this.#byHostPort, hostPort(entry.address), entry);
  }

  remove(entry: Entry): void {
    const last = this.#all.pop();
    if (last !== undefined && last !== entry) {
      this.#all[entry.index] = last;
      last.index = entry.index;
    }
    entry.index = -1;
    removeFrom(this.#byPeer, entry.id, entry);
    removeFrom(this.#byHostPort, hostPort(entry.address), entry);
  }

  entries(): IterableIterator<Entry> {
    return this.#all.values();
  }

  /** All entries in random order, as far as they are taken. The index must not change meanwhile. */
  *shuffled(random: Random): Generator<Entry> {
    const list = [...this.#all];
    for (let end = list.length; end > 0; end -= 1) {
      const chosen = random.below(end);
      const entry = list[chosen];
      const last = list[end - 1];
      if (entry === undefined || last === undefined) return;
      list[chosen] = last;
      yield entry;
    }
  }
}

/** The first two parts of a multiaddr: what comes behind them is spoken through the same port. */
function hostPort(address: string): string {
  const parts = address.split('/');
  return parts.length <= 5 ? address : parts.slice(0, 5).join('/');
}

function addTo(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}

function removeFrom(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const rest = map.get(key)?.filter((other) => other !== entry) ?? [];
  if (rest.length > 0) map.set(key, rest);
  else map.delete(key);
}
