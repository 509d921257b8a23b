/** CheckBlock and ContextualCheckBlock: each reason in the order of Core's checks, and both sides of each border. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, contextualCheckBlock, type NetworkParams, type ValidationFailure } from '#consensus';
import { Block, type Transaction } from '#primitives';
import { Op, pushNumber } from '#script';
import { concatBytes } from '#util';
import {
  coinbase,
  commitmentOutput,
  input,
  mineBlock,
  output,
  paramsOf,
  tipOf,
  transaction,
  viewChain,
} from './fixtures.ts';

const regtest = paramsOf('regtest');
const reward = coinbase(Uint8Array.of(1, 2));

/** The reason for which a block can never be valid. */
function consensusCode(found: ValidationFailure | undefined): string | undefined {
  assert(found === undefined || found.kind === 'consensus', found?.kind);
  return found?.code;
}

const codeOf = (block: Block): string | undefined => consensusCode(checkBlock(block, regtest));

test('a good block', () => {
  assert.equal(codeOf(mineBlock([reward, transaction()])), undefined);
});

test('proof of work comes first', () => {
  const found = checkBlock(mineBlock([], { merkleRoot: new Uint8Array(32).fill(1) }), paramsOf('mainnet'));
  assert.equal(found?.code, 'high-hash');
  assert.equal(found?.kind, 'invalid-header', 'whatever the body is');
});

test('the merkle root is checked before anything that it covers, and blames these bytes only', () => {
  assert.deepEqual(checkBlock(mineBlock([], { merkleRoot: new Uint8Array(32).fill(1) }), regtest), {
    kind: 'mutated',
    code: 'bad-txnmrklroot',
    debug: 'hashMerkleRoot mismatch',
  });
});

test('a repeated tail of transactions (CVE-2012-2459)', () => {
  const txs = [reward, transaction(), transaction({ lockTime: 1 })];
  const honest = mineBlock(txs);
  const forged = Block.fromParts(honest.header, [...txs, transaction({ lockTime: 1 })]);
  assert.equal(codeOf(honest), undefined);
  assert.deepEqual(checkBlock(forged, regtest), {
    kind: 'mutated',
    code: 'bad-txns-duplicate',
    debug: 'duplicate transaction',
  });
});

test('no transactions, or too many bytes without witness', () => {
  assert.equal(codeOf(mineBlock([])), 'bad-blk-length');
  const sized = (bytes: number) => mineBlock([reward, transaction({ outputs: [output(0, new Uint8Array(bytes))] })]);
  const overhead = sized(900_000).strippedSize - 900_000;
  assert.equal(sized(1_000_000 - overhead).strippedSize, 1_000_000);
  assert.equal(codeOf(sized(1_000_000 - overhead)), undefined);
  assert.equal(codeOf(sized(1_000_001 - overhead)), 'bad-blk-length');
});

test('the coinbase is first and alone', () => {
  assert.equal(codeOf(mineBlock([transaction(), reward])), 'bad-cb-missing');
  assert.equal(codeOf(mineBlock([reward, transaction(), coinbase(Uint8Array.of(3, 4))])), 'bad-cb-multiple');
});

test('a body that may be forged is not held against its header', () => {
  // Without a coinbase, a transaction of 64 bytes may be two hashes of the tree above.
  const sized = (bytes: number) => transaction({ outputs: [output(0n, new Uint8Array(bytes - 60))] });
  assert.equal(sized(64).strippedSize, 64);
  const found = (txs: readonly Transaction[]) => checkBlock(mineBlock(txs), regtest);
  assert.deepEqual(found([sized(64), transaction()]), {
    kind: 'mutated',
    code: 'bad-cb-missing',
    debug: 'first tx is not coinbase',
  });
  assert.equal(found([sized(65), transaction()])?.kind, 'consensus');
  assert.equal(found([reward, sized(64), reward])?.kind, 'consensus');
});

test('a bad transaction gives its own reason', () => {
  const bad = transaction({ outputs: [output(-1n)] });
  assert.deepEqual(checkBlock(mineBlock([reward, bad]), regtest), {
    kind: 'consensus',
    code: 'bad-txns-vout-negative',
    debug: `Transaction check failed (tx hash ${bad.txid}) `,
  });
  assert.equal(codeOf(mineBlock([coinbase(Uint8Array.of(1))])), 'bad-cb-length');
});

test('at most 20,000 legacy signature operations, coinbase included', () => {
  const withOps = (coinbaseOps: number, outputOps: number, inputOps: number) =>
    codeOf(
      mineBlock([
        coinbase(new Uint8Array(coinbaseOps + 2).fill(Op.OP_CHECKSIG, 2)),
        transaction({
          inputs: [input(0, { scriptSig: new Uint8Array(inputOps).fill(Op.OP_CHECKSIGVERIFY) })],
          outputs: [output(0, new Uint8Array(outputOps).fill(Op.OP_CHECKMULTISIG))],
        }),
      ]),
    );
  assert.equal(withOps(10, 999, 10), undefined);
  assert.equal(withOps(10, 999, 11), 'bad-blk-sigops');
  assert.equal(withOps(20, 998, 20), undefined);
});

