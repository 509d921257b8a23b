/** What `starling top` shows, from the answers of a node. */
import type { NodeStatus } from '#node';
import type { Answer } from '../rpc-client.ts';
import { added, byProtocol, type Rates, type Sample, shortProtocol, type Traffic } from './rates.ts';

export type PeerFigures = Traffic & {
  readonly id: number;
  readonly isInbound: boolean;
  readonly address: string;
  readonly agent: string;
  readonly height: number;
  readonly pingMs: number | undefined;
  readonly score: number;
  readonly penaltyPoints: number;
  readonly rate: Traffic | undefined;
};

export type BlockFigures = {
  readonly hash: string;
  readonly height: number;
  readonly timeSeconds: number;
  readonly transactions: number;
  /** From the first word of it until it was connected. */
  readonly delayMs: number | undefined;
  readonly firstPeer: string | undefined;
};

/** Fee rates in sat/vB; the last bucket has no end. */
export type FeeBucket = {
  readonly from: number;
  readonly to: number | undefined;
  readonly count: number;
  readonly vsize: number;
};

export type ProtocolFigures = Traffic & { readonly name: string; readonly rate: Traffic | undefined };

export type Figures = Traffic & {
  readonly chain: string;
  readonly agent: string;
  readonly uptimeSeconds: number;
  /** Unix. */
  readonly nowSeconds: number;
  readonly height: number;
  readonly headers: number;
  readonly progress: number;
  readonly difficulty: number;
  /** Undefined where the node does not tell events. */
  readonly sync: NodeStatus['sync'] | undefined;
  readonly mempool: {
    readonly transactions: number;
    readonly vsize: number;
    readonly usage: number;
    readonly maxUsage: number;
    readonly minSatPerVb: number;
    readonly buckets: readonly FeeBucket[];
  };
  /** The newest first. */
  readonly blocks: readonly BlockFigures[];
  readonly rate: Traffic | undefined;
  readonly protocols: readonly ProtocolFigures[];
  readonly peers: readonly PeerFigures[];
};

/** Lower bounds in sat/vB. */
export const FEE_RATES: readonly number[] = [
  0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1000,
];

export type Answers = {
  readonly chain: Answer;
  readonly network: Answer;
  readonly mempool: Answer;
  readonly totals: Answer;
  readonly peers: readonly Answer[];
  readonly uptimeSeconds: number;
  readonly blocks: readonly BlockFigures[];
};

export function listOf(value: unknown): readonly Answer[] {
  return Array.isArray(value) ? (value as readonly Answer[]) : [];
}

const numbers = (value: unknown): readonly (readonly [string, number])[] =>
  Object.entries((value ?? {}) as Answer).map(([key, each]) => [key, Number(each)]);

function protocolsOf(peer: Answer): ReadonlyMap<string, Traffic> {
  const protocols = new Map<string, Traffic>();
  const add = (id: string, traffic: Traffic): void => {
    const name = shortProtocol(id);
    protocols.set(name, added(protocols.get(name) ?? { bytesIn: 0, bytesOut: 0 }, traffic));
  };
  for (const [id, bytesIn] of numbers(peer['bytesrecv_per_msg'])) add(id, { bytesIn, bytesOut: 0 });
  for (const [id, bytesOut] of numbers(peer['bytessent_per_msg'])) add(id, { bytesIn: 0, bytesOut });
  return protocols;
}

const trafficOf = (peer: Answer): Traffic => ({
  bytesIn: Number(peer['bytesrecv']),
  bytesOut: Number(peer['bytessent']),
});

export function sampleOf({ totals, peers }: Answers, atMs: number): Sample {
  return {
    atMs,
    bytesIn: Number(totals['totalbytesrecv']),
    bytesOut: Number(totals['totalbytessent']),
    peers: new Map(
      peers.map((peer) => [Number(peer['id']), { ...trafficOf(peer), protocols: protocolsOf(peer) }] as const),
    ),
  };
}

export function figuresOf(
  answers: Answers,
  sample: Sample,
  rates: Rates | undefined,
  sync: Figures['sync'],
  nowSeconds: number,
): Figures {
  const { chain, network, mempool } = answers;
  const sums = [...byProtocol(sample.peers.values())];
  return {
    chain: String(chain['chain']),
    // It begins with the version of Core whose calls there are.
    agent: String(network['subversion']).replace(/^\/Satoshi:[^/]*(?=\/.)/, ''),
    uptimeSeconds: answers.uptimeSeconds,
    nowSeconds,
    height: Number(chain['blocks']),
    headers: Number(chain['headers']),
    progress: Number(chain['verificationprogress']),
    difficulty: Number(chain['difficulty']),
    sync,
    mempool: {
      transactions: Number(mempool['size']),
      vsize: Number(mempool['bytes']),
      usage: Number(mempool['usage']),
      maxUsage: Number(mempool['maxmempool']),
      // BTC/kvB.
      minSatPerVb: Number(mempool['mempoolminfee']) * 1e5,
      buckets: bucketsOf(listOf(mempool['fee_histogram'])),
    },
    blocks: answers.blocks,
    bytesIn: sample.bytesIn,
    bytesOut: sample.bytesOut,
    rate: rates,
    protocols: sums.map(([name, traffic]) => ({ name, ...traffic, rate: rates?.protocols.get(name) })),
    peers: answers.peers.map((peer) => peerFigures(peer, rates)),
  };
}

function bucketsOf(histogram: readonly Answer[]): readonly FeeBucket[] {
  return histogram.map(({ from, count, vsize }, at) => {
    const next = histogram[at + 1];
    const to = next === undefined ? undefined : Number(next['from']);
    return { from: Number(from), to, count: Number(count), vsize: Number(vsize) };
  });
}

function peerFigures(peer: Answer, rates: Rates | undefined): PeerFigures {
  const id = Number(peer['id']);
  return {
    id,
    ...trafficOf(peer),
    isInbound: peer['inbound'] === true,
    address: String(peer['addr']),
    agent: String(peer['subver']),
    height: Number(peer['synced_headers']),
    pingMs: typeof peer['pingtime'] === 'number' ? peer['pingtime'] * 1000 : undefined,
    score: Number(peer['gossipscore']),
    penaltyPoints: Number(peer['penaltypoints']),
    rate: rates?.peers.get(id),
  };
}
