/** What a script is, and what could be made of it: decodescript. */

import { hash160 } from '#crypto';
import { SigningProvider } from '#descriptor';
import { encodeAddress, isUnspendable, Op, ScriptReader, type SolvedScript, solver, taproot, templates } from '#script';
import { assert } from '#util';
import { hasValidOps } from '../core-io/decode-tx.ts';
import { scriptPubKeyJson } from '../core-io/script-json.ts';
import type { JsonObject } from '../json/value.ts';
import { bytesOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

const ADDRESS_ABOUT = 'The Bitcoin address (only if a well-defined address exists)';

export const DECODE_SCRIPT_METHODS: readonly RpcMethod[] = [
  {
    name: 'decodescript',
    category: 'rawtransactions',
    about: 'Decode a hex-encoded script.',
    params: [param.hex('hexstring', 'the hex-encoded script')],
    results: [
      result.object('', '', [
        result.string('asm', 'Disassembly of the script'),
        result.string('desc', 'Inferred descriptor for the script'),
        result.string('type', 'The output type (e.g. nonstandard, pubkey, pubkeyhash, scripthash, multisig)'),
        result.string('address', ADDRESS_ABOUT, { optional: true }),
        result.string(
          'p2sh',
          'address of P2SH script wrapping this redeem script (not returned for types that should not be wrapped)',
          { optional: true },
        ),
        result.object(
          'segwit',
          'Result of a witness output script wrapping this redeem script (not returned for types that should not be wrapped)',
          [
            result.string('asm', 'Disassembly of the output script'),
            result.hex('hex', 'The raw output script bytes, hex-encoded'),
            result.string('type', 'The type of the output script (e.g. witness_v0_keyhash or witness_v0_scripthash)'),
            result.string('address', ADDRESS_ABOUT, { optional: true }),
            result.string('desc', 'Inferred descriptor for the script'),
            result.string('p2sh-segwit', 'address of the P2SH script wrapping this witness redeem script'),
          ],
          { optional: true },
        ),
      ]),
    ],
    examples: [{ cli: '"hexstring"', json: '"hexstring"' }],
    handler: decodeScript,
  },
];

function decodeScript({ args, node }: RpcCall): JsonObject {
  const prefixes = node.chain.params.address;
  const text = args.string('hexstring');
  const script = text === '' ? new Uint8Array(0) : bytesOf(text, 'argument');
  const decoded = scriptPubKeyJson(script, prefixes, { hex: false });
  const solved = solver(script);
  if (!canWrap(script, solved)) return decoded;
  const p2sh = encodeAddress(templates.payToScriptHash(script), prefixes);
  if (!canWrapInWitness(script, solved)) return { ...decoded, p2sh };
  const known = new SigningProvider();
  const output = witnessOutput(script, solved, known);
  const segwit = {
    ...scriptPubKeyJson(output, prefixes, { known }),
    'p2sh-segwit': encodeAddress(templates.payToScriptHash(output), prefixes),
  };
  return { ...decoded, p2sh, segwit };
}

/** Nothing that has a meaning in tapscript only, or can never be spent. */
function canWrap(script: Uint8Array, { kind }: SolvedScript): boolean {
  switch (kind) {
    case 'nulldata':
    case 'scripthash':
    case 'witness_unknown':
    case 'witness_v1_taproot':
    case 'anchor':
      return false;
    default:
      return hasValidOps(script) && !isUnspendable(script) && !hasTapscriptOpcodes(script);
  }
}

function hasTapscriptOpcodes(script: Uint8Array): boolean {
  const reader = new ScriptReader(script);
  while (reader.next()) {
    if (reader.opcode === Op.OP_CHECKSIGADD || taproot.isOpSuccess(reader.opcode)) return true;
  }
  return false;
}

/** Witness scripts know compressed keys only. */
function canWrapInWitness(script: Uint8Array, solved: SolvedScript): boolean {
  switch (solved.kind) {
    case 'multisig':
      return solved.keys.every((key) => key.length === 33);
    case 'pubkey':
      return script.length === 35;
    case 'nonstandard':
    case 'pubkeyhash':
      return true;
    default:
      return false;
  }
}

function witnessOutput(script: Uint8Array, { kind }: SolvedScript, known: SigningProvider): Uint8Array {
  assert(kind !== 'scripthash', 'a script hash is not wrapped');
  if (kind === 'pubkey') return templates.payToWitness(0, hash160(script.subarray(1, -1)));
  if (kind === 'pubkeyhash') return templates.payToWitness(0, script.subarray(3, 23));
  known.addScript(script);
  return templates.payToWitnessScriptHash(script);
}
