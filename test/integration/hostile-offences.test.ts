/** Transactions that no honest node sends: each is charged to who sent it, as the list of offences says, and to nobody else. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Transaction, type Wtxid } from '#primitives';
import { networkId, topicId, topics } from '#protocol';
import { systemRandom } from '#util';
import { buildTx, outputOf, pay, type TestCoin } from '../support/tx-builder.ts';
import { openScene, payment, type Scene, servingTxs, until } from './hostile-scene.ts';
import { startRawPeer } from './net-raw-peer.ts';

const timeout = 300_000;
/** Announcements of one peer that the tracker hears. */
const MAX_WANTED_OF_PEER = 5_000;

let scene: Scene;
before(async () => {
  scene = await openScene();
});
after(() => scene[Symbol.asyncDispose]());

const changed = (tx: Transaction, inputs: Transaction['inputs']): Transaction =>
  Transaction.fromFields({ version: tx.version, inputs, outputs: tx.outputs, lockTime: tx.lockTime });

/** What can never be valid, by what is wrong with it. */
const INVALID: Readonly<Record<string, (coin: TestCoin) => Transaction>> = {
  'pays more than it has': (coin) => buildTx([coin], [pay(coin.output.value + 1n)]),
  'is not signed by the owner': (coin) => {
    const tx = payment(coin);
    return changed(
      tx,
      tx.inputs.map((input) => ({
        ...input,
        scriptSig: payment(coin, 2_000n).inputs[0]?.scriptSig ?? input.scriptSig,
      })),
    );
  },
  'spends one coin twice': (coin) => {
    const tx = payment(coin);
    return changed(tx, [...tx.inputs, ...tx.inputs]);
  },
  'is a coinbase': () => scene.builder.build().transactions[0] ?? assert.fail(),
};

describe('transactions that are an offence', { timeout }, () => {
  for (const [what, make] of Object.entries(INVALID)) {
    it(`one that ${what}: its sender is banned at once`, async () => {
      await using attacker = await scene.attacker();
      const txs = Array.from({ length: 20 }, () => make(scene.coin()));
      for (const tx of txs) await attacker.sendTx(tx);
      await scene.assertThrownOut(attacker, 'invalid-transaction');
      assert.ok(!txs.some(({ wtxid }) => scene.passedOn.has(wtxid)));
    });
  }

  it('a large one is charged to who serves it', async () => {
    const greedy = buildTx(
      [scene.coin()],
      Array.from({ length: 200 }, () => pay(1_000n)),
    );
    await using attacker = await scene.attacker(servingTxs([greedy]));
    await attacker.sendTx(greedy, 'entry');
    await scene.assertThrownOut(attacker, 'invalid-transaction');
  });

  it('an orphan that proves invalid is charged to its sender, not to who brings the parent', async () => {
    await using attacker = await scene.attacker();
    await using bystander = await scene.attacker();
    const parent = payment(scene.coin());
    const greedy = buildTx([outputOf(parent)], [pay(parent.outputs[0]?.value ?? 0n), pay(1_000n)]);
    await attacker.sendTx(greedy);
    await scene.until(({ txRelay }) => txRelay.orphans > 0);

    await bystander.sendTx(parent);

    await scene.assertThrownOut(attacker, 'invalid-transaction');
    assert.deepEqual(scene.chargesOf(bystander.id), []);
  });

  it('many peers with one each are banned one by one, while others get through', async () => {
    for (let count = 0; count < 5; count++) {
      await using attacker = await scene.attacker();
      await attacker.sendTx(INVALID['pays more than it has']?.(scene.coin()) ?? assert.fail());
      await scene.assertThrownOut(attacker, 'invalid-transaction');
    }
    assert.ok(scene.charges.every(({ offence }) => offence === 'invalid-transaction'));
  });
});

describe('messages that are no transactions', { timeout }, () => {
  const entry = topics.tx.codec.encode({
    kind: 'entry',
    wtxid: 'ab'.repeat(32) as Wtxid,
    vsize: 1,
    fee: 1n,
  });
  const MALFORMED: Readonly<Record<string, (at: number) => Uint8Array>> = {
    'of an unknown kind': (at) => Uint8Array.of(9, at),
    'with bytes behind the end': (at) => Uint8Array.of(...entry, at),
    'cut short': (at) => entry.subarray(0, 10 + at),
    'that claim a size above any': (at) =>
      Uint8Array.of(...entry.subarray(0, 33), at, 255, 255, 255, ...entry.subarray(37)),
    'with a witness flag and no witness': (at) => Uint8Array.of(0, 2, 0, 0, at, 0, 1, 0, 0),
  };
  for (const [what, make] of Object.entries(MALFORMED)) {
    it(`${what}: twice, and it is out`, async () => {
      await using attacker = await scene.attacker();
      let sent = 0;
      await until(async () => {
        await attacker.send('tx', make(sent++));
        return scene.isThrownOut(attacker);
      });
      await scene.assertThrownOut(attacker, 'undecodable-message');
    });
  }

  it('above the bound of the topic: charged, passed on to nobody', async () => {
    await using stack = new AsyncDisposableStack();
    const network = networkId(scene.victim.chain.params.genesis.hash);
    const raw = stack.use(
      await startRawPeer({
        network,
        gossip: {
          globalSignaturePolicy: 'StrictNoSign',
          allowPublishToZeroTopicPeers: true,
          fallbackToFloodsub: false,
        },
      }),
    );
    const [address] = (await scene.victim.status()).net.listenAddresses;
    assert.ok(address);
    const judgements = (): string[] => scene.chargesOf(raw.id).map(({ judgement }) => judgement);
    const topic = topicId(network, 'tx');
    raw.pubsub.subscribe(topic);
    await raw.dial(address);
    let sent = 0;
    await until(async () => {
      const data = Buffer.alloc(100_000);
      data.writeUInt32LE(sent++);
      await raw.pubsub.publish(topic, data);
      return judgements().includes('disconnect');
    });
    await until(() => raw.host.getConnections().length === 0);
    assert.deepEqual(judgements().slice(0, 2), ['noted', 'disconnect']);
    assert.deepEqual([...new Set(scene.chargesOf(raw.id).map(({ offence }) => offence))], ['oversized-frame']);
    await scene.honestGetThrough();
  });

  it('more than anybody needs to send: charged by the quota, until the peer is thrown out', async () => {
    await using attacker = await scene.attacker();
    let most = 0;
    await until(async () => {
      for (let at = 0; at < 500; at++) await attacker.send('tx', announcement());
      most = Math.max(most, (await scene.victim.status()).txRelay.wanted);
      return scene.isThrownOut(attacker);
    });
    assert.ok(most <= MAX_WANTED_OF_PEER, `${most} transactions wanted of one peer`);
    await scene.assertThrownOut(attacker, 'quota-exceeded');
  });
});

/** That there is a transaction: each time another, of which nobody knows. */
function announcement(): Uint8Array {
  const wtxid = Buffer.from(systemRandom.bytes(32)).toString('hex') as Wtxid;
  return topics.tx.codec.encode({ kind: 'entry', wtxid, vsize: 100, fee: 1_000n });
}
