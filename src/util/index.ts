export { AssertionFailure, assert } from './assert.ts';
export {
  asBuffer,
  byteAt,
  compareBytes,
  concatBytes,
  equalBytes,
  fromHex,
  fromReversedHex,
  toHex,
  toReversedHex,
  u32At,
} from './bytes.ts';
export { type Clock, nextTurn, sleep, systemClock, type TimerHandle } from './clock.ts';
export { errorText, NodeError } from './errors.ts';
export { type LogFields, type Logger, nullLogger } from './logger.ts';
export { PacedQueue } from './paced-queue.ts';
export { exponential, type Random, seededRandom, systemRandom } from './random.ts';
export { Serial } from './serial.ts';
export { Slices } from './slices.ts';
export { VERSION } from './version.ts';
