/** Scripts as JSON: Core's ScriptToUniv (core_write.cpp). */

import { descriptorText, inferDescriptor, type KeyPrefixes, type SigningProvider } from '#descriptor';
import { encodeAddress, scriptToAsm, solver } from '#script';
import { toHex } from '#util';
import type { JsonObject } from '../json/value.ts';

/** An output's script with its descriptor and address. `known` may say what the script hides. */
export function scriptPubKeyJson(
  scriptPubKey: Uint8Array,
  prefixes: KeyPrefixes,
  { hex = true, known }: { readonly hex?: boolean; readonly known?: SigningProvider } = {},
): JsonObject {
  const type = solver(scriptPubKey).kind;
  return {
    asm: scriptToAsm(scriptPubKey),
    desc: descriptorText(inferDescriptor(scriptPubKey, prefixes, known)),
    hex: hex ? toHex(scriptPubKey) : undefined,
    address: encodeAddress(scriptPubKey, prefixes),
    type,
  };
}

/** A script that stands behind an output's hash. */
export function innerScriptJson(script: Uint8Array): JsonObject {
  return { asm: scriptToAsm(script), hex: toHex(script), type: solver(script).kind };
}

/** A script that unlocks. */
export function scriptSigJson(scriptSig: Uint8Array): JsonObject {
  return { asm: scriptToAsm(scriptSig, { decodeSighash: true }), hex: toHex(scriptSig) };
}
