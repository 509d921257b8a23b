/** What a node answers to `starling top`, made up. */

import type { JsonValue } from '#rpc';
import type { Answer } from '../../../../src/cli/rpc-client.ts';
import { Collector } from '../../../../src/cli/top/collector.ts';
import type { Figures } from '../../../../src/cli/top/figures.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

export const TIP_TIME = 1_700_000_000;
export const hashOf = (height: number): string => height.toString(16).padStart(64, '0');

type Made = { height: number; peers: readonly Answer[]; totalIn: number; totalOut: number };

export function peerAnswer(id: number, more: Answer = {}): Answer {
  return {
    id,
    addr: `192.0.2.${id}:8433`,
    inbound: id % 2 === 1,
    bytesrecv: 1_000,
    bytessent: 500,
    subver: '/Starling:0.1.0/',
    pingtime: 0.01 * (id + 1),
    synced_headers: 870_123,
    gossipscore: id / 2,
    penaltypoints: 0,
    bytesrecv_per_msg: { '/meshsub/1.2.0': 700, '/starling/06226e46/txs/1/kept': 200, '/starling/06226e46/txs/1': 100 },
    bytessent_per_msg: { '/meshsub/1.2.0': 400, '/ipfs/ping/1.0.0': 100 },
    ...more,
  };
}

export type Scene = {
  readonly collector: Collector;
  readonly clock: ManualClock;
  /** The calls made, by method. */
  readonly calls: string[];
  /** What the node answers from now on. */
  readonly node: Made;
  readonly collect: () => Promise<Figures>;
};

export function makeScene(made: Partial<Made> = {}): Scene {
  const node: Made = {
    height: 870_123,
    peers: [0, 1, 2].map((id) => peerAnswer(id)),
    totalIn: 3_000,
    totalOut: 1_500,
    ...made,
  };
  const calls: string[] = [];
  const clock = createManualClock((TIP_TIME + 95) * 1000);
  const ask = async (method: string, params: readonly JsonValue[] = []): Promise<Answer> => {
    calls.push(method);
    return answerOf(node, method, params) as Answer;
  };
  const collector = new Collector(ask, clock);
  return { collector, clock, calls, node, collect: () => collector.collect() };
}

function answerOf({ height, peers, totalIn, totalOut }: Made, method: string, params: readonly JsonValue[]): unknown {
  switch (method) {
    case 'getblockchaininfo':
      return {
        chain: 'main',
        blocks: height,
        headers: height + 1,
        bestblockhash: hashOf(height),
        verificationprogress: 0.99,
        difficulty: 101_646_843_652_785.3,
      };
    case 'getnetworkinfo':
      return { subversion: '/Satoshi:27.0.0/Starling:0.1.0/' };
    case 'getmempoolinfo':
      return {
        size: 1234,
        bytes: 432_100,
        usage: 2_400_000,
        maxmempool: 300_000_000,
        mempoolminfee: 0.0000123,
        fee_histogram: (params[0] as readonly number[]).map((from) => ({
          from,
          count: from === 1 ? 1000 : from === 5 ? 233 : from === 20 ? 1 : 0,
          vsize: from === 1 ? 300_000 : from === 5 ? 132_000 : from === 20 ? 100 : 0,
        })),
      };
    case 'getnettotals':
      return { totalbytesrecv: totalIn, totalbytessent: totalOut };
    case 'getpeerinfo':
      return peers;
    case 'uptime':
      return 11_520;
    case 'getblockheader': {
      const at = Number.parseInt(String(params[0]), 16);
      return {
        hash: hashOf(at),
        height: at,
        time: TIP_TIME - 600 * (height - at),
        nTx: 4_000 + (height - at),
        ...(at > 0 && { previousblockhash: hashOf(at - 1) }),
      };
    }
    default:
      throw new Error(`${method} is not asked`);
  }
}
