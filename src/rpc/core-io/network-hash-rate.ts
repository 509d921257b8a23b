/** How fast the network mines, by the work and the times of its blocks. */
import type { ChainReader, HeaderEntry } from '#chain';
import { adjustmentInterval } from '#consensus';
import { invalidParameter } from '../errors.ts';

export const DEFAULT_HASH_RATE_BLOCKS = 120;

/** Core's GetNetworkHashPS: `blocks` -1 for all since the difficulty changed, `height` -1 for the tip. Throws RpcError. */
export function networkHashesPerSecond(chain: ChainReader, blocks: number, height: number): number {
  if (blocks < -1 || blocks === 0) throw invalidParameter('Invalid nblocks. Must be a positive number or -1.');
  const last = height === -1 ? chain.tip() : chain.activeAt(height);
  if (height < -1 || last === undefined) throw invalidParameter('Block does not exist at specified height');
  const sinceChange = (last.height % adjustmentInterval(chain.params.pow)) + 1;
  const span = Math.min(blocks === -1 ? sinceChange : blocks, last.height);
  let first: HeaderEntry = last;
  let [earliest, latest] = [last.header.time, last.header.time];
  for (let done = 0; done < span; done++) {
    first = chain.ancestor(first, first.height - 1);
    earliest = Math.min(earliest, first.header.time);
    latest = Math.max(latest, first.header.time);
  }
  return earliest === latest ? 0 : Number(last.chainWork - first.chainWork) / (latest - earliest);
}
