/** Which script rules a block is under. */
import { ScriptFlag } from '#script';
import type { HeaderView, NetworkParams } from './params.ts';

/**
 * Core's GetBlockScriptFlags for the block whose own header is `entry`. P2SH, segwit and taproot rules hold from
 * genesis on: two mainnet blocks and one of testnet3 break them and are named in the network's exceptions. The
 * others start at their heights.
 */
export function scriptFlagsForBlock(entry: Pick<HeaderView, 'height' | 'hash'>, params: NetworkParams): number {
  const { activation } = params;
  const usual = ScriptFlag.P2SH | ScriptFlag.WITNESS | ScriptFlag.TAPROOT;
  let flags = params.scriptFlagExceptions.get(entry.hash) ?? usual;
  if (entry.height >= activation.bip66) flags |= ScriptFlag.DERSIG;
  if (entry.height >= activation.bip65) flags |= ScriptFlag.CHECKLOCKTIMEVERIFY;
  if (entry.height >= activation.csv) flags |= ScriptFlag.CHECKSEQUENCEVERIFY;
  // BIP147 came with segwit.
  if (entry.height >= activation.segwit) flags |= ScriptFlag.NULLDUMMY;
  return flags;
}
