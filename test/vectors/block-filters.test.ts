/**
 * Bitcoin Core's blockfilters.json (BIP158). Each block of testnet3 is decoded and valid by itself and at its height;
 * its filter is built, and the filter's header follows from it and the header before.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkBlock, contextualCheckBlock } from '#consensus';
import { Block } from '#primitives';
import { fromHex, fromReversedHex, toHex, toReversedHex } from '#util';
import { encodeFilter, filterElements, filterHeader, matchesFilter } from '../../src/indexes/basic-filter.ts';
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

/** Each of the block's scripts is found alone, all of them together, and none of others. */
function assertMatches(filter: Uint8Array, block: Block, spent: Parameters<typeof filterElements>[1]): void {
  const { hashBytes } = block.header;
  const scripts = [...filterElements(block, spent).values()];
  for (const script of scripts) assert.equal(matchesFilter(filter, hashBytes, [script]), true);
  const others = Array.from({ length: 50 }, (_, at) => Uint8Array.of(0x6a, 1, at));
  assert.equal(matchesFilter(filter, hashBytes, others), false);
  assert.equal(matchesFilter(filter, hashBytes, []), false);
  assert.equal(matchesFilter(filter, hashBytes, [...others, ...scripts]), scripts.length > 0);
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

test('blockfilters.json: filters and their headers', { skip: rows === undefined && 'no vectors' }, (t) => {
  let count = 0;
  const headers = new Map<number, string>();
  for (const [height, , raw, prevScripts, previousHeader, filterHex, header] of cases) {
    const before = headers.get(Number(height) - 1) ?? previousHeader;
    assert.equal(previousHeader, before, 'rows of neighbours are linked');
    const block = Block.fromBytes(fromHex(text(raw)));
    const spent = list(prevScripts).map((script) => ({ output: { value: 0n, scriptPubKey: fromHex(text(script)) } }));
    const filter = encodeFilter(filterElements(block, [spent]), block.header.hashBytes);
    assert.equal(toHex(filter), filterHex, `filter of block ${height}`);
    assertMatches(filter, block, [spent]);
    assert.equal(toReversedHex(filterHeader(filter, fromReversedHex(text(previousHeader)))), header);
    headers.set(Number(height), text(header));
    count++;
  }
  reportCount(t, 'blockfilters.json', count, cases.length, 'filters');
});
