/** For regression tests: the clock, the scheduler, and a moment at which all that was heard of is worked in. */
import { nextTurn } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

const NOTHING = [result.none('', '')];
const MAX_MOCK_TIME_SECONDS = 0xffff_ffff;
const MAX_FORWARD_SECONDS = 3_600;

export const REGTEST_METHODS: readonly RpcMethod[] = [
  {
    name: 'setmocktime',
    category: 'hidden',
    about: 'Set the local time to given timestamp (-regtest only)',
    params: [param.number('timestamp', 'UNIX epoch time\nPass 0 to go back to using the system time.')],
    results: NOTHING,
    examples: [],
    handler: (call) => {
      const { setTime } = testClock(call, 'setmocktime');
      const seconds = call.args.int('timestamp', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
      if (seconds < 0 || seconds > MAX_MOCK_TIME_SECONDS) {
        throw invalidParameter(`Mocktime must be in the range [0, ${MAX_MOCK_TIME_SECONDS}], not ${seconds}.`);
      }
      setTime(seconds === 0 ? undefined : seconds * 1000);
      return null;
    },
  },
  {
    name: 'mockscheduler',
    category: 'hidden',
    about: 'Bump the scheduler into the future (-regtest only)',
    params: [param.number('delta_time', 'Number of seconds to forward the scheduler into the future.')],
    results: NOTHING,
    examples: [],
    handler: (call) => {
      const { forward } = testClock(call, 'mockscheduler');
      const seconds = call.args.int('delta_time');
      if (seconds <= 0 || seconds > MAX_FORWARD_SECONDS) {
        throw new RpcError(RpcCode.misc, 'delta_time must be between 1 and 3600 seconds (1 hr)');
      }
      forward(seconds * 1000);
      return null;
    },
  },
  {
    name: 'syncwithvalidationinterfacequeue',
    category: 'hidden',
    about:
      'Waits for the validation interface queue to catch up on everything that was there when we entered this function.',
    params: [],
    results: NOTHING,
    examples: [{ cli: '', json: '' }],
    // Observers of the chain are awaited before a change counts as made: there is nothing that could wait.
    handler: async () => {
      await nextTurn();
      return null;
    },
  },
];

function testClock({ node, testClock: clock }: RpcCall, method: string): NonNullable<RpcCall['testClock']> {
  if (node.chain.params.name !== 'regtest' || clock === undefined) {
    throw new RpcError(RpcCode.misc, `${method} is for regression testing (-regtest mode) only`);
  }
  return clock;
}
