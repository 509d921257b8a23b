/**
 * Anchors (Core's anchors.dat): the block-only peers at the last shutdown are the first ones dialled at the next start,
 * so that a restart alone gives an attacker no new chance. Nobody can learn who they are: block-only connections carry
 * no addresses and no transactions. The file is emptied at the start: if one of them makes us crash, the next start
 * is without it. Those that were not tried yet when we stop stay anchors.
 */
import { parseTcpAddress } from '../addresses.ts';
import type { PeerAddress } from '../addrman/entry.ts';
import type { JsonFile } from '../json-file.ts';

/** Core's MAX_BLOCK_RELAY_ONLY_ANCHORS. */
const MAX_ANCHORS = 2;
const MAX_PEER_ID_TEXT = 80;

export class Anchors {
  readonly #file: JsonFile;
  readonly #left: PeerAddress[];

  private constructor(file: JsonFile, left: PeerAddress[]) {
    this.#file = file;
    this.#left = left;
  }

  static async open(file: JsonFile): Promise<Anchors> {
    const stored = await file.read();
    const left = Array.isArray(stored) ? stored.slice(0, MAX_ANCHORS).flatMap(anchorOf) : [];
    await file.write([]);
    return new Anchors(file, left);
  }

  get hasMore(): boolean {
    return this.#left.length > 0;
  }

  /** The next one to dial; undefined when each was tried. */
  take(): PeerAddress | undefined {
    return this.#left.shift();
  }

  /** `blockOnly`: peers that answered, longest connected first. */
  async save(blockOnly: readonly PeerAddress[]): Promise<void> {
    const all = [...blockOnly, ...this.#left].map(({ id, address }) => ({ id, address }));
    await this.#file.write(all.slice(0, MAX_ANCHORS));
  }
}

function anchorOf(entry: unknown): PeerAddress[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { id, address } = entry as Record<string, unknown>;
  if (typeof id !== 'string' || id.length > MAX_PEER_ID_TEXT || typeof address !== 'string') return [];
  return parseTcpAddress(address) === undefined ? [] : [{ id, address }];
}
