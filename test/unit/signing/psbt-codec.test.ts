/** PSBTs from and to bytes: a vector of BIP174 and the ways in which it and BIP371 spoil it, each with Core 27's words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodePsbt, encodePsbt } from '#signing';
import { fromHex } from '#util';

const MAGIC = '70736274ff';
const TX =
  '0200000001279a2323a5dfb51fc45f220fa58b0fc13e1e3342792a85d7e36cd6333b5cbc390000000000ffffffff01a05aea0b000000001976a914ffe9c0061097cc3b636f2cb0460fa4fc427d2b4588ac00000000';
const GLOBAL = `010055${TX}`;
const KEY_1 = '03b1341ccba7683b6af4f1238cd6e97e7167d569fac47f1e48d47541844355bd46';
const KEY_2 = '03de55d1e1dac805e3f8a58c1fbf9b94c02f3dbaafe127fefca4995f26f82083bd';
const WITNESS_UTXO = '010120955eea0b0000000017a9146345200f68d189e1adc0df1c4d16ea8f14c0dbeb87';
const SIGNATURE =
  '46304302200424b58effaaa694e1559ea5c93bbfd4a89064224055cdf070b6771469442d07021f5c8eb0fea6516d60b8acb33ad64ede60e8785bfb3aa94b99bdf86151db9a9a01';
const PARTIAL_SIG = `2202${KEY_1}${SIGNATURE}`;
const REDEEM_SCRIPT = '0104220020771fd18ad459666dd49f3d564e3dbc42f4c84774e360ada16816a8ed488d5681';
const WITNESS_SCRIPT = `010547522103${KEY_1.slice(2)}21${KEY_2}52ae`;
const BIP32_1 = `2206${KEY_1}10b4a6ba67000000800000008004000080`;
const BIP32_2 = `2206${KEY_2}10b4a6ba67000000800000008005000080`;
const INPUT = [WITNESS_UTXO, PARTIAL_SIG, REDEEM_SCRIPT, WITNESS_SCRIPT, BIP32_1, BIP32_2];
const HASH = '11'.repeat(32);

const psbtHex = (
  input: readonly string[],
  output: readonly string[] = [],
  global: readonly string[] = [GLOBAL],
): string => [MAGIC, ...global, '00', ...input, '00', ...output, '00'].join('');

const base64 = (hex: string): string => Buffer.from(fromHex(hex)).toString('base64');

function errorOf(hex: string): string | undefined {
  const decoded = decodePsbt(base64(hex));
  return decoded.kind === 'invalid' ? decoded.error : undefined;
}

/** What is written for what was read. */
function rewritten(hex: string): string {
  const decoded = decodePsbt(base64(hex));
  assert.ok(decoded.kind === 'parsed', errorOf(hex));
  return Buffer.from(encodePsbt(decoded.psbt), 'base64').toString('hex');
}

test('BIP174: one P2SH-P2WSH input with one signature', () => {
  assert.equal(rewritten(psbtHex(INPUT)), psbtHex(INPUT));
  assert.equal(rewritten(psbtHex(INPUT.toReversed())), psbtHex(INPUT));
});

test('what is not known is kept, sorted, behind what is', () => {
  const unknown = ['010f0163', '0209ff00', '03fdfd000177'];
  const proprietary = '06fc02616205000199';
  const input = [...INPUT, proprietary, ...unknown].toReversed();
  assert.equal(rewritten(psbtHex(input)), psbtHex([...INPUT, proprietary, '0209ff00', '010f0163', '03fdfd000177']));
  assert.equal(
    rewritten(psbtHex([], unknown.toReversed(), [GLOBAL, ...unknown])).length,
    psbtHex([], unknown, [GLOBAL, ...unknown]).length,
  );
});

test('a finished input loses what led there; empty fields are no fields', () => {
  const scriptSig = '01070151';
  const witness = '010803010151';
  assert.equal(rewritten(psbtHex([...INPUT, scriptSig, witness])), psbtHex([WITNESS_UTXO, scriptSig, witness]));
  assert.equal(rewritten(psbtHex([WITNESS_UTXO, '010400', '010500'])), psbtHex([WITNESS_UTXO]));
});

