/**
 * What a header must satisfy, in Core's order: proof of work alone first (CheckBlockHeader), then what depends on
 * its ancestors and on the clock (ContextualCheckBlockHeader).
 */
import type { BlockHash, BlockHeader } from '#primitives';
import { assert } from '#util';
import { failure, type ValidationFailure } from './failure.ts';
import { MAX_FUTURE_BLOCK_SECONDS, MAX_TIMEWARP_SECONDS, MEDIAN_TIME_SPAN } from './limits.ts';
import type { HeaderView, NetworkParams } from './params.ts';
import { adjustmentInterval, checkProofOfWork, nextWorkRequired } from './pow.ts';

/** Core's CheckBlockHeader: the hash meets the header's own target, and that is not above the network's limit. */
export function checkBlockHeader(header: BlockHeader, params: NetworkParams): ValidationFailure | undefined {
  if (checkProofOfWork(header.hashBytes, header.bits, params.pow.limit)) return undefined;
  return failure('invalid-header', 'high-hash', 'proof of work failed');
}

/**
 * Core's ContextualCheckBlockHeader for the header after `prev`. `nowSeconds` is our clock, Unix seconds;
 * `lastCheckpoint` comes from `lastCheckpointHeight` (leave it out to ignore checkpoints, as -checkpoints=0 does).
 */
export function contextualCheckBlockHeader(
  header: BlockHeader,
  prev: HeaderView,
  params: NetworkParams,
  nowSeconds: number,
  lastCheckpoint?: number,
): ValidationFailure | undefined {
  const height = prev.height + 1;
  if (header.bits !== nextWorkRequired(prev, header.time, params)) {
    return failure('invalid-header', 'bad-diffbits', 'incorrect proof of work');
  }
  if (lastCheckpoint !== undefined && height < lastCheckpoint) {
    return failure('checkpoint', 'bad-fork-prior-to-checkpoint');
  }
  return checkTime(header, prev, params, nowSeconds) ?? checkVersion(header, height, params);
}

function checkTime(
  header: BlockHeader,
  prev: HeaderView,
  params: NetworkParams,
  nowSeconds: number,
): ValidationFailure | undefined {
  if (header.time <= medianTimePast(prev)) {
    return failure('invalid-header', 'time-too-old', "block's timestamp is too early");
  }
  const startsPeriod = (prev.height + 1) % adjustmentInterval(params.pow) === 0;
  if (params.pow.enforceBip94 && startsPeriod && header.time < prev.time - MAX_TIMEWARP_SECONDS) {
    return failure('invalid-header', 'time-timewarp-attack', "block's timestamp is too early on diff adjustment block");
  }
  if (header.time > nowSeconds + MAX_FUTURE_BLOCK_SECONDS) {
    return failure('time-future', 'time-too-new', 'block timestamp too far in the future');
  }
  return undefined;
}

/** BIP34, BIP66 and BIP65 each ended a block version when they became active. */
function checkVersion(header: BlockHeader, height: number, params: NetworkParams): ValidationFailure | undefined {
  const { version } = header;
  const { bip34, bip66, bip65 } = params.activation;
  const outdated =
    (version < 2 && height >= bip34) || (version < 3 && height >= bip66) || (version < 4 && height >= bip65);
  if (!outdated) return undefined;
  const hex = `0x${(version >>> 0).toString(16).padStart(8, '0')}`;
  return failure('invalid-header', `bad-version(${hex})`, `rejected nVersion=${hex} block`);
}

/** BIP113: the median time of `view` and the ten headers before it (fewer near genesis), Unix seconds. */
export function medianTimePast(view: HeaderView): number {
  // The latest first. Times mostly fall on the way back, so each is in its place at once: sort() took three times as long.
  const times: number[] = [];
  for (let walk = view; ; walk = walk.ancestor(walk.height - 1)) {
    insertDescending(times, walk.time);
    if (times.length === MEDIAN_TIME_SPAN || walk.height === 0) break;
  }
  const median = times[(times.length - 1) >> 1];
  assert(median !== undefined, 'a header has a time');
  return median;
}

function insertDescending(times: number[], time: number): void {
  let at = times.length;
  for (let before = times[at - 1]; before !== undefined && before < time; before = times[at - 1]) {
    times[at] = before;
    at--;
  }
  times[at] = time;
}

/**
 * Height of the highest checkpoint whose header we know: new headers below it are forks that we refuse.
 * Core's GetLastCheckpoint.
 */
export function lastCheckpointHeight(params: NetworkParams, knows: (hash: BlockHash) => boolean): number | undefined {
  let last: number | undefined;
  for (const [height, hash] of params.checkpoints) {
    if ((last === undefined || height > last) && knows(hash)) last = height;
  }
  return last;
}
