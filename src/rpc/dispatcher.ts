/** Finds the method of a call, binds its parameters, runs its handler, and knows which calls are at work. */
import { AssertionFailure, errorText, NodeError } from '#util';
import { RpcCode, RpcError, shuttingDown } from './errors.ts';
import type { JsonValue } from './json/value.ts';
import type { Request } from './protocol.ts';
import { bindParams } from './table/bind-params.ts';
import type { ActiveCall, RpcContext } from './table/method.ts';
import { MethodTable } from './table/method-table.ts';

export class Dispatcher {
  readonly #context: RpcContext;
  readonly #table: MethodTable;
  readonly #active = new Set<ActiveCall>();

  constructor(context: Omit<RpcContext, 'activeCalls'>) {
    this.#context = { ...context, activeCalls: () => [...this.#active] };
    this.#table = new MethodTable(context.methods);
  }

  /** Throws RpcError or NodeError. A bug costs its call an answer, not the node its life. */
  async call({ method: name, params }: Request, signal: AbortSignal): Promise<JsonValue> {
    const method = this.#table.get(name);
    if (method === undefined) throw new RpcError(RpcCode.methodNotFound, 'Method not found');
    const { clock, log } = this.#context;
    const active = { method: name, startedMs: clock.monotonicMs() };
    this.#active.add(active);
    try {
      return await method.handler({ ...this.#context, args: bindParams(method, params), signal });
    } catch (error) {
      if (error instanceof RpcError || error instanceof NodeError) throw error;
      // Long work ends so when the server stops, or when nobody waits for it any more.
      if (signal.aborted && error === signal.reason) throw shuttingDown();
      log.error('a call failed', { method: name, error: errorText(error), bug: error instanceof AssertionFailure });
      throw new RpcError(RpcCode.internalError, `Internal bug detected: ${errorText(error)}`, { cause: error });
    } finally {
      this.#active.delete(active);
    }
  }
}
