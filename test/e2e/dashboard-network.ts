/** A network of real nodes in this process, of which one shows its dashboard: for tests that look at it with a browser. */
import { type DashboardServer, type LogLine, startDashboard } from '#dashboard';
import type { StarlingNode } from '#node';
import { nullLogger, systemClock } from '#util';
import { buildDashboard } from '../../scripts/build-dashboard.ts';
import { type ChainBuilder, createChainBuilder, regtest } from '../support/chain-builder.ts';
import { type RpcNode, startRpcNode } from '../support/rpc-node.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { addressesOf, createTestNodes, gossipFlows, tipOf } from '../support/test-nodes.ts';
import { buildTx, pay } from '../support/tx-builder.ts';

const PEERS = 3;
const BLOCKS = 110;
const TRANSACTIONS = 8;

export type DashboardNetwork = AsyncDisposable & {
  /** The node that shows itself, and its RPC. */
  readonly shown: RpcNode;
  readonly peers: readonly StarlingNode[];
  readonly builder: ChainBuilder;
  readonly url: string;
  /** Ends the dashboard as if the node died, and starts it again at the same address. */
  readonly restartDashboard: () => Promise<{ readonly again: () => Promise<void> }>;
};

const LINES: readonly LogLine[] = (['debug', 'info', 'warn', 'error'] as const).map((level, number) => ({
  ...{ number, level, atMs: 1_700_000_000_000 + number, module: 'net', text: `a line at level ${level}` },
}));

/** Some blocks, some transactions that wait, and news of blocks that travels between all. */
export async function startDashboardNetwork(): Promise<DashboardNetwork> {
  await using stack = new AsyncDisposableStack();
  const page = stack.use(await makeTempDir());
  buildDashboard(page.path);
  const shown = stack.use(await startRpcNode({ listen: ['/ip4/127.0.0.1/tcp/0'] }));
  const builder = createChainBuilder(regtest());
  builder.mineMany(BLOCKS);
  for (const { raw } of builder.blocks) await shown.node.submitBlock(raw);
  const nodes = stack.use(await createTestNodes(regtest()));
  const connect = await addressesOf(shown.node);
  const peers = await Promise.all(Array.from({ length: PEERS }, (_, at) => nodes.start(`peer-${at}`, { connect })));

  let dashboard: DashboardServer | undefined;
  const start = async (port: number): Promise<string> => {
    const options = { endpoint: { host: '127.0.0.1', port }, allowHosts: [], pageDirectory: page.path };
    const logs = { recent: () => LINES, listen: () => () => {} };
    dashboard = await startDashboard(shown.node, options, { clock: systemClock, log: nullLogger, logs });
    return dashboard.url;
  };
  const stop = async (): Promise<void> => dashboard?.[Symbol.asyncDispose]();
  stack.defer(stop);
  const url = await start(0);
  for (const peer of peers) {
    await tipOf(peer, ({ hash }) => hash === builder.tip.hash);
    await gossipFlows(peer, [shown.node], builder);
  }
  for (let height = 1; height <= TRANSACTIONS; height++) {
    const tx = buildTx([builder.coin(height)], [pay(50_0000_0000n - BigInt(500 * height * height))]);
    await shown.node.submitTransaction(tx.raw);
  }
  const resources = stack.move();
  return {
    ...{ shown, peers, builder, url },
    restartDashboard: async () => {
      await stop();
      return { again: async () => void (await start(Number(new URL(url).port))) };
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
