/**
 * The states of a deployment by version bits (BIP9, with the least activation height of BIP341's), computed from headers as
 * Core's ThresholdConditionChecker does. Nothing is enforced by it: rules have fixed heights here.
 */
import type { ChainReader, HeaderEntry } from '#chain';

export type Deployment = {
  readonly bit: number;
  /** Unix seconds. */
  readonly startTime: bigint;
  readonly timeout: bigint;
  readonly minActivationHeight: number;
  /** Blocks. */
  readonly period: number;
  readonly threshold: number;
};

export type DeploymentState = 'defined' | 'started' | 'locked_in' | 'active' | 'failed';

/** As start times: for ever, from genesis on, or not at all. */
export const ALWAYS_ACTIVE = -1n;
export const NEVER_ACTIVE = -2n;
export const NO_TIMEOUT = 9_223_372_036_854_775_807n;

const TOP_BITS = 0x2000_0000;
const TOP_MASK = 0xe000_0000 | 0;

export function signals({ header: { version } }: HeaderEntry, { bit }: Deployment): boolean {
  return (version & TOP_MASK) === TOP_BITS && (version & (1 << bit)) !== 0;
}

export type StateSince = { readonly state: DeploymentState; readonly since: number };

/** Of the block after `entry`, and the height of the first block with that state. */
export function stateAfter(
  chain: Pick<ChainReader, 'ancestor'>,
  entry: HeaderEntry,
  deployment: Deployment,
): StateSince {
  const { startTime, period } = deployment;
  if (startTime === ALWAYS_ACTIVE) return { state: 'active', since: 0 };
  if (startTime === NEVER_ACTIVE) return { state: 'failed', since: 0 };
  let current: StateSince = { state: 'defined', since: 0 };
  // The state of a period follows from the last block of the one before.
  for (let last = period - 1; last <= entry.height; last += period) {
    const state = nextState(current.state, chain, chain.ancestor(entry, last), deployment);
    if (state !== current.state) current = { state, since: last + 1 };
    if (state === 'active' || state === 'failed') break;
  }
  return current;
}

function nextState(
  state: DeploymentState,
  chain: Pick<ChainReader, 'ancestor'>,
  last: HeaderEntry,
  deployment: Deployment,
): DeploymentState {
  const median = BigInt(last.medianTimePast);
  switch (state) {
    case 'defined':
      return median >= deployment.startTime ? 'started' : 'defined';
    case 'started':
      if (countSignals(chain, last, deployment.period, deployment) >= deployment.threshold) return 'locked_in';
      return median >= deployment.timeout ? 'failed' : 'started';
    case 'locked_in':
      return last.height + 1 >= deployment.minActivationHeight ? 'active' : 'locked_in';
    default:
      return state;
  }
}

/** Of the `blocks` blocks up to `last`. */
export function countSignals(
  chain: Pick<ChainReader, 'ancestor'>,
  last: HeaderEntry,
  blocks: number,
  deployment: Deployment,
): number {
  let count = 0;
  let entry = last;
  for (let done = 0; done < blocks; done++) {
    if (signals(entry, deployment)) count++;
    if (entry.height === 0) break;
    entry = chain.ancestor(entry, entry.height - 1);
  }
  return count;
}
