/** A block that lies on the disk and that the index does not know yet: checked as one that was just submitted. */
import type { ValidationFailure } from '#consensus';
import type { Block } from '#primitives';
import type { FilePosition } from '#store';
import { type AcceptDeps, acceptHeader, checkBlockAlone, checkBlockInPlace } from './accept.ts';
import type { HeaderId } from './header-tree.ts';

export type Adoption =
  /** Recorded now. */
  | { readonly kind: 'adopted'; readonly id: HeaderId }
  /** Recorded before, at this place or another. */
  | { readonly kind: 'known' }
  /** `id` if the header is known. */
  | { readonly kind: 'refused'; readonly id: HeaderId | undefined; readonly failure: ValidationFailure };

export function adoptStored(deps: AcceptDeps, block: Block, position: FilePosition): Adoption {
  const { index, params } = deps;
  const known = index.tree.find(block.hash);
  if (known !== undefined && index.hasData(known)) return { kind: 'known' };
  const alone = checkBlockAlone(params, block);
  if (alone !== undefined) return { kind: 'refused', id: known, failure: alone };
  const header = acceptHeader(deps, block.header);
  if (header.kind === 'failed') return { kind: 'refused', id: undefined, failure: header.failure };
  const inPlace = checkBlockInPlace(deps, block, header.id);
  if (inPlace !== undefined) return { kind: 'refused', id: header.id, failure: inPlace };
  index.setData(header.id, position, block.transactions.length);
  return { kind: 'adopted', id: header.id };
}
