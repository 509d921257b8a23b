/** What Bitcoin Core's testmempoolaccept says to each case of policy-cases/cases.json, here by the real mempool. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Chain } from '#chain';
import { createMempool, type Mempool, type MempoolOptions } from '#mempool';
import { Block, parseTxid, Transaction } from '#primitives';
import { fromHex, nullLogger } from '#util';
import { createInlineVerifier, type ScriptVerifier } from '#verify';
import { regtest } from '../support/chain-builder.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { openTestChain } from '../support/test-chain.ts';
import { codeOf } from '../unit/mempool/harness.ts';
import file from './policy-cases/cases.json' with { type: 'json' };
import { type PolicyCase, type PolicyCases, unpackHex } from './policy-cases/format.ts';
import { makeCases } from './policy-cases/make.ts';

const { blocks, time, cases }: PolicyCases = file;

const FLAGS: Readonly<Record<string, Partial<MempoolOptions>>> = {
  '-acceptnonstdtxn=1': { requireStandard: false },
  '-datacarrier=0': { dataCarrierBytes: 0 },
  '-datacarriersize=84': { dataCarrierBytes: 84 },
  '-limitancestorcount=2': {
    chainLimits: { ancestors: 2, ancestorVsize: 101_000, descendants: 25, descendantVsize: 101_000 },
  },
  '-mempoolfullrbf=0': { fullRbf: false },
  '-permitbaremultisig=0': { permitBareMultisig: false },
};

const txOf = (hex: string): Transaction => Transaction.fromBytes(fromHex(unpackHex(hex)));

describe('policy cases', () => {
  let chain: Chain;
  let verifier: ScriptVerifier;

  before(async () => {
    chain = await openTestChain(regtest(), undefined, { nowSeconds: time });
    verifier = await createInlineVerifier();
    for (const hex of blocks) assert.equal((await chain.submitBlock(Block.fromBytes(fromHex(hex)))).kind, 'connected');
  });
  after(async () => {
    await chain[Symbol.asyncDispose]();
    await verifier[Symbol.asyncDispose]();
  });

  async function answerTo({ flags = [], deltas = {}, before: setup = [], tx }: PolicyCase): Promise<string> {
    const options = Object.assign({}, ...flags.map((flag) => FLAGS[flag] ?? assert.fail(flag)));
    const clock = createManualClock(time * 1000);
    await using mempool: Mempool = createMempool({ chain, verifier, clock, log: nullLogger }, options);
    for (const [txid, delta] of Object.entries(deltas)) mempool.prioritise(parseTxid(txid), BigInt(delta));
    for (const hex of setup) assert.equal(codeOf(await mempool.submit(txOf(hex), 'local')), 'accepted', 'the setup');
    return codeOf(await mempool.submit(txOf(tx), 'local'));
  }

  for (const one of cases) {
    it(`${one.group}: ${one.name}: ${one.expected}`, async () => {
      assert.equal(await answerTo(one), one.expected === 'allowed' ? 'accepted' : one.expected);
    });
  }

  it('are what make.ts writes, each of a name of its own', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(makeCases())), file);
    assert.equal(new Set(cases.map(({ group, name }) => `${group}: ${name}`)).size, cases.length);
    assert.ok(cases.length >= 150, `${cases.length}`);
  });
});
