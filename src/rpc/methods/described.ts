/** Descriptions of parameters and results that several methods share. */
import { type Param, type ParamOptions, param } from '../table/param.ts';
import { type Result, result } from '../table/result.ts';

export const blockHashParam = (about: string, options: ParamOptions = {}): Param =>
  param.hex('blockhash', about, options);

/** What header and block have in common, in their order. */
export const HEADER_RESULTS: readonly Result[] = [
  result.hex('hash', 'the block hash (same as provided)'),
  result.number('confirmations', 'The number of confirmations, or -1 if the block is not on the main chain'),
  result.number('height', 'The block height or index'),
  result.number('version', 'The block version'),
  result.hex('versionHex', 'The block version formatted in hexadecimal'),
  result.hex('merkleroot', 'The merkle root'),
  result.time('time', 'The block time expressed in UNIX epoch time'),
  result.time('mediantime', 'The median block time expressed in UNIX epoch time'),
  result.number('nonce', 'The nonce'),
  result.hex('bits', 'The bits'),
  result.number('difficulty', 'The difficulty'),
  result.hex('chainwork', 'Expected number of hashes required to produce the current chain'),
  result.number('nTx', 'The number of transactions in the block'),
  result.hex('previousblockhash', 'The hash of the previous block (if available)', { optional: true }),
  result.hex('nextblockhash', 'The hash of the next block (if available)', { optional: true }),
];

export const SCRIPT_PUB_KEY_RESULT: Result = result.object('scriptPubKey', '', [
  result.string('asm', 'Disassembly of the output script'),
  result.string('desc', 'Inferred descriptor for the output'),
  result.hex('hex', 'The raw output script bytes, hex-encoded'),
  result.string('type', 'The type, eg pubkeyhash'),
  result.string('address', 'The Bitcoin address (only if a well-defined address exists)', { optional: true }),
]);
