/** What the names in the table mean: a regtest node with blocks, a stale one, transactions, a peer and all indexes. */
import assert from 'node:assert/strict';
import type { Transaction } from '#primitives';
import type { JsonValue } from '#rpc';
import { toHex, toReversedHex } from '#util';
import { witnessPayment } from '../../support/rpc-calls.ts';
import { COINBASE_SCRIPT, feedRpcChain, type RpcChain, WITNESS_SCRIPT } from '../../support/rpc-chain.ts';
import { type RpcNode, startRpcNode } from '../../support/rpc-node.ts';
import { addressesOf, createTestNodes, statusWhen } from '../../support/test-nodes.ts';
import { buildTx, outputOf, rawTx, type TestCoin } from '../../support/tx-builder.ts';

export type World = AsyncDisposable & {
  readonly rpc: RpcNode;
  /** The parameters with values in place of names. Each call gets transactions of its own. */
  readonly fill: (params: JsonValue) => JsonValue;
};

type Names = ReadonlyMap<string, () => string>;

const NOBODY_KNOWS = 'ab'.repeat(32);
/** Coinbases of these heights are spendable, and nobody spends them. */
const [FIRST_FREE, LAST_FREE] = [25, 40];
/** Less than an output of the script is worth to be spent (Core's GetDustThreshold: 330), and than a satoshi a byte. */
const [DUST, CHEAP_FEE, PARENT_FEE] = [100n, 1n, 500n];

export async function createWorld(): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const rpc = stack.use(
    await startRpcNode({
      indexes: { txIndex: true, blockFilterIndex: true, coinStatsIndex: true },
      listen: ['/ip4/127.0.0.1/tcp/0'],
    }),
  );
  const { node } = rpc;
  const chain = await feedRpcChain(node, Math.floor(Date.now() / 1000));
  const peers = stack.use(await createTestNodes(node.chain.params));
  await peers.start('peer', { connect: await addressesOf(node), listen: [] });
  await statusWhen(node, ({ net }) => net.peers.length > 0);
  const stale = chain.builder.fork(chain.builder.height - 1).mine({ extraNonce: 1 });
  assert.deepEqual(await node.submitBlock(stale.raw), { kind: 'accepted' });
  const child = witnessPayment(outputOf(chain.unconfirmed));
  assert.equal((await node.submitTransaction(child.raw)).kind, 'accepted');
  const names = { ...chainNames(chain), stale: stale.hash, child: child.txid };
  const fixed: Names = new Map(Object.entries(names).map(([name, text]) => [name, () => text]));
  const coins = freeCoins(chain);
  const resources = stack.move();
  return {
    rpc,
    fill: (params) => filled(params, new Map([...fixed, ...transactionNames(chain, coins)])),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function filled(value: JsonValue, names: Names): JsonValue {
  const text = JSON.stringify(value).replace(/\$([a-zA-Z]+)/g, (_all, name: string) => {
    const make = names.get(name);
    assert.ok(make !== undefined, `$${name} has a meaning`);
    return make();
  });
  return JSON.parse(text);
}

function chainNames({ builder, busyBlock, confirmed, unconfirmed, address }: RpcChain): Record<string, string> {
  const [spend] = unconfirmed.inputs;
  assert.ok(spend !== undefined);
  return {
    address,
    busy: busyBlock.hash,
    confirmed: confirmed.txid,
    confirmedRaw: toHex(confirmed.raw),
    genesisCoinbase: toReversedHex(builder.params.genesis.header.merkleRoot),
    nothing: NOBODY_KNOWS,
    spent: toReversedHex(builder.coin(1).txid),
    spentByUnconfirmed: toReversedHex(spend.prevTxid),
    unconfirmed: unconfirmed.txid,
  };
}

/** None twice. */
function* freeCoins({ builder, busyBlock }: RpcChain): Generator<TestCoin, undefined> {
  for (let height = FIRST_FREE; height <= LAST_FREE; height++) yield builder.coin(height);
  for (const tx of busyBlock.transactions.slice(1)) yield outputOf(tx, 1);
}

/** Made when they are used. */
function transactionNames(chain: RpcChain, coins: Iterator<TestCoin>): Names {
  const coin = once(() => {
    const { value } = coins.next();
    assert.ok(value !== undefined, 'a coin is left');
    return value;
  });
  const value = (): bigint => coin().output.value;
  const parent = once(() => payment(coin(), value() - PARENT_FEE));
  const makers: Readonly<Record<string, () => Transaction>> = {
    payment: () => witnessPayment(coin()),
    parent,
    parentsChild: () => witnessPayment(outputOf(parent())),
    dust: () => payment(coin(), DUST),
    tooCheap: () => payment(coin(), value() - CHEAP_FEE),
    orphan: () => witnessPayment({ ...coin(), txid: new Uint8Array(32).fill(7) }),
    replacement: () => rival(chain),
  };
  return new Map(Object.entries(makers).map(([name, make]) => [name, () => toHex(make().raw)]));
}

function payment(coin: TestCoin, value: bigint): Transaction {
  return rawTx([{ coin, witness: [WITNESS_SCRIPT] }], [{ value, scriptPubKey: COINBASE_SCRIPT }]);
}

/** Spends what `unconfirmed` spends, for the same fee. */
function rival({ builder, unconfirmed }: RpcChain): Transaction {
  const coin = builder.coin(21);
  const [output] = unconfirmed.outputs;
  assert.ok(output !== undefined);
  return buildTx([coin], [output], { lockTime: 93, sequence: 0xfffffffd });
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
