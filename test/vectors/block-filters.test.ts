/**
 * Bitcoin Core's blockfilters.json (BIP158): what a node without filters can check of it. Each block of testnet3 is
 * decoded and valid by itself and at its height, and each filter's header follows from the filter and the header
 * before it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, contextualCheckBlock } from '#consensus';
import { hash256 } from '#crypto';
import { Block } from '#primitives';
import { concatBytes, fromHex, fromReversedHex, toReversedHex } from '#util';
import { caseRows, coreVectors, list, reportCount, text } from '../support/core-vectors.ts';
import { paramsOf, tipOf, viewChain } from '../unit/consensus/fixtures.ts';

const MEDIAN_TIME_SPAN = 11;
const testnet = paramsOf('testnet3');
const rows = coreVectors('blockfilters.json');
/** The first row names the columns. */
const cases = caseRows(rows ?? []);

/** The rules that depend on the place, with made-up headers before the block: their times do not matter here. */
function checkAtHeight(block: Block, height: number): void {
  const fields = { time: block.header.time - 1 };
  const before = viewChain(Array<typeof fields>(MEDIAN_TIME_SPAN).fill(fields), height - MEDIAN_TIME_SPAN);
  assert.equal(contextualCheckBlock(block, tipOf(before), testnet), undefined);
}

test('blockfilters.json: blocks', { skip: rows === undefined && 'no vectors' }, (t) => {
  let count = 0;
  for (const [height, hash, raw, prevScripts] of cases) {
    const block = Block.fromBytes(fromHex(text(raw)));
    assert.equal(block.hash, hash);
    assert.equal(checkBlock(block, testnet), undefined);
    if (height !== 0) checkAtHeight(block, Number(height));
    else assert.equal(block.hash, testnet.genesis.hash);
    const [, ...payments] = block.transactions;
    const inputs = payments.flatMap((tx) => tx.inputs);
    assert.equal(inputs.length, list(prevScripts).length, 'one spent script an input');
    count++;
  }
  reportCount(t, 'blockfilters.json', count, cases.length, 'blocks');
});

test('blockfilters.json: filter headers', { skip: rows === undefined && 'no vectors' }, (t) => {
  let count = 0;
  const headers = new Map<number, string>();
  for (const [height, , , , previousHeader, filter, header] of cases) {
    const before = headers.get(Number(height) - 1) ?? previousHeader;
    assert.equal(previousHeader, before, 'rows of neighbours are linked');
    const filterHash = hash256(fromHex(text(filter)));
    assert.equal(toReversedHex(hash256(concatBytes(filterHash, fromReversedHex(text(previousHeader))))), header);
    headers.set(Number(height), text(header));
    count++;
  }
  reportCount(t, 'blockfilters.json', count, cases.length, 'filter headers');
});