test('taproot fields (BIP371): leaf scripts stand in the order of script, version, control block', () => {
  const control = (byte: string, nodes: number): string => `c0${byte.repeat(32)}${'22'.repeat(32 * nodes)}`;
  const leaf = (controlBlock: string, script: string): string => {
    const [key, value] = [`15${controlBlock}`, `${script}c0`];
    return `${(key.length / 2).toString(16).padStart(2, '0')}${key}${(value.length / 2).toString(16).padStart(2, '0')}${value}`;
  };
  const ordered = [
    `011340${'aa'.repeat(64)}`,
    `4114${HASH}${HASH}41${'bb'.repeat(65)}`,
    leaf(control('11', 0), '51'),
    leaf(control('33', 0), '51'),
    leaf(control('22', 1), '51'),
    leaf(control('00', 0), '52'),
    `2116${HASH}2901${'11'.repeat(32)}0a0b0c0d00000080`,
    `011720${HASH}`,
    `011820${HASH}`,
  ];
  assert.equal(rewritten(psbtHex(ordered.toReversed())), psbtHex(ordered));
  const tree = '01060801c0015101c00152';
  const output = [`010520${HASH}`, tree, `2107${HASH}05000a0b0c0d`];
  assert.equal(rewritten(psbtHex([], output)), psbtHex([], output));
});

