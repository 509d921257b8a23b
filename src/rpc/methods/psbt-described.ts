/** What decodepsbt and analyzepsbt answer. */
import { type Result, type ResultOptions, result } from '../table/result.ts';
import { SCRIPT_PUB_KEY_RESULT } from './described.ts';
import { SCRIPT_SIG_RESULTS } from './tx-described.ts';

const MAY_LACK: ResultOptions = { optional: true };

const originResults = (pubkeyAbout: string): readonly Result[] => [
  result.string('pubkey', pubkeyAbout),
  result.string('master_fingerprint', 'The fingerprint of the master key'),
  result.string('path', 'The path'),
];

const scriptResult = (key: string, name: string): Result =>
  result.object(
    key,
    '',
    [
      result.string('asm', `Disassembly of the ${name}`),
      result.hex('hex', `The raw ${name} bytes, hex-encoded`),
      result.string('type', "The type, eg 'pubkeyhash'"),
    ],
    MAY_LACK,
  );

const derivationsResult = result.array(
  'bip32_derivs',
  '',
  [result.object('', '', originResults('The public key this path corresponds to'))],
  MAY_LACK,
);

const tapDerivationsResult = result.array(
  'taproot_bip32_derivs',
  '',
  [
    result.object('', '', [
      ...originResults('The x-only public key this path corresponds to'),
      result.array('leaf_hashes', 'The hashes of the leaves this pubkey appears in', [
        result.hex('hash', 'The hash of a leaf this pubkey appears in'),
      ]),
    ]),
  ],
  MAY_LACK,
);

const proprietaryResult = (about: string, options?: ResultOptions): Result =>
  result.array(
    'proprietary',
    about,
    [
      result.object('', '', [
        result.hex('identifier', 'The hex string for the proprietary identifier'),
        result.number('subtype', 'The number for the subtype'),
        result.hex('key', 'The hex for the key'),
        result.hex('value', 'The hex for the value'),
      ]),
    ],
    options,
  );

const unknownResult = (about: string, options?: ResultOptions): Result =>
  result.dictionary('unknown', about, [result.hex('key', '(key-value pair) An unknown key-value pair')], options);

const preimagesResult = (name: string): Result =>
  result.dictionary(
    `${name}_preimages`,
    '',
    [result.string('hash', 'The hash and preimage that corresponds to it.')],
    MAY_LACK,
  );

const INPUT_RESULTS: readonly Result[] = [
  result.object(
    'non_witness_utxo',
    'Decoded network transaction for non-witness UTXOs',
    [result.elision('', '')],
    MAY_LACK,
  ),
  result.object(
    'witness_utxo',
    'Transaction output for witness UTXOs',
    [result.number('amount', 'The value in BTC'), SCRIPT_PUB_KEY_RESULT],
    MAY_LACK,
  ),
  result.dictionary(
    'partial_signatures',
    '',
    [result.string('pubkey', 'The public key and signature that corresponds to it.')],
    MAY_LACK,
  ),
  result.string('sighash', 'The sighash type to be used', MAY_LACK),
  scriptResult('redeem_script', 'redeem script'),
  scriptResult('witness_script', 'witness script'),
  derivationsResult,
  result.object('final_scriptSig', '', SCRIPT_SIG_RESULTS, MAY_LACK),
  result.array('final_scriptwitness', '', [result.hex('', 'hex-encoded witness data (if any)')], MAY_LACK),
  ...['ripemd160', 'sha256', 'hash160', 'hash256'].map(preimagesResult),
  result.hex('taproot_key_path_sig', 'hex-encoded signature for the Taproot key path spend', MAY_LACK),
  result.array(
    'taproot_script_path_sigs',
    '',
    [
      result.object('signature', 'The signature for the pubkey and leaf hash combination', [
        result.string('pubkey', 'The x-only pubkey for this signature'),
        result.string('leaf_hash', 'The leaf hash for this signature'),
        result.string('sig', 'The signature itself'),
      ]),
    ],
    MAY_LACK,
  ),
  result.array(
    'taproot_scripts',
    '',
    [
      result.object('', '', [
        result.hex('script', 'A leaf script'),
        result.number('leaf_ver', 'The version number for the leaf script'),
        result.array('control_blocks', 'The control blocks for this script', [
          result.hex('control_block', 'A hex-encoded control block for this script'),
        ]),
      ]),
    ],
    MAY_LACK,
  ),
  tapDerivationsResult,
  result.hex('taproot_internal_key', 'The hex-encoded Taproot x-only internal key', MAY_LACK),
  result.hex('taproot_merkle_root', 'The hex-encoded Taproot merkle root', MAY_LACK),
  unknownResult('The unknown input fields', MAY_LACK),
  proprietaryResult('The input proprietary map', MAY_LACK),
];

