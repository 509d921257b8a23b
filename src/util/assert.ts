/** A broken invariant: a bug in Starling, never bad input. It stops the node in order. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionFailure(message);
}

/** Marks the end of an exhaustive switch: a new union member becomes a compile error here. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unexpected value ${String(value)}`);
}
