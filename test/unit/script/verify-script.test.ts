/** VerifyScript: the order of its checks, P2SH, segwit in its two places, and what is looked at afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash160, sha256 } from '#crypto';
import { pushData, ScriptFlag, verifyScript } from '#script';
import { concatBytes, fromHex } from '#util';
import { assemble } from '../../support/core-vectors.ts';
import { checkerThat } from './machine.ts';

const { NONE, P2SH, WITNESS, CLEANSTACK, SIGPUSHONLY } = ScriptFlag;
const EMPTY = new Uint8Array(0);

function verify(
  scriptSig: string | Uint8Array,
  scriptPubKey: string | Uint8Array,
  flags: number = NONE,
  witness: readonly Uint8Array[] = [],
): string {
  const bytes = (script: string | Uint8Array): Uint8Array => (typeof script === 'string' ? assemble(script) : script);
  return verifyScript(bytes(scriptSig), bytes(scriptPubKey), witness, flags, checkerThat({})) ?? 'OK';
}

const p2sh = (redeem: Uint8Array): Uint8Array => concatBytes(fromHex('a914'), hash160(redeem), fromHex('87'));
const p2wsh = (script: Uint8Array): Uint8Array => concatBytes(fromHex('0020'), sha256(script));

test('both scripts run on one stack, and must leave something true', () => {
  assert.equal(verify('1', '1 EQUAL'), 'OK');
  assert.equal(verify('1', '2 EQUAL'), 'EVAL_FALSE');
  assert.equal(verify('', ''), 'EVAL_FALSE');
  assert.equal(verify('0x01 0x80', ''), 'EVAL_FALSE', 'negative zero');
  assert.equal(verify('1 0', ''), 'EVAL_FALSE', 'the top counts');
  assert.equal(verify('RETURN', '1'), 'OP_RETURN');
  assert.equal(verify('1', 'RETURN'), 'OP_RETURN');
  assert.equal(verify('1 IF', 'ENDIF 1'), 'UNBALANCED_CONDITIONAL', 'never joined to one');
  assert.equal(verify('1 TOALTSTACK', 'FROMALTSTACK'), 'INVALID_ALTSTACK_OPERATION');
});

test('SIGPUSHONLY comes first', () => {
  assert.equal(verify('1 NOP', '1', SIGPUSHONLY), 'SIG_PUSHONLY');
  assert.equal(verify('1 NOP', '1'), 'OK');
  assert.equal(verify('RETURN', '1', SIGPUSHONLY), 'SIG_PUSHONLY');
  assert.equal(verify('1', '', SIGPUSHONLY), 'OK');
});

test('P2SH runs the redeem script on what was below it', () => {
  const redeem = assemble('5 EQUAL');
  const spend = (below: string): Uint8Array => concatBytes(assemble(below), pushData(redeem));
  assert.equal(verify(spend('5'), p2sh(redeem), P2SH), 'OK');
  assert.equal(verify(spend('4'), p2sh(redeem), P2SH), 'EVAL_FALSE');
  assert.equal(verify(spend('4'), p2sh(redeem)), 'OK', 'before BIP16 only the hash counted');
  assert.equal(verify(spend(''), p2sh(redeem), P2SH), 'INVALID_STACK_OPERATION');
  assert.equal(verify(concatBytes(assemble('5 NOP'), pushData(redeem)), p2sh(redeem), P2SH), 'SIG_PUSHONLY');
  assert.equal(verify(concatBytes(assemble('5 NOP'), pushData(redeem)), p2sh(redeem)), 'OK');
  assert.equal(verify(spend('5'), p2sh(assemble('1')), P2SH), 'EVAL_FALSE', 'another hash');
  assert.equal(verify(pushData(redeem), concatBytes(p2sh(redeem), assemble('NOP')), P2SH), 'OK', 'not quite P2SH');
  assert.equal(verify(pushData(assemble('RETURN')), p2sh(assemble('RETURN')), P2SH), 'OP_RETURN');
  assert.equal(verify(pushData(EMPTY), p2sh(EMPTY), P2SH), 'EVAL_FALSE');
  assert.equal(verify(concatBytes(assemble('1'), pushData(EMPTY)), p2sh(EMPTY), P2SH), 'OK');
});

test('CLEANSTACK wants exactly one element in the end', () => {
  const flags = P2SH | WITNESS | CLEANSTACK;
  assert.equal(verify('1', '', flags), 'OK');
  assert.equal(verify('0 1', '', flags), 'CLEANSTACK');
  assert.equal(verify('0 1', '', P2SH | WITNESS), 'OK');
  const redeem = assemble('1');
  assert.equal(verify(pushData(redeem), p2sh(redeem), flags), 'OK');
  assert.equal(verify(concatBytes(assemble('0'), pushData(redeem)), p2sh(redeem), flags), 'CLEANSTACK');
  const script = assemble('1');
  assert.equal(verify('', p2wsh(script), flags, [script]), 'OK');
  assert.equal(verify(pushData(p2wsh(script)), p2sh(p2wsh(script)), flags, [script]), 'OK');
});

test('a witness for nothing', () => {
  const flags = P2SH | WITNESS;
  const redeem = assemble('1');
  assert.equal(verify('1', '', flags, [EMPTY]), 'WITNESS_UNEXPECTED');
  assert.equal(verify('1', '', P2SH, [EMPTY]), 'OK');
  assert.equal(verify(pushData(redeem), p2sh(redeem), flags, [EMPTY]), 'WITNESS_UNEXPECTED');
  assert.equal(verify('0', '', flags, [EMPTY]), 'EVAL_FALSE', 'looked at last');
  assert.equal(verify('0 1', '', flags | CLEANSTACK, [EMPTY]), 'CLEANSTACK');
});

test('a witness program in the output wants an empty scriptSig', () => {
  const flags = P2SH | WITNESS;
  const script = assemble('1');
  assert.equal(verify('', p2wsh(script), flags, [script]), 'OK');
  assert.equal(verify('1', p2wsh(script), flags, [script]), 'WITNESS_MALLEATED');
  assert.equal(verify('1', p2wsh(script), P2SH, []), 'OK', 'before segwit anyone could spend it');
  assert.equal(verify('', p2wsh(script), flags, [assemble('0')]), 'WITNESS_PROGRAM_MISMATCH');
  assert.equal(verify('', p2wsh(script), flags, []), 'WITNESS_PROGRAM_WITNESS_EMPTY');
  assert.equal(verify('', assemble('0 0x02 0x0000'), flags), 'EVAL_FALSE', 'a program of zeros is false by itself');
});

test('a witness program in P2SH wants exactly its push', () => {
  const flags = P2SH | WITNESS;
  const script = assemble('1');
  const program = p2wsh(script);
  assert.equal(verify(pushData(program), p2sh(program), flags, [script]), 'OK');
  assert.equal(
    verify(concatBytes(assemble('1'), pushData(program)), p2sh(program), flags, [script]),
    'WITNESS_MALLEATED_P2SH',
  );
  const longPush = concatBytes(fromHex('4c22'), program);
  assert.equal(verify(longPush, p2sh(program), flags, [script]), 'WITNESS_MALLEATED_P2SH');
  assert.equal(verify(longPush, p2sh(program), P2SH), 'OK');
  assert.equal(verify(pushData(program), p2sh(program), flags, [assemble('0')]), 'WITNESS_PROGRAM_MISMATCH');
});

test('taproot is for programs in the output itself', () => {
  const flags = P2SH | WITNESS | ScriptFlag.TAPROOT;
  const program = concatBytes(fromHex('5120'), new Uint8Array(32).fill(3));
  assert.equal(verify('', program, flags, [fromHex('aa')]), 'SCHNORR_SIG');
  assert.equal(verify(pushData(program), p2sh(program), flags, [fromHex('aa')]), 'OK');
});

test('flags without their premises are a bug of the caller', () => {
  assert.throws(() => verify('1', '', CLEANSTACK), /CLEANSTACK needs WITNESS/);
  assert.throws(() => verify('1', '', CLEANSTACK | P2SH), /CLEANSTACK needs WITNESS/);
  assert.throws(() => verify('1', '', WITNESS), /WITNESS needs P2SH/);
  assert.equal(verify('1', '', P2SH), 'OK');
});
