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

  get size(): number {
    return this.#groups.length;
  }

  /** May be told twice. */
  add(entry: Entry): void {
    let group = this.#byName.get(entry.group);
    if (group === undefined) {
      group = { name: entry.group, entries: [], index: this.#groups.length };
      this.#groups.push(group);
      this.#byName.set(group.name, group);
    }
    if (!group.entries.includes(entry)) group.entries.push(entry);
  }

  remove(entry: Entry): void {
    const group = this.#byName.get(entry.group);
    const at = group?.entries.indexOf(entry) ?? -1;
    if (group === undefined || at < 0) return;
    moveLastTo(group.entries, at);
    if (group.entries.length > 0) return;
    this.#byName.delete(group.name);
    moveLastTo(this.#groups, group.index);
    const moved = this.#groups[group.index];
    if (moved !== undefined) moved.index = group.index;
  }

  /** Any group, each as likely, and any entry of it. Undefined only when there is none. */
  draw(random: Random): Entry | undefined {
    const group = this.#groups.length === 0 ? undefined : this.#groups[random.below(this.#groups.length)];
    return group?.entries[random.below(group.entries.length)];
  }
}

/** Removes an item in constant time: the last one takes its place. */
function moveLastTo<T>(list: T[], at: number): void {
  const last = list.pop();
  if (last !== undefined && at < list.length) list[at] = last;
}
