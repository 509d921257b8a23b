/** All methods by name, and the texts that are made of all of them. */
import { assert } from '#util';
import { helpText, usageLine } from './help-text.ts';
import type { RpcMethod } from './method.ts';

export class MethodTable {
  readonly methods: readonly RpcMethod[];
  readonly #byName: ReadonlyMap<string, RpcMethod>;

  constructor(methods: readonly RpcMethod[]) {
    this.methods = methods;
    this.#byName = new Map(methods.map((method) => [method.name, method]));
    assert(this.#byName.size === methods.length, 'each method stands once in the table');
  }

  get(name: string): RpcMethod | undefined {
    return this.#byName.get(name);
  }
}

/** Core's CRPCTable::help: of one command, or the first lines of all. */
export function helpOf(methods: readonly RpcMethod[], command: string): string {
  if (command !== '') {
    const method = methods.find(({ name }) => name === command);
    return method === undefined ? `help: unknown command: ${command}` : helpText(method);
  }
  const parts = listedByCategory(methods).map(([title, members]) => {
    return [`== ${title} ==`, ...members.map(usageLine)].join('\n');
  });
  return parts.join('\n\n');
}

/** Without the hidden ones; in the order of their names. */
export function listedByCategory(
  methods: readonly RpcMethod[],
): readonly (readonly [title: string, members: readonly RpcMethod[]])[] {
  const listed = methods.filter(({ category }) => category !== 'hidden').toSorted(byCategoryAndName);
  return [...Map.groupBy(listed, ({ category }) => category)].map(([category, members]) => {
    return [`${category.charAt(0).toUpperCase()}${category.slice(1)}`, members];
  });
}

function byCategoryAndName(a: RpcMethod, b: RpcMethod): number {
  const [left, right] = [a.category + a.name, b.category + b.name];
  return left < right ? -1 : left > right ? 1 : 0;
}
