/** BIP325: signet's real block 1, and the forms of a solution that Core's signet_parse_tests name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, type NetworkParams } from '#consensus';
import { sha256 } from '#crypto';
import { Block, Transaction } from '#primitives';
import { Op, pushData, sighash, signatureHash } from '#script';
import { concatBytes, fromHex, toHex } from '#util';
import { checkSignetSolution, signetMagic } from '../../../src/consensus/signet.ts';
import { testKey } from '../../support/keys.ts';
import { coinbase, input, mineBlock, output, paramsOf, transaction } from './fixtures.ts';

const signet = paramsOf('signet');

/** Height 1 of the default signet. */
const BLOCK_1 =
  '00000020f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000f575c83235984e7dc4afc1f30944c170462e8443' +
  '7ab6f2d52e16878a79e4678bd1914d5fae77031eccf407000101000000000101000000000000000000000000000000000000000000000000' +
  '0000000000000000ffffffff025151feffffff0200f2052a010000001600149243f727dd5343293eb83174324019ec16c2630f0000000000' +
  '000000776a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd836974e8cf94c4fecc7daa24900473044022' +
  '05e423a8754336ca99dbe16509b877ef1bf98d008836c725005b3c787c41ebe46022047246e4467ad7cc7f1ad98662afcaf14c115e0095a' +
  '227c7b05c5182591c23e7e010001200000000000000000000000000000000000000000000000000000000000000000' +
  '00000000';

test('the first real block of signet', () => {
  const block = Block.fromBytes(fromHex(BLOCK_1));
  assert.equal(checkBlock(block, signet), undefined);
  assert.equal(block.hash, '00000086d6b2636cb2a392d45edc4ec544a10024d30141c9adf4bfd9de533b53');
  assert.equal(block.header.prevHash, signet.genesis.hash);
});

test('its signature does not hold for another time or another coinbase', () => {
  const late = fromHex(BLOCK_1);
  late[68] = (late[68] ?? 0) ^ 1;
  assert.deepEqual(checkSignetSolution(Block.fromBytes(late), signet), {
    kind: 'consensus',
    code: 'bad-signet-blksig',
    debug: 'signet block signature validation failure',
  });
  const rich = fromHex(BLOCK_1.replace('00f2052a01', '01f2052a01'));
  assert.equal(checkSignetSolution(Block.fromBytes(rich), signet)?.code, 'bad-signet-blksig');
});

test('a wrong body is refused for its solution, but not held against its header', () => {
  const block = Block.fromBytes(fromHex(BLOCK_1));
  const forged = Block.fromParts(block.header, [coinbase(Uint8Array.of(1, 2))]);
  const found = checkBlock(forged, signet);
  assert.deepEqual([found?.code, found?.kind], ['bad-signet-blksig', 'mutated']);
});

test('genesis needs no solution', () => {
  assert.equal(checkSignetSolution(signet.genesis, signet), undefined);
  assert.equal(checkSignetSolution(mineBlock([coinbase(Uint8Array.of(1, 2))]), paramsOf('regtest')), undefined);
});

test('the magic follows from the challenge', () => {
  assert.equal(toHex(signetMagic(signet.signetChallenge ?? new Uint8Array())), '0a03cf40');
});

const trueChallenge: NetworkParams = { ...signet, signetChallenge: Uint8Array.of(Op.OP_1) };
const COMMITMENT = concatBytes(fromHex('aa21a9ed'), new Uint8Array(32));
const HEADER = fromHex('ecc7daa2');

function solved(...pushes: readonly Uint8Array[]): boolean {
  const script = concatBytes(Uint8Array.of(Op.OP_RETURN), ...pushes.map(pushData));
  const block = mineBlock([coinbase(Uint8Array.of(1, 2), [output(0n, script)])]);
  return checkSignetSolution(block, trueChallenge) === undefined;
}

test('no coinbase, no commitment', () => {
  assert.equal(checkSignetSolution(mineBlock([]), trueChallenge)?.code, 'bad-signet-blksig');
  assert.equal(solved(), false);
});

test('a challenge that needs nothing takes an absent or empty solution', () => {
  assert.equal(solved(COMMITMENT), true);
  assert.equal(solved(COMMITMENT, HEADER), true);
});

test('the solution is a script and a witness stack, and nothing else', () => {
  const solution = (hex: string) => solved(COMMITMENT, concatBytes(HEADER, fromHex(hex)));
  assert.equal(solution('0151'), false, 'ends early');
  assert.equal(solution('015100'), true);
  assert.equal(solution('01510000'), false, 'one byte too many');
  assert.equal(solution('0000'), true);
  assert.equal(solution('000101'), false, 'a witness item is cut short');
  assert.equal(solution('00010151'), false, 'the witness is not used');
});

/** A block of the transactions whose solution is `solution` in hex, or without one. */
function blockWith(solution: string | undefined, others: readonly Transaction[]): Block {
  const pushes = [COMMITMENT, solution === undefined ? HEADER : concatBytes(HEADER, fromHex(solution))];
  const script = concatBytes(Uint8Array.of(Op.OP_RETURN), ...pushes.map(pushData));
  return mineBlock([coinbase(Uint8Array.of(1, 2), [output(7n), output(0n, script)]), ...others]);
}

