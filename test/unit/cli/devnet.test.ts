import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMempool } from '#mempool';
import { nullLogger, seededRandom } from '#util';
import { createInlineVerifier } from '#verify';
import type { MemberState } from '../../../src/cli/devnet/member.ts';
import { devnetLines } from '../../../src/cli/devnet/view.ts';
import { DevnetWallet } from '../../../src/cli/devnet/wallet.ts';
import { p2pkhScript } from '../../../src/mempool/payer.ts';
import { createChainBuilder, regtest } from '../../support/chain-builder.ts';
import { testKey } from '../../support/keys.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { openTestChain } from '../../support/test-chain.ts';

const PAYEE = p2pkhScript(testKey(9).publicKey);

test('the wallet spends coins once they are mature, in transactions that the mempool takes', async () => {
  await using chain = await openTestChain(regtest());
  const verifier = await createInlineVerifier();
  const clock = createManualClock(2_000_000_000_000);
  await using mempool = createMempool({ chain, verifier, clock, log: nullLogger });
  chain.observe({ changed: (change) => mempool.chainChanged(change) });
  const wallet = new DevnetWallet(testKey(1), seededRandom(1));
  const builder = createChainBuilder(regtest());
  for (let i = 0; i < 99; i++) builder.mine({ coinbaseScript: wallet.script });
  for (const block of builder.blocks) await chain.submitBlock(block);
  await wallet.scan(chain);
  assert.equal(wallet.coinCount, 99);
  assert.equal(wallet.pay([PAYEE], chain.tip().height), undefined, 'no coinbase is a hundred blocks deep');

  await chain.submitBlock(builder.mine({ coinbaseScript: PAYEE }));
  await wallet.scan(chain);
  const tx = wallet.pay([PAYEE], chain.tip().height);
  assert.ok(tx);
  assert.equal((await mempool.submit(tx, 'local')).kind, 'accepted');
  assert.equal(wallet.pay([PAYEE], chain.tip().height), undefined, 'the second coin is one block younger');

  await chain.submitBlock(builder.mine({ coinbaseScript: PAYEE, transactions: [tx] }));
  await wallet.scan(chain);
  assert.equal(wallet.coinCount, 98 + tx.outputs.length - 1, 'its change came back to it');
});

test('after a reorganisation the wallet knows the coins of the new branch', async () => {
  await using chain = await openTestChain(regtest());
  const wallet = new DevnetWallet(testKey(1), seededRandom(1));
  const builder = createChainBuilder(regtest());
  builder.mine({ coinbaseScript: PAYEE });
  const fork = builder.fork(1);
  for (let i = 0; i < 2; i++) builder.mine({ coinbaseScript: wallet.script });
  for (const block of builder.blocks) await chain.submitBlock(block);
  await wallet.scan(chain);
  assert.equal(wallet.coinCount, 2);
  for (let i = 0; i < 3; i++) fork.mine({ coinbaseScript: i === 0 ? wallet.script : PAYEE });
  for (const block of fork.blocks) await chain.submitBlock(block);
  await wallet.scan(chain);
  assert.equal(wallet.coinCount, 1);
});

test('the table shows who starts, runs and has ended, and how many agree', () => {
  const report = {
    kind: 'report',
    height: 112,
    tip: `${'0'.repeat(56)}b2e4579a`,
    phase: 'at-tip',
    peers: 3,
    mempool: 7,
    bytesIn: 252_000,
    bytesOut: 999,
    lastBlockDelayMs: 75,
  } as const;
  const state = (name: string, more: Partial<MemberState>): MemberState => {
    return { name, role: 'node', peerId: undefined, report: undefined, ended: undefined, ...more };
  };
  const lines = devnetLines(
    [
      state('seed', { peerId: '12D3KooWabcdefgh', report }),
      state('miner', { report: { ...report, tip: 'f'.repeat(64), height: 111, lastBlockDelayMs: undefined } }),
      state('node-1', {}),
      state('node-2', { report, ended: 'SIGKILL' }),
    ],
    12.9,
  );
  assert.equal(lines.length, 6);
  assert.match(lines[1] ?? '', /^seed +…abcdefgh +112 +…b2e4579a +3 +7 +252 kB +999 B +75 ms +at-tip$/);
  assert.match(lines[2] ?? '', / - +at-tip$/);
  assert.match(lines[3] ?? '', /^node-1 +starting$/);
  assert.match(lines[4] ?? '', /^node-2 +ended: SIGKILL$/);
  assert.equal(lines[5], '12 s: 1 of 4 nodes at block 112');
});
