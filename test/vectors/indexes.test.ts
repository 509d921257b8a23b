/** The indexes of real blocks, beside what Bitcoin Core 27.0 says of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTxid } from '#primitives';
import { createMemoryStore } from '#store';
import { nextTurn, nullLogger } from '#util';
import { readBlockFile } from '../../src/chain/block-scan.ts';
import { startIndexes } from '../../src/indexes/indexes.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { sharedPath } from '../support/shared.ts';
import { openTestChain } from '../support/test-chain.ts';
import { paramsOf } from '../unit/consensus/fixtures.ts';

const COIN = 1_0000_0000n;
const file = sharedPath('data/mainnet-0-4312.dat');

test('the first 4,313 blocks of mainnet', { skip: file === undefined && 'no real blocks' }, async () => {
  assert.ok(file !== undefined);
  const params = paramsOf('mainnet');
  const chain = await openTestChain(params);
  const submissions: Promise<unknown>[] = [];
  for await (const item of readBlockFile(file, params.magic)) {
    assert.ok(item.kind === 'block');
    submissions.push(chain.submitBlock(item.block));
  }
  await Promise.all(submissions);
  await using indexes = startIndexes(
    { transactions: createMemoryStore(), coinStats: createMemoryStore() },
    {
      chain,
      clock: createManualClock(),
      log: nullLogger,
      onFatal: (error) => {
        throw error;
      },
    },
  );
  while (!indexes.info().every(({ bestBlockHeight }) => bestBlockHeight === 4312)) await nextTurn();
  const stats = await indexes.coinStats(4312);
  assert.equal(stats?.blockHash, '00000000a9da635727dce622d78361b153ce3334e6a60d4377fad529abfc7863');
  assert.equal(stats.txouts, 4149);
  assert.equal(stats.totalAmount, 215_600n * COIN);
  assert.equal(stats.muhash, '8ddda2747fb03d2bf57e08a23d4cab90f9e062c28bf5822760edc5238128a7e5');
  assert.equal(stats.totalUnspendableAmount, 50n * COIN, 'genesis alone');
  // The first payment that ever was.
  const txid = parseTxid('f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16');
  assert.equal((await indexes.transaction(txid))?.blockHash, chain.activeAt(170)?.hash);
});
