/** What users of a node can listen to. Listeners are told in the step in which it happens, and must not throw. */
import type { HeaderEntry } from '#chain';
import type { Mempool } from '#mempool';
import type { PeerIdText } from '#net';
import type { BlockHash, Transaction } from '#primitives';
import type { PeerEvent, StarlingNode } from './port.ts';

class Listeners<Args extends readonly unknown[]> {
  readonly #listeners = new Set<(...args: Args) => void>();

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Gives what removes it again. */
  readonly add = (listener: (...args: Args) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  tell(...args: Args): void {
    for (const listener of this.#listeners) listener(...args);
  }
}

export type NodeEvents = {
  readonly tip: Listeners<[tip: HeaderEntry]>;
  readonly transaction: Listeners<[tx: Transaction]>;
  readonly peer: Listeners<[event: PeerEvent]>;
  readonly blockNews: Listeners<[hash: BlockHash, peer: PeerIdText]>;
};

/** As embedders see them. */
export function listenersOf(
  events: NodeEvents,
): Pick<StarlingNode, 'onTip' | 'onTransaction' | 'onPeer' | 'onBlockNews'> {
  const { tip, transaction, peer, blockNews } = events;
  return { onTip: tip.add, onTransaction: transaction.add, onPeer: peer.add, onBlockNews: blockNews.add };
}

export function createEvents(mempool: Pick<Mempool, 'observe'>): NodeEvents {
  const transaction: NodeEvents['transaction'] = new Listeners();
  mempool.observe({
    entered: (entry) => {
      // Decoded only for who listens.
      if (!transaction.isEmpty) transaction.tell(entry.tx);
    },
  });
  return { tip: new Listeners(), transaction, peer: new Listeners(), blockNews: new Listeners() };
}
