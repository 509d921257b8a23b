/**
 * The entries of a table by netgroup, to draw a group first and then one of its entries. Core draws a bucket: a table that
 * is far from full then gives an attacker with many addresses in few groups about their share. Groups he cannot make.
 */
import type { Random } from '#util';
import type { Entry } from './entry.ts';

type Group = { readonly name: string; readonly entries: Entry[]; index: number };

export class GroupIndex {
  readonly #byName = new Map<string, Group>();
  readonly #groups: Group[] = [];
  /** Where each entry stands in the list of its group. */
  readonly #positions = new Map<Entry, number>();

  /** Groups. */
  get size(): number {
    return this.#groups.length;
  }

  has(entry: Entry): boolean {
    return this.#positions.has(entry);
  }

  /** May be told twice. */
  add(entry: Entry): void {
    if (this.#positions.has(entry)) return;
    let group = this.#byName.get(entry.group);
    if (group === undefined) {
      group = { name: entry.group, entries: [], index: this.#groups.length };
      this.#groups.push(group);
      this.#byName.set(group.name, group);
    }
    this.#positions.set(entry, group.entries.push(entry) - 1);
  }

  remove(entry: Entry): void {
    const group = this.#byName.get(entry.group);
    const at = this.#positions.get(entry);
    if (group === undefined || at === undefined) return;
    this.#positions.delete(entry);
    const moved = removeAt(group.entries, at);
    if (moved !== undefined) this.#positions.set(moved, at);
    if (group.entries.length > 0) return;
    this.#byName.delete(group.name);
    const other = removeAt(this.#groups, group.index);
    if (other !== undefined) other.index = group.index;
  }

  /** Any group, each as likely, and any entry of it. Undefined only when there is none. */
  draw(random: Random): Entry | undefined {
    const group = this.#groups.length === 0 ? undefined : this.#groups[random.below(this.#groups.length)];
    return group?.entries[random.below(group.entries.length)];
  }
}

/** In constant time: the last item takes its place, and is given. */
function removeAt<T>(list: T[], at: number): T | undefined {
  const last = list.pop();
  if (last === undefined || at >= list.length) return undefined;
  list[at] = last;
  return last;
}