const START = 1_600_000_000;
/** The block stands at height 101; the median time of its parent is START + 95 * 600. */
const views = viewChain(Array.from({ length: 101 }, (_, i) => ({ time: START + i * 600 })));
const MEDIAN = START + 95 * 600;

function inPlace(txs: readonly Transaction[], activation: Partial<NetworkParams['activation']> = {}, time = START) {
  const params: NetworkParams = { ...regtest, activation: { ...regtest.activation, ...activation } };
  return consensusCode(contextualCheckBlock(mineBlock(txs, { time }), tipOf(views), params));
}

const goodCoinbase = coinbase(concatBytes(pushNumber(101), Uint8Array.of(0)));
const lockedTo = (lockTime: number) => transaction({ lockTime, inputs: [input(0, { sequence: 0 })] });

test('finality by height, coinbase included', () => {
  assert.equal(inPlace([goodCoinbase, lockedTo(100)]), undefined);
  assert.equal(inPlace([goodCoinbase, lockedTo(101)]), 'bad-txns-nonfinal');
});

test('finality by time: the median of the parent from CSV on, the block’s own time before', () => {
  assert.equal(inPlace([goodCoinbase, lockedTo(MEDIAN - 1)], { csv: 101 }, MEDIAN + 1000), undefined);
  assert.equal(inPlace([goodCoinbase, lockedTo(MEDIAN)], { csv: 101 }, MEDIAN + 1000), 'bad-txns-nonfinal');
  assert.equal(inPlace([goodCoinbase, lockedTo(MEDIAN + 999)], { csv: 102 }, MEDIAN + 1000), undefined);
  assert.equal(inPlace([goodCoinbase, lockedTo(MEDIAN + 1000)], { csv: 102 }, MEDIAN + 1000), 'bad-txns-nonfinal');
});

test('BIP34: the coinbase starts with the height in its shortest form', () => {
  const withScript = (...bytes: number[]) => inPlace([coinbase(Uint8Array.from(bytes))], { bip34: 101 });
  assert.equal(withScript(1, 101), undefined);
  assert.equal(withScript(1, 101, 9, 9), undefined);
  assert.equal(withScript(1, 102), 'bad-cb-height');
  assert.equal(withScript(2, 101, 0), 'bad-cb-height');
  assert.equal(withScript(1), 'bad-cb-height');
  assert.equal(inPlace([coinbase(Uint8Array.of(9, 9))], { bip34: 102 }), undefined);
});

test('BIP34 at heights of one opcode, and where the sign needs a byte of its own', () => {
  const at = (height: number, script: readonly number[]) => {
    const parent = tipOf(viewChain([{ time: START }], height - 1));
    const params = { ...regtest, activation: { ...regtest.activation, csv: 0x7fffffff } };
    return contextualCheckBlock(mineBlock([coinbase(Uint8Array.from(script))]), parent, params)?.code;
  };
  assert.equal(at(1, [0x51, 0]), undefined);
  assert.equal(at(1, [1, 1]), 'bad-cb-height');
  assert.equal(at(16, [0x60, 0]), undefined);
  assert.equal(at(17, [1, 17]), undefined);
  assert.equal(at(127, [1, 0x7f]), undefined);
  assert.equal(at(128, [2, 0x80, 0]), undefined);
  assert.equal(at(256, [2, 0, 1]), undefined);
  assert.equal(at(227_931, [3, 0x5b, 0x7a, 0x03]), undefined);
  assert.equal(at(0x800000, [4, 0, 0, 0x80, 0]), undefined);
});

test('weight: witness counts once, all else four times', () => {
  const reserved = new Uint8Array(32);
  const build = (witnessBytes: number) => {
    const heavy = transaction({ inputs: [input(0, { witness: [new Uint8Array(witnessBytes)] })] });
    const outputs = [output(50n), commitmentOutput([heavy], reserved)];
    return mineBlock([coinbase(concatBytes(pushNumber(101), Uint8Array.of(0)), outputs, [reserved]), heavy]);
  };
  const overhead = build(3_000_000).weight - 3_000_000;
  const exact = build(4_000_000 - overhead);
  assert.equal(exact.weight, 4_000_000);
  assert.equal(contextualCheckBlock(exact, tipOf(views), regtest), undefined);
  const tooHeavy = contextualCheckBlock(build(4_000_001 - overhead), tipOf(views), regtest);
  assert.equal(consensusCode(tooHeavy), 'bad-blk-weight');
});
