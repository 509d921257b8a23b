/**
 * The feed of the node: server-sent events, connected anew with back-off when it breaks off or falls silent. The page asks for
 * nothing else by itself.
 */
import type { FeedEventName } from '../contract.ts';
import { retryDelayMs } from './back-off.ts';
import type { FeedEvent } from './feed-state.ts';

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live'; readonly lastEventAtMs: number }
  | { readonly kind: 'broken'; readonly retryAtMs: number };

const NAMES: readonly FeedEventName[] = ['state', 'overview', 'blocks', 'mempool', 'peers', 'bandwidth', 'logs'];

/** Bandwidth comes each second: after so long the connection is dead, even if nobody closed it. */
const SILENCE_MS = 12_000;

export class FeedConnection {
  readonly #onEvent: (event: FeedEvent) => void;
  readonly #onConnection: (connection: Connection) => void;
  #source: EventSource | undefined;
  #failures = 0;
  /** The next attempt, or the end of our patience. */
  #timer: number | undefined;

  constructor(onEvent: (event: FeedEvent) => void, onConnection: (connection: Connection) => void) {
    this.#onEvent = onEvent;
    this.#onConnection = onConnection;
    // Whoever comes back to the page, or back to the network, does not wait.
    window.addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#hurry();
    });
  }

  open(): void {
    this.#close();
    this.#onConnection({ kind: 'connecting' });
    const source = new EventSource('/feed');
    this.#source = source;
    source.addEventListener('error', () => this.#retry());
    for (const name of NAMES) {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => this.#receive(name, data));
    }
    this.#expectEvent();
  }

  #receive(name: FeedEventName, text: string): void {
    this.#failures = 0;
    this.#expectEvent();
    this.#onConnection({ kind: 'live', lastEventAtMs: Date.now() });
    this.#onEvent({ name, data: JSON.parse(text) } as FeedEvent);
  }

  #expectEvent(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#retry(), SILENCE_MS);
  }

  /** The browser would try again by itself, but at a fixed pace and without saying so. */
  #retry(): void {
    this.#close();
    const delayMs = retryDelayMs(this.#failures++, Math.random());
    this.#onConnection({ kind: 'broken', retryAtMs: Date.now() + delayMs });
    this.#timer = setTimeout(() => this.open(), delayMs);
  }

  #hurry(): void {
    if (this.#source === undefined) this.open();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = undefined;
  }
}
