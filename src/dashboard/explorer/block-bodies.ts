/**
 * Blocks with what they spent, as they are looked at page by page. The last one stays decoded until its memory is wanted: a full
 * one takes tens of megabytes.
 */
import type { Coin, HeaderEntry } from '#chain';
import type { StarlingNode } from '#node';
import { Block, type BlockHash, parseBlockHash } from '#primitives';

const HASH = /^[0-9a-fA-F]{64}$/;
const HEIGHT = /^\d{1,9}$/;

export type Body = {
  readonly block: Block;
  /** Of each transaction but the coinbase; undefined where that is not known (pruned, never connected). */
  readonly spent: readonly (readonly Coin[])[] | undefined;
};

export type BodyReader = Pick<StarlingNode['chain'], 'activeAt' | 'getHeader' | 'readBlock' | 'readUndo'>;

export class BlockBodies {
  readonly #chain: BodyReader;
  #last: { readonly hash: BlockHash; readonly body: WeakRef<Body> } | undefined;

  constructor(chain: BodyReader) {
    this.#chain = chain;
  }

  /** By height on the active chain, by hash anywhere. */
  find(hashOrHeight: string): HeaderEntry | undefined {
    if (HEIGHT.test(hashOrHeight)) return this.#chain.activeAt(Number(hashOrHeight));
    return HASH.test(hashOrHeight) ? this.#chain.getHeader(parseBlockHash(hashOrHeight)) : undefined;
  }

  /** Undefined where it is not stored. Throws NodeError. */
  async read({ hash }: HeaderEntry): Promise<Body | undefined> {
    const last = this.#last?.hash === hash ? this.#last.body.deref() : undefined;
    // Of a block that was not connected then it may be known by now.
    if (last?.spent !== undefined) return last;
    const [raw, spent] = [await this.#chain.readBlock(hash), await this.#chain.readUndo(hash)];
    if (raw === undefined) return undefined;
    const body = { block: Block.fromBytes(raw), spent };
    this.#last = { hash, body: new WeakRef(body) };
    return body;
  }
}
