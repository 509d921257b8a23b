/** Long polls: calls that are answered when the tip has moved. A stop, and a client that goes, end them. */
import type { HeaderEntry } from '#chain';
import { parseBlockHash } from '#primitives';
import { sleep } from '#util';
import { RpcCode, RpcError } from '../errors.ts';
import type { JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { blockHashParam } from './described.ts';

const TIMEOUT = param.number('timeout', 'Time in milliseconds to wait for a response. 0 indicates no timeout.', {
  default: 0,
});
const RESULTS = [result.object('', '', [result.hex('hash', 'The blockhash'), result.number('height', 'Block height')])];
const ABOUT_END = '\nReturns the current block on timeout or exit.';

export const WAIT_METHODS: readonly RpcMethod[] = [
  {
    name: 'waitfornewblock',
    category: 'hidden',
    about: `Waits for any new block and returns useful info about it.\n${ABOUT_END}`,
    params: [TIMEOUT],
    results: RESULTS,
    examples: [{ cli: '1000', json: '1000' }],
    handler: (call) => {
      const { hash } = call.node.chain.tip();
      return tipWhen(call, (tip) => tip.hash !== hash);
    },
  },
  {
    name: 'waitforblock',
    category: 'hidden',
    about: `Waits for a specific new block and returns useful info about it.\n${ABOUT_END}`,
    params: [blockHashParam('Block hash to wait for.'), TIMEOUT],
    results: RESULTS,
    examples: [{ cli: '"blockhash" 1000', json: '"blockhash", 1000' }],
    handler: (call) => {
      const hash = parseBlockHash(call.args.hash('blockhash'));
      return tipWhen(call, (tip) => tip.hash === hash);
    },
  },
  {
    name: 'waitforblockheight',
    category: 'hidden',
    about: `Waits for (at least) block height and returns the height and hash of the current tip.\n${ABOUT_END}`,
    params: [param.number('height', 'Block height to wait for.'), TIMEOUT],
    results: RESULTS,
    examples: [{ cli: '100 1000', json: '100, 1000' }],
    handler: (call) => {
      const height = call.args.int('height');
      return tipWhen(call, (tip) => tip.height >= height);
    },
  },
];

async function tipWhen(
  { args, node, clock, signal }: RpcCall,
  isThere: (tip: HeaderEntry) => boolean,
): Promise<JsonObject> {
  const timeoutMs = args.int('timeout');
  if (timeoutMs < 0) throw new RpcError(RpcCode.misc, 'Negative timeout');
  if (!isThere(node.chain.tip())) {
    const ended = new AbortController();
    const stop = node.onTip((tip) => {
      if (isThere(tip)) ended.abort();
    });
    const either = AbortSignal.any([signal, ended.signal]);
    // Without a timeout as long as any timer can wait; then the client asks again.
    await sleep(clock, timeoutMs === 0 ? MAX_TIMER_MS : timeoutMs, either).catch(() => {});
    stop();
  }
  const { hash, height } = node.chain.tip();
  return { hash, height };
}

const MAX_TIMER_MS = 2 ** 31 - 1;
