/**
 * Numbers for connections, as Core has them for its nodes: from 0 upwards, never given twice. Kept for those that were
 * connected at the last look.
 */
type Connection = { readonly id: string; readonly connectedAt: number };

export class PeerNumbers {
  #numbers: ReadonlyMap<string, number> = new Map();
  #next = 0;

  /** One for each of the peers that are connected now. */
  of<Peer extends Connection>(peers: readonly Peer[]): readonly (readonly [number: number, peer: Peer])[] {
    const numbers = new Map<string, number>();
    const numbered = peers.map((peer) => {
      const key = `${peer.id} ${peer.connectedAt}`;
      const number = this.#numbers.get(key) ?? this.#next++;
      numbers.set(key, number);
      return [number, peer] as const;
    });
    this.#numbers = numbers;
    return numbered;
  }
}
