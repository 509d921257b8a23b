/** Those who wait until something is decided, by what they wait for. */
type Waiter = { readonly resolve: () => void; readonly reject: (error: unknown) => void };

export class Waiters<Key> {
  readonly #byKey = new Map<Key, Waiter[]>();

  get isEmpty(): boolean {
    return this.#byKey.size === 0;
  }

  wait(key: Key): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject };
      const others = this.#byKey.get(key);
      if (others === undefined) this.#byKey.set(key, [waiter]);
      else others.push(waiter);
    });
  }

  resolve(key: Key): void {
    for (const { resolve } of this.#take(key)) resolve();
  }

  resolveAll(): void {
    for (const key of [...this.#byKey.keys()]) this.resolve(key);
  }

  rejectAll(error: unknown): void {
    for (const key of [...this.#byKey.keys()]) for (const { reject } of this.#take(key)) reject(error);
  }

  #take(key: Key): readonly Waiter[] {
    const waiters = this.#byKey.get(key) ?? [];
    this.#byKey.delete(key);
    return waiters;
  }
}
