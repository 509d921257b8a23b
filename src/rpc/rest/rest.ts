/**
 * Core's REST interface (rest.cpp): what the chain and the mempool hold, for whoever may connect, without a login. Nothing
 * here changes anything. Paths are taken by their beginnings, and compared as they came, nothing decoded.
 */
import type { StarlingNode } from '#node';
import { NodeError } from '#util';
import type { Dispatcher } from '../dispatcher.ts';
import { RpcCode, RpcError, shuttingDown } from '../errors.ts';
import { block, blockHashByHeight, blockWithoutDetails, headers } from './blocks.ts';
import { getUtxos } from './coins.ts';
import { blockFilter, blockFilterHeaders } from './filters.ts';
import {
  failure,
  type RestAnswer,
  type RestCall,
  RestError,
  type RestHandler,
  type RestRequest,
  readTarget,
} from './rest-io.ts';
import { chainInfo, deploymentInfo, mempool } from './state.ts';
import { transaction } from './transactions.ts';

/** The first that fits. */
const ROUTES: readonly (readonly [prefix: string, handler: RestHandler])[] = [
  ['tx/', transaction],
  ['block/notxdetails/', blockWithoutDetails],
  ['block/', block],
  ['blockfilter/', blockFilter],
  ['blockfilterheaders/', blockFilterHeaders],
  ['chaininfo', chainInfo],
  ['mempool/', mempool],
  ['headers/', headers],
  ['getutxos', getUtxos],
  ['deploymentinfo/', deploymentInfo],
  ['deploymentinfo', deploymentInfo],
  ['blockhashbyheight/', blockHashByHeight],
];

/** Undefined where there is nothing of that name. */
export type Rest = (request: RestRequest, signal: AbortSignal) => Promise<RestAnswer | undefined>;

export function createRest(node: StarlingNode, call: Dispatcher['call']): Rest {
  return async ({ body, path }, signal) => {
    const [prefix, handler] = ROUTES.find(([each]) => path.startsWith(each)) ?? [];
    if (prefix === undefined || handler === undefined) return undefined;
    const rpc: RestCall['rpc'] = (method, ...params) => call({ method, params }, signal);
    try {
      return await handler({ ...readTarget(path.slice(prefix.length)), node, body, signal, rpc });
    } catch (error) {
      return answerTo(signal.aborted && error === signal.reason ? shuttingDown() : error);
    }
  };
}

/** Bugs go on to the server. */
function answerTo(error: unknown): RestAnswer {
  if (error instanceof RestError) return failure(error.status, error.message);
  if (error instanceof RpcError) return failure(error.code === RpcCode.clientNotConnected ? 503 : 500, error.message);
  if (error instanceof NodeError) return failure(500, error.message);
  throw error;
}
