/** What methods about one block share: the block that a parameter names, and its body, with Core's words where it lacks. */
import type { ChainReader, Coin, HeaderEntry } from '#chain';
import { Block, parseBlockHash } from '#primitives';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { type Args, hashOf, intOf } from '../table/args.ts';

export function blockNamed(chain: ChainReader, args: Args, name: string): HeaderEntry {
  return blockWithHash(chain, args.hash(name));
}

function blockWithHash(chain: ChainReader, hash: string): HeaderEntry {
  const entry = chain.getHeader(parseBlockHash(hash));
  if (entry === undefined) throw new RpcError(RpcCode.invalidAddressOrKey, 'Block not found');
  return entry;
}

/** Core's ParseHashOrHeight. */
export function blockByHashOrHeight(chain: ChainReader, args: Args, name: string): HeaderEntry {
  const value = args.value(name);
  if (typeof value !== 'number') return blockWithHash(chain, hashOf(value, name));
  const height = intOf(value);
  if (height < 0) throw invalidParameter(`Target block height ${height} is negative`);
  const tip = chain.tip().height;
  const entry = chain.activeAt(height);
  if (entry === undefined) throw invalidParameter(`Target block height ${height} after current tip ${tip}`);
  return entry;
}

/** Core's GetBlockChecked. */
export async function bodyOf(chain: ChainReader, entry: HeaderEntry): Promise<Block> {
  const raw = await chain.readBlock(entry.hash);
  if (raw !== undefined) return Block.fromBytes(raw);
  const wasHere = chain.txCount(entry.hash) > 0;
  throw new RpcError(RpcCode.misc, wasHere ? 'Block not available (pruned data)' : 'Block not found on disk');
}

/** Core's GetUndoChecked. */
export async function spentCoinsOf(chain: ChainReader, entry: HeaderEntry): Promise<readonly (readonly Coin[])[]> {
  const spent = await chain.readUndo(entry.hash);
  if (spent !== undefined) return spent;
  throw new RpcError(RpcCode.misc, 'Undo data not available (pruned data)');
}
