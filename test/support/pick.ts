import { assert, type Random } from '#util';

/** One of the items, each as likely as any other. */
export function pick<T>(random: Random, items: readonly T[]): T {
  assert(items.length > 0, 'there is something to choose from');
  return items[random.below(items.length)] as T;
}