test('a solution signs the version, the parent, all transactions and the time', () => {
  const key = testKey(1);
  const challenge = { ...signet, signetChallenge: key.p2pk };
  const others = [transaction(), transaction({ lockTime: 5 })];
  // BIP325, by hand: the block with an empty solution makes the transaction to spend.
  const bare = blockWith(undefined, others).header;
  const signed = concatBytes(bare.raw.subarray(0, 68), bare.raw.subarray(68, 72));
  const toSpend = Transaction.fromFields({
    version: 0,
    inputs: [
      {
        prevTxid: new Uint8Array(32),
        prevIndex: 0xffffffff,
        scriptSig: concatBytes(Uint8Array.of(0, signed.length), signed),
        sequence: 0,
        witness: [],
      },
    ],
    outputs: [output(0n, key.p2pk)],
    lockTime: 0,
  });
  const toSign = Transaction.fromFields({
    version: 0,
    inputs: [input(0, { prevTxid: toSpend.txidBytes, sequence: 0 })],
    outputs: [output(0n, Uint8Array.of(Op.OP_RETURN))],
    lockTime: 0,
  });
  const signature = key.sign(signatureHash(key.p2pk, toSign, 0, sighash.SIGHASH_ALL));
  const scriptSig = pushData(concatBytes(signature, Uint8Array.of(sighash.SIGHASH_ALL)));
  const solution = `${toHex(Uint8Array.of(scriptSig.length))}${toHex(scriptSig)}00`;
  const solvedBlock = blockWith(solution, others);
  assert.equal(checkSignetSolution(solvedBlock, challenge), undefined);
  const refused = [
    blockWith(solution, others.slice(1)),
    blockWith(solution, others.toReversed()),
    blockWith(solution, [...others, transaction({ lockTime: 6 })]),
    blockWith(undefined, others),
  ];
  for (const block of refused) assert.equal(checkSignetSolution(block, challenge)?.code, 'bad-signet-blksig');
});

test('a solution may be a witness', () => {
  const program = concatBytes(Uint8Array.of(Op.OP_0), pushData(sha256(Uint8Array.of(Op.OP_1))));
  const params = { ...signet, signetChallenge: program };
  const solves = (solution: string) => checkSignetSolution(blockWith(solution, []), params) === undefined;
  assert.equal(solves('00010151'), true);
  assert.equal(solves('00010152'), false);
  assert.equal(solves('0000'), false);
});

/** The solution of a block as it stands in its commitment. */
function solution(scriptSig: Uint8Array, ...witness: readonly Uint8Array[]): Uint8Array {
  const sized = (bytes: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(bytes.length), bytes);
  return concatBytes(HEADER, sized(scriptSig), Uint8Array.of(witness.length), ...witness.map(sized));
}

function solves(challenge: Uint8Array, ...pushes: readonly Uint8Array[]): boolean {
  const script = concatBytes(Uint8Array.of(Op.OP_RETURN), pushData(COMMITMENT), ...pushes.map(pushData));
  const block = mineBlock([coinbase(Uint8Array.of(1, 2), [output(0n, script)])]);
  return checkSignetSolution(block, { ...signet, signetChallenge: challenge }) === undefined;
}

test('the solution is under the rules before taproot: strict signatures, an empty dummy, witness programs', () => {
  const noKeys = Uint8Array.of(Op.OP_0, Op.OP_0, Op.OP_CHECKMULTISIG);
  assert.equal(solves(noKeys, solution(Uint8Array.of(Op.OP_0))), true);
  assert.equal(solves(noKeys, solution(Uint8Array.of(Op.OP_1))), false, 'NULLDUMMY');
  const key = concatBytes(Uint8Array.of(2), new Uint8Array(32).fill(1));
  const unsigned = concatBytes(pushData(key), Uint8Array.of(Op.OP_CHECKSIG, Op.OP_NOT));
  assert.equal(solves(unsigned, solution(Uint8Array.of(Op.OP_0))), true);
  assert.equal(solves(unsigned, solution(pushData(Uint8Array.of(1, 1)))), false, 'DERSIG');
  const witnessScript = Uint8Array.of(Op.OP_NOT);
  const program = concatBytes(Uint8Array.of(Op.OP_0), pushData(sha256(witnessScript)));
  assert.equal(solves(program, solution(new Uint8Array(), new Uint8Array(), witnessScript)), true);
  assert.equal(solves(program, solution(new Uint8Array(), Uint8Array.of(1), witnessScript)), false);
  assert.equal(
    solves(Uint8Array.of(Op.OP_1), solution(new Uint8Array(), new Uint8Array())),
    false,
    'a needless witness',
  );
});

test('the first push with the header is the solution, whatever follows', () => {
  const challenge = Uint8Array.of(Op.OP_NOT);
  const good = solution(Uint8Array.of(Op.OP_0));
  const bad = solution(Uint8Array.of(Op.OP_1));
  assert.equal(solves(challenge, good, bad), true);
  assert.equal(solves(challenge, bad, good), false);
  assert.equal(solves(challenge, HEADER, good), true, 'a header alone is none');
});
