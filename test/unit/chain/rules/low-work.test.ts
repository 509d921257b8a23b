/** What peers send is stored only if its chain has the work: the threshold, and the check before the tree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { antiDosWorkThreshold, type Chain } from '#chain';
import { blockProof } from '#consensus';
import { BlockHeader } from '#primitives';
import { createChainBuilder, regtest } from '../../../support/chain-builder.ts';
import { CheapHeaders } from '../../../support/cheap-headers.ts';
import { openTestChain } from '../../../support/test-chain.ts';

const params = regtest();
const { genesis } = params;
/** Of a regtest block. */
const PROOF = blockProof(genesis.header.bits);
const LOW_WORK = 'too-little-chainwork';
const cheap = new CheapHeaders(genesis).after([], 20);

function refusal(chain: Chain, headers: readonly BlockHeader[], minimumWork: bigint): string | undefined {
  const verdict = chain.submitHeaders(headers, { minimumWork });
  return verdict.kind === 'rejected' ? `${verdict.index} ${verdict.failure.kind}: ${verdict.failure.code}` : undefined;
}

const isStored = (chain: Chain, headers: readonly BlockHeader[]): boolean =>
  headers.some(({ hash }) => chain.getHeader(hash) !== undefined);

test('the threshold is 144 blocks of work below the tip, and no less than the network’s minimum', () => {
  const entry = { header: genesis.header };
  const at = (chainWork: bigint, minimumChainWork: bigint): bigint =>
    antiDosWorkThreshold({
      params: { ...params, minimumChainWork },
      tip: () => ({ ...entry, chainWork, hash: genesis.hash, height: 0, medianTimePast: 0 }),
    });
  assert.equal(at(1000n * PROOF, 0n), 856n * PROOF);
  assert.equal(at(1000n * PROOF, 856n * PROOF + 1n), 856n * PROOF + 1n);
  assert.equal(at(100n * PROOF, 0n), 0n, 'a young chain has no threshold');
});

test('a chain of headers is stored at the threshold, and one below it as a whole not', async () => {
  await using chain = await openTestChain(params);
  const work = PROOF * 21n;
  assert.equal(refusal(chain, cheap, work + 1n), `0 header-low-work: ${LOW_WORK}`);
  assert.equal(isStored(chain, cheap), false);
  assert.equal(refusal(chain, cheap, work), undefined);
  assert.equal(chain.bestHeader().hash, cheap.at(-1)?.hash);
});

test('who is trusted need show no work', async () => {
  await using chain = await openTestChain({ ...params, minimumChainWork: 2n ** 80n });
  assert.equal(chain.submitHeaders(cheap).kind, 'accepted');
  const block = createChainBuilder(params).mine();
  assert.notEqual((await chain.submitBlock(block)).kind, 'invalid');
});

test('what is known already is no matter, and what builds on enough work neither', async () => {
  await using chain = await openTestChain(params);
  chain.submitHeaders(cheap.slice(0, 10));
  assert.equal(refusal(chain, cheap.slice(0, 10), 2n ** 80n), undefined);
  assert.equal(refusal(chain, cheap.slice(5, 11), 2n ** 80n), `0 header-low-work: ${LOW_WORK}`);
  assert.equal(refusal(chain, cheap.slice(10, 11), PROOF * 11n), undefined);
});

test('claimed work without proof does not carry cheap headers into the tree', async () => {
  await using chain = await openTestChain(params);
  const raw = cheap.at(-1)?.raw.slice() ?? new Uint8Array(80);
  new DataView(raw.buffer).setUint32(72, 0x1a00ffff, true);
  const boast = new BlockHeader(raw);
  assert.equal(refusal(chain, [...cheap.slice(0, -1), boast], 2n ** 70n), '19 invalid-header: high-hash');
  assert.equal(isStored(chain, cheap), false);
});

test('headers of several chains in one batch do not borrow each other’s work', async () => {
  await using chain = await openTestChain(params);
  const main = createChainBuilder(params);
  chain.submitHeaders(main.mineMany(50).map(({ header }) => header));
  const [first] = cheap;
  assert.ok(first);
  // Behind a header with the work comes one that stands on genesis, and in front of a known one too.
  const next = main.mine().header;
  for (const batch of [
    [next, first],
    [first, main.at(50).block.header],
  ]) {
    assert.equal(refusal(chain, batch, PROOF * 40n), '1 missing-prev: prev-blk-not-found');
  }
  assert.equal(isStored(chain, [first, next]), false);
});
