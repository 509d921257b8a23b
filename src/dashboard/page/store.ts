/**
 * Holds what the page knows, and tells the page at most once a frame, however many events come. In a tab that is not seen
 * nothing is drawn; what comes is still taken in, so that nothing piles up.
 */
import type { Connection } from './feed-connection.ts';
import { applyEvent, type Feed, type FeedEvent } from './feed-state.ts';

export type Known = { readonly feed: Feed | undefined; readonly connection: Connection };

export class Store {
  #known: Known = { feed: undefined, connection: { kind: 'connecting' } };
  readonly #listeners = new Set<() => void>();
  #isDue = false;

  get known(): Known {
    return this.#known;
  }

  take(event: FeedEvent): void {
    this.#known = { ...this.#known, feed: applyEvent(this.#known.feed, event, Date.now()) };
    this.#tell();
  }

  connectionIs(connection: Connection): void {
    this.#known = { ...this.#known, connection };
    this.#tell();
  }

  /** Returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
