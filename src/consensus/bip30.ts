/** BIP30: no transaction may overwrite an unspent one of the same id. */
import { BIP34_IMPLIES_BIP30_LIMIT } from './limits.ts';
import type { HeaderView, NetworkParams } from './params.ts';

/**
 * Whether a block must be checked: each output of each of its transactions that is already in the UTXO set is then
 * the failure `bad-txns-BIP30`. `entry` is the block's own header. Core's ConnectBlock and IsBIP30Repeat.
 *
 * Once BIP34 has put heights into coinbases, ids no longer repeat, so the (slow) check is left out on the chain that
 * holds the known block at the BIP34 height, up to the height that old coinbases name again.
 */
export function bip30Applies(entry: Pick<HeaderView, 'height' | 'hash' | 'ancestor'>, params: NetworkParams): boolean {
  const { height } = entry;
  const { bip34 } = params.activation;
  if (height >= BIP34_IMPLIES_BIP30_LIMIT) return true;
  if (params.bip30Exceptions.get(height) === entry.hash) return false;
  // Core asks the parent for its ancestor: the BIP34 block itself is still checked.
  return !(height > bip34 && entry.ancestor(bip34).hash === params.bip34Hash);
}
