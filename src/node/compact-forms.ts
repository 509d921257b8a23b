/**
 * Compact forms of the newest blocks, as they are served (`compact/1`): received from a peer, or built here. One that was
 * received is given on unchecked, at once, to everybody who waits for it: a node that first filled in what it lacks would
 * keep even those waiting who lack nothing, and for the others nothing is lost, since their request for transactions
 * arrives here when our own answer does. Once a block is rebuilt, its form also holds what we had to ask for.
 * Bounds: MAX_FORMS, the oldest forgotten; as many are awaited as the rebuilder has blocks.
 */
import type { Block, BlockHash } from '#primitives';
import { buildCompactBlock, streams } from '#protocol';
import type { Random } from '#util';
import type { PartialBlock } from './block-fill.ts';
import type { CompactMessage } from './compact-pull.ts';

/** 2 MiB at most. */
const MAX_FORMS = 8;
/** Of a block's transactions besides the coinbase: less than half of a full block's form, lest it be lost on peers that know them. */
const MAX_PREFILLED_BYTES = 10_000;

export type CompactFormsDeps = {
  readonly random: Random;
  /** Whether transactions that peers may lack are put into the form. */
  readonly prefills: boolean;
};

export class CompactForms {
  readonly #deps: CompactFormsDeps;
  readonly #forms = new Map<BlockHash, Uint8Array>();
  readonly #awaited = new Map<BlockHash, PromiseWithResolvers<Uint8Array | undefined>>();

  constructor(deps: CompactFormsDeps) {
    this.#deps = deps;
  }

  /** As bytes of the answer: if it is there, or once it is; undefined if it is not. */
  async of(hash: BlockHash): Promise<Uint8Array | undefined> {
    return this.#forms.get(hash) ?? (await this.#awaited.get(hash)?.promise);
  }

  /** A peer is asked for it: who asks us waits, until `received` or `ended`. */
  expect(hash: BlockHash): void {
    if (!this.#awaited.has(hash)) this.#awaited.set(hash, Promise.withResolvers());
  }

  /** Nobody is asked any more. */
  ended(hash: BlockHash): void {
    this.#awaited.get(hash)?.resolve(this.#forms.get(hash));
    this.#awaited.delete(hash);
  }

  received(compact: CompactMessage): void {
    this.#keep(compact);
    this.ended(compact.header.hash);
  }

  /** It did not give the block, or the block is not wanted. */
  forget(hash: BlockHash): void {
    this.#forms.delete(hash);
  }

  /** `filled`: the announcement that gave the block, and what was missing. Its ids stay, so that they are no second variant. */
  rebuilt(block: Block, { compact, missing }: PartialBlock): void {
    const given = compact.prefilled.map(({ index }) => index);
    this.#build(block, compact.nonce, [...given, ...missing]);
  }

  /** Builds the form of a block of our own. `places`: of transactions that peers may lack. Undefined if it is too long. */
  built(block: Block, places: readonly number[] = []): Uint8Array | undefined {
    return this.#build(block, Buffer.from(this.#deps.random.bytes(8)).readBigUInt64LE(), places);
  }

  #build(block: Block, nonce: bigint, places: readonly number[]): Uint8Array | undefined {
    const prefill = this.#deps.prefills ? withinBudget(block, places) : [];
    const compact = buildCompactBlock(block, nonce, prefill);
    return compact.prefilled.length === 0 ? undefined : this.#keep(compact);
  }

  #keep(compact: CompactMessage): Uint8Array {
    const { hash } = compact.header;
    const bytes = streams.compact.response.encode(compact);
    this.#forms.delete(hash);
    this.#forms.set(hash, bytes);
    const [oldest] = this.#forms.keys();
    if (this.#forms.size > MAX_FORMS && oldest !== undefined) this.#forms.delete(oldest);
    return bytes;
  }
}

/** In the order given, leaving out what does not fit any more. */
function withinBudget({ transactions }: Block, places: readonly number[]): number[] {
  let room = MAX_PREFILLED_BYTES;
  return places.filter((index) => {
    const size = index === 0 ? 0 : (transactions[index]?.size ?? 0);
    if (size > room) return false;
    room -= size;
    return true;
  });
}