const OUTPUT_RESULTS: readonly Result[] = [
  scriptResult('redeem_script', 'redeem script'),
  scriptResult('witness_script', 'witness script'),
  derivationsResult,
  result.hex('taproot_internal_key', 'The hex-encoded Taproot x-only internal key', MAY_LACK),
  result.array(
    'taproot_tree',
    'The tuples that make up the Taproot tree, in depth first search order',
    [
      result.object('tuple', 'A single leaf script in the taproot tree', [
        result.number('depth', 'The depth of this element in the tree'),
        result.number('leaf_ver', 'The version of this leaf'),
        result.string('script', 'The hex-encoded script itself'),
      ]),
    ],
    MAY_LACK,
  ),
  tapDerivationsResult,
  unknownResult('The unknown output fields', MAY_LACK),
  proprietaryResult('The output proprietary map', MAY_LACK),
];

export const DECODE_PSBT_RESULTS: readonly Result[] = [
  result.object('tx', 'The decoded network-serialized unsigned transaction.', [
    result.elision('', 'The layout is the same as the output of decoderawtransaction.'),
  ]),
  result.array('global_xpubs', '', [
    result.object('', '', [
      result.string('xpub', 'The extended public key this path corresponds to'),
      result.hex('master_fingerprint', 'The fingerprint of the master key'),
      result.string('path', 'The path'),
    ]),
  ]),
  result.number('psbt_version', 'The PSBT version number. Not to be confused with the unsigned transaction version'),
  proprietaryResult('The global proprietary map'),
  unknownResult('The unknown global fields'),
  result.array('inputs', '', [result.object('', '', INPUT_RESULTS)]),
  result.array('outputs', '', [result.object('', '', OUTPUT_RESULTS)]),
  result.amount('fee', 'The transaction fee paid if all UTXOs slots in the PSBT have been filled.', MAY_LACK),
];

const keyIds = (key: string, about: string): Result => result.array(key, '', [result.hex('keyid', about)], MAY_LACK);

export const ANALYZE_RESULTS: readonly Result[] = [
  result.array(
    'inputs',
    '',
    [
      result.object('', '', [
        result.boolean('has_utxo', 'Whether a UTXO is provided'),
        result.boolean('is_final', 'Whether the input is finalized'),
        result.object(
          'missing',
          'Things that are missing that are required to complete this input',
          [
            keyIds(
              'pubkeys',
              'Public key ID, hash160 of the public key, of a public key whose BIP 32 derivation path is missing',
            ),
            keyIds(
              'signatures',
              'Public key ID, hash160 of the public key, of a public key whose signature is missing',
            ),
            result.hex('redeemscript', 'Hash160 of the redeemScript that is missing', MAY_LACK),
            result.hex('witnessscript', 'SHA256 of the witnessScript that is missing', MAY_LACK),
          ],
          MAY_LACK,
        ),
        result.string('next', 'Role of the next person that this input needs to go to', MAY_LACK),
      ]),
    ],
    MAY_LACK,
  ),
  result.number('estimated_vsize', 'Estimated vsize of the final signed transaction', MAY_LACK),
  result.amount(
    'estimated_feerate',
    'Estimated feerate of the final signed transaction in BTC/kvB. Shown only if all UTXO slots in the PSBT have been filled',
    MAY_LACK,
  ),
  result.amount('fee', 'The transaction fee paid. Shown only if all UTXO slots in the PSBT have been filled', MAY_LACK),
  result.string('next', 'Role of the next person that this psbt needs to go to'),
  result.string('error', 'Error message (if there is one)', MAY_LACK),
];
