/** Which rules hold after a block: getdeploymentinfo. */
import type { ChainReader, HeaderEntry } from '#chain';
import type { NetworkParams } from '#consensus';
import {
  ALWAYS_ACTIVE,
  countSignals,
  type Deployment,
  NEVER_ACTIVE,
  NO_TIMEOUT,
  signals,
  stateAfter,
} from '../core-io/version-bits.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { type Result, result } from '../table/result.ts';
import { blockHashParam } from './described.ts';
import { blockNamed } from './find-block.ts';

const OPTIONAL = { optional: true };

const BIP9_RESULT: Result = result.object(
  'bip9',
  'status of bip9 softforks (only for "bip9" type)',
  [
    result.number('bit', 'the bit (0-28) in the block version field used to signal this softfork', OPTIONAL),
    result.time('start_time', 'the minimum median time past of a block at which the bit gains its meaning'),
    result.time(
      'timeout',
      'the median time past of a block at which the deployment is considered failed if not yet locked in',
    ),
    result.number('min_activation_height', 'minimum height of blocks for which the rules may be enforced'),
    result.string('status', 'status of deployment at specified block: defined, started, locked_in, active, failed'),
    result.number('since', 'height of the first block to which the status applies'),
    result.string('status_next', 'status of deployment at the next block'),
    result.object(
      'statistics',
      'numeric statistics about signalling for a softfork (only for "started" and "locked_in" status)',
      [
        result.number('period', 'the length in blocks of the signalling period'),
        result.number('threshold', 'the number of blocks with the version bit set required to activate', OPTIONAL),
        result.number('elapsed', 'the number of blocks elapsed since the beginning of the current period'),
        result.number('count', 'the number of blocks with the version bit set in the current period'),
        result.boolean('possible', 'returns false if there are not enough blocks left in this period', OPTIONAL),
      ],
      OPTIONAL,
    ),
    result.string('signalling', 'indicates blocks that signalled with a # and blocks that did not with a -', OPTIONAL),
  ],
  OPTIONAL,
);

export const DEPLOYMENT_METHODS: readonly RpcMethod[] = [
  {
    name: 'getdeploymentinfo',
    category: 'blockchain',
    about: 'Returns an object containing various state info regarding deployments of consensus changes.',
    params: [
      blockHashParam('The block hash at which to query deployment state', { hint: 'hash of current chain tip' }),
    ],
    results: [
      result.object('', '', [
        result.string('hash', 'requested block hash (or tip)'),
        result.number('height', 'requested block height (or tip)'),
        result.dictionary('deployments', '', [
          result.object('xxxx', 'name of the deployment', [
            result.string('type', 'one of "buried", "bip9"'),
            result.number('height', 'height of the first block which the rules are or will be enforced', OPTIONAL),
            result.boolean('active', 'true if the rules are enforced for the mempool and the next block'),
            BIP9_RESULT,
          ]),
        ]),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: ({ args, node: { chain } }: RpcCall): JsonObject => {
      const entry = args.has('blockhash') ? blockNamed(chain, args, 'blockhash') : chain.tip();
      return { hash: entry.hash, height: entry.height, deployments: deploymentsAt(chain, entry) };
    },
  },
];

function deploymentsAt(chain: ChainReader, entry: HeaderEntry): JsonObject {
  const { activation } = chain.params;
  const buried = (height: number): JsonObject => ({ type: 'buried', active: entry.height + 1 >= height, height });
  const deployments: Record<string, JsonObject> = {
    bip34: buried(activation.bip34),
    bip66: buried(activation.bip66),
    bip65: buried(activation.bip65),
    csv: buried(activation.csv),
    segwit: buried(activation.segwit),
  };
  for (const [name, deployment] of Object.entries(versionBitsDeployments(chain.params))) {
    if (deployment.startTime !== NEVER_ACTIVE) deployments[name] = bip9Json(chain, entry, deployment);
  }
  return deployments;
}

const MAINNET_PERIOD = 2_016;
/** Speedy trial: 90% (BIP341). */
const TAPROOT = { bit: 2, period: MAINNET_PERIOD, threshold: 1_815 };
const TAPROOT_TIMES = { startTime: 1_619_222_400n, timeout: 1_628_640_000n };

/** Core's chainparams. Networks where taproot holds from the beginning, and those of one's own, have no signalling. */
export function versionBitsDeployments({ name, activation }: NetworkParams): Readonly<Record<string, Deployment>> {
  const always = { startTime: ALWAYS_ACTIVE, timeout: NO_TIMEOUT, minActivationHeight: 0 };
  const signalled = { ...TAPROOT_TIMES, minActivationHeight: name === 'mainnet' ? activation.taproot : 0 };
  const hasSignalling = name === 'mainnet' || name === 'testnet3';
  const isRegtest = name === 'regtest';
  return {
    testdummy: {
      bit: 28,
      startTime: isRegtest ? 0n : NEVER_ACTIVE,
      timeout: NO_TIMEOUT,
      minActivationHeight: 0,
      period: 144,
      threshold: 108,
    },
    taproot: {
      ...TAPROOT,
      ...(hasSignalling ? signalled : always),
      ...(name === 'testnet3' ? { threshold: 1_512 } : {}),
    },
  };
}

function bip9Json(chain: ChainReader, entry: HeaderEntry, deployment: Deployment): JsonObject {
  const next = stateAfter(chain, entry, deployment);
  const current =
    entry.height === 0 && deployment.startTime !== ALWAYS_ACTIVE
      ? { state: 'defined', since: 0 }
      : stateAfter(chain, entry.height === 0 ? entry : chain.ancestor(entry, entry.height - 1), deployment);
  const isSignalling = current.state === 'started' || current.state === 'locked_in';
  return {
    type: 'bip9',
    height: next.state === 'active' ? next.since : undefined,
    active: next.state === 'active',
    bip9: {
      bit: isSignalling ? deployment.bit : undefined,
      start_time: deployment.startTime,
      timeout: deployment.timeout,
      min_activation_height: deployment.minActivationHeight,
      status: current.state,
      since: current.since,
      status_next: next.state,
      ...(isSignalling ? signallingJson(chain, entry, deployment, current.state === 'started') : {}),
    },
  };
}

/** Of the period that the block lies in. */
function signallingJson(
  chain: ChainReader,
  entry: HeaderEntry,
  deployment: Deployment,
  isStarted: boolean,
): JsonObject {
  const { period, threshold } = deployment;
  const elapsed = (entry.height % period) + 1;
  const count = countSignals(chain, entry, elapsed, deployment);
  const marks = Array.from({ length: elapsed }, (_, at) => {
    const each = chain.ancestor(entry, entry.height - elapsed + 1 + at);
    return signals(each, deployment) ? '#' : '-';
  });
  return {
    statistics: {
      period,
      elapsed,
      count,
      threshold: isStarted ? threshold : undefined,
      possible: isStarted ? period - threshold >= elapsed - count : undefined,
    },
    signalling: marks.join(''),
  };
}