test('what is wrong is said as Core says it', () => {
  const withInput = (...records: readonly string[]): string => psbtHex(records);
  const withOutput = (...records: readonly string[]): string => psbtHex([], records);
  const cases: readonly (readonly [hex: string, error: string])[] = [
    [TX, 'Invalid PSBT magic bytes'],
    [`${MAGIC}${GLOBAL}`, 'Separator is missing at the end of the global map'],
    [`${MAGIC}${GLOBAL}00`, 'Inputs provided does not match the number of inputs in transaction.'],
    [`${MAGIC}${GLOBAL}00${INPUT.join('')}`, 'Separator is missing at the end of an input map'],
    [`${MAGIC}${GLOBAL}0000`, 'Outputs provided does not match the number of outputs in transaction.'],
    [`${MAGIC}00`, 'No unsigned transaction was provided'],
    [`${MAGIC}${GLOBAL}${GLOBAL}00`, 'Duplicate Key, unsigned tx already provided'],
    [`${MAGIC}02000155${TX}00`, 'Global unsigned tx key is more than one byte type'],
    [`${MAGIC}010056${TX}0000`, 'Size of value was not the stated size'],
    [`${MAGIC}01fb040100000000`, 'Unsupported version number'],
    [`${MAGIC}${GLOBAL}0001`, 'DataStream::read(): end of data'],
    [`${MAGIC}fdfc00`, 'non-canonical ReadCompactSize()'],
    [`${MAGIC}feffffffff`, 'ReadCompactSize(): size too large'],
    [psbtHex([], [], [GLOBAL, '010100']), 'Size of key was not the expected size for the type global xpub'],
    [withInput(WITNESS_UTXO, WITNESS_UTXO), 'Duplicate Key, input witness utxo already provided'],
    [withInput(WITNESS_UTXO.replace('0101', '020100')), 'Witness utxo key is more than one byte type'],
    [withInput('01010100'), 'DataStream::read(): end of data'],
    [withInput(WITNESS_UTXO.replace('010120', '010121').concat('00')), 'Size of value was not the stated size'],
    [withInput(`010055${TX}`), 'Non-witness UTXO does not match outpoint hash'],
    [withInput(`02000055${TX}`), 'Non-witness utxo key is more than one byte type'],
    [
      withInput(`2102${KEY_1.slice(2)}${SIGNATURE}`),
      'Size of key was not the expected size for the type partial signature pubkey',
    ],
    [withInput(`2202${KEY_1.replace('03', '05')}${SIGNATURE}`), 'Invalid pubkey'],
    [withInput(PARTIAL_SIG, PARTIAL_SIG), 'Duplicate Key, input partial signature for pubkey already provided'],
    [withInput(`2202${KEY_1}00`), 'Signature is not a valid encoding'],
    [withInput('0203000401000000'), 'Sighash type key is more than one byte type'],
    [withInput('010303010000'), 'DataStream::read(): end of data'],
    [withInput(REDEEM_SCRIPT.replace('0104', '020400')), 'Input redeemScript key is more than one byte type'],
    [withInput(WITNESS_SCRIPT.replace('0105', '020500')), 'Input witnessScript key is more than one byte type'],
    [
      withInput(BIP32_1.replace('2206', '2106').replace('0603', '06')),
      'Size of key was not the expected size for the type BIP32 keypath',
    ],
    [withInput(BIP32_1, BIP32_1), 'Duplicate Key, pubkey derivation path already provided'],
    [withInput(`2206${KEY_1}0511223344`.concat('55')), 'Invalid length for HD key path'],
    [withInput('0207000151'), 'Final scriptSig key is more than one byte type'],
    [withInput('020800020100'), 'Final scriptWitness key is more than one byte type'],
    [withInput('020a000151'), 'Size of key was not the expected size for the type ripemd160 preimage'],
    [withInput('020d000151'), 'Size of key was not the expected size for the type hash256 preimage'],
    [withInput(`02130040${'aa'.repeat(64)}`), 'Input Taproot key signature key is more than one byte type'],
    [withInput(`01133f${'aa'.repeat(63)}`), 'Input Taproot key path signature is shorter than 64 bytes'],
    [withInput(`011342${'aa'.repeat(66)}`), 'Input Taproot key path signature is longer than 65 bytes'],
    [withInput(`4214${HASH}${HASH}0040${'aa'.repeat(64)}`), 'Input Taproot script signature key is not 65 bytes'],
    [
      withInput(`4114${HASH}${HASH}3f${'aa'.repeat(63)}`),
      'Input Taproot script path signature is shorter than 64 bytes',
    ],
    [withInput(`2115${HASH}0151`), 'Taproot leaf script key is not at least 34 bytes'],
    [withInput(`2315c0${HASH}000151`), "Input Taproot leaf script key's control block size is not valid"],
    [withInput(`2215c0${HASH}00`), 'Input Taproot leaf script must be at least 1 byte'],
    [withInput(`2216${HASH}0005000a0b0c0d`), 'Input Taproot BIP32 keypath key is not at 33 bytes'],
    [withInput(`2116${HASH}05010a0b0c0d`), 'Input Taproot BIP32 keypath has an invalid length'],
    [withInput(`011721${HASH}00`), 'Size of value was not the stated size'],
    [withInput(`02170020${HASH}`), 'Input Taproot internal key key is more than one byte type'],
    [withInput('05fc026162000199', '05fc026162000199'), 'Duplicate Key, proprietary key already found'],
    [withInput('010f0163', '010f0163'), 'Duplicate Key, key for unknown value already provided'],
    [withOutput('0200000151'), 'Output redeemScript key is more than one byte type'],
    [withOutput('0201000151'), 'Output witnessScript key is more than one byte type'],
    [withOutput('010600'), 'Output Taproot tree must not be empty'],
    [withOutput('01060481c00151'), 'Output Taproot tree has as leaf greater than Taproot maximum depth'],
    [withOutput('01060400c10151'), 'Output Taproot tree has a leaf with an invalid leaf version'],
    [withOutput('01060401c00151'), 'Output Taproot tree is malformed'],
    [withOutput(`2107${HASH}05010a0b0c0d`), 'Output Taproot BIP32 keypath has an invalid length'],
  ];
  for (const [hex, error] of cases) assert.equal(errorOf(hex), `${error}: iostream error`, error);
  assert.equal(errorOf(`${psbtHex(INPUT)}00`), 'extra data after PSBT');
  // No such character, no padding, bits left over.
  for (const text of ['#', 'cHNidP8', 'cHNidP9=']) {
    assert.deepEqual(decodePsbt(text), { kind: 'invalid', error: 'invalid base64' }, text);
  }
});

test('any change of a PSBT is an answer, and what is accepted survives being written', () => {
  const bytes = fromHex(psbtHex(INPUT));
  const place = fc.record({ at: fc.nat(bytes.length - 1), byte: fc.nat(255), cut: fc.boolean() });
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 3 }), (changes) => {
      let changed = Uint8Array.from(bytes);
      for (const { at, byte, cut } of changes) {
        if (at >= changed.length) continue;
        changed[at] = byte;
        if (cut) changed = Uint8Array.from([...changed.subarray(0, at), ...changed.subarray(at + 1)]);
      }
      const decoded = decodePsbt(Buffer.from(changed).toString('base64'));
      if (decoded.kind === 'invalid') return;
      const once = encodePsbt(decoded.psbt);
      const again = decodePsbt(once);
      assert.ok(again.kind === 'parsed');
      assert.equal(encodePsbt(again.psbt), once);
    }),
    { seed: 1, numRuns: 3000 },
  );
});
