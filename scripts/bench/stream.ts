/** Blocks from process to process: `net`, a bare libp2p stream, bare TCP. */
import { assert } from '#util';
import type { Benchmark, Case } from './benchmark.ts';
import { type PeerProcess, startPeer } from './peer-process.ts';
import type { Order, TransportName } from './stream-transports.ts';

type Row = { readonly name: string; readonly transport: TransportName; readonly against?: string };

const LARGE: readonly Row[] = [
  { name: 'TCP, 1 MB', transport: 'tcp' },
  { name: 'libp2p stream, 1 MB', transport: 'libp2p', against: 'TCP, 1 MB' },
  { name: 'Starling, 1 MB', transport: 'net', against: 'libp2p stream, 1 MB' },
  { name: 'Starling with net thread, 1 MB', transport: 'net-worker', against: 'libp2p stream, 1 MB' },
];

const SMALL: readonly Row[] = [
  { name: 'libp2p stream, 250 B', transport: 'libp2p' },
  { name: 'Starling, 250 B', transport: 'net', against: 'libp2p stream, 250 B' },
  { name: 'Starling with net thread, 250 B', transport: 'net-worker', against: 'libp2p stream, 250 B' },
];

type Pair = { readonly sender: PeerProcess; readonly receiver: PeerProcess };

type Received = { readonly bytes: number; readonly wallMs: number; readonly cpuMs: number };

const PEER_FILE = new URL('./stream-peer.ts', import.meta.url);

export const stream: Benchmark = {
  name: 'stream',
  what: 'blocks from one process to another over loopback, two requests at a time as in sync; CPU of both',
  run: async ({ isLong, execArgv, measure }) => {
    await using stack = new AsyncDisposableStack();
    const pairs = new Map<TransportName, Pair>();
    for (const { transport } of LARGE) {
      const sender = stack.use(startPeer(PEER_FILE, execArgv));
      const receiver = stack.use(startPeer(PEER_FILE, execArgv));
      const address = await sender.call<string>('listen', transport);
      await receiver.call('connect', { transport, address });
      pairs.set(transport, { sender, receiver });
    }
    const toCase = (row: Row, order: Order): Case => {
      const pair = pairs.get(row.transport);
      assert(pair !== undefined, 'each transport has its processes');
      return { ...row, unit: 'MB', measure: () => transfer(pair, order) };
    };
    const large: Order = { messages: isLong ? 200 : 50, messageBytes: 1_000_000 };
    const small: Order = { messages: isLong ? 10_000 : 5_000, messageBytes: 250 };
    const cases = [...LARGE.map((row) => toCase(row, large)), ...SMALL.map((row) => toCase(row, small))];
    return { results: await measure(cases, isLong ? 9 : 5) };
  },
};

async function transfer({ sender, receiver }: Pair, order: Order) {
  const before = await sender.call<number>('cpuMs');
  const received = await receiver.call<Received>('receive', order);
  const sentCpuMs = (await sender.call<number>('cpuMs')) - before;
  const amount = received.bytes / 1e6;
  assert(received.bytes === order.messages * order.messageBytes, 'every byte arrived');
  return {
    amount,
    wallMs: received.wallMs,
    cpuMs: received.cpuMs + sentCpuMs,
    extra: { 'ms CPU/MB received': received.cpuMs / amount, 'ms CPU/MB sent': sentCpuMs / amount },
  };
}
