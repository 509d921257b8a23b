/** A header of the chain in the shape in which the rules ask for it. */
import type { ChainReader, HeaderEntry } from '#chain';
import type { HeaderView } from '#consensus';

export function headerView(chain: Pick<ChainReader, 'ancestor'>, entry: HeaderEntry): HeaderView {
  const { version, time, bits } = entry.header;
  return {
    height: entry.height,
    hash: entry.hash,
    version,
    time,
    bits,
    ancestor: (height) => headerView(chain, chain.ancestor(entry, height)),
  };
}
