/**
 * Another process that takes part in a benchmark: it offers named functions, and the benchmark calls them over
 * Node.js's channel between processes. Only small, plain values go that way.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

type Call = { readonly id: number; readonly name: string; readonly parameter: unknown };
type Answer = { readonly id: number; readonly result?: unknown; readonly error?: string };

export type PeerProcess = AsyncDisposable & {
  /** Rejects with what the function threw, or when the process ends. */
  readonly call: <Result>(name: string, parameter?: unknown) => Promise<Result>;
};

type Waiting = { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void };

/** Starts the file; its own `servePeer` answers. */
export function startPeer(file: URL, execArgv: readonly string[]): PeerProcess {
  const child: ChildProcess = fork(fileURLToPath(file), { execArgv: [...execArgv], stdio: ['ignore', 2, 2, 'ipc'] });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let isOver = false;
  child.on('message', ({ id, result, error }: Answer) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(result as never);
    else call?.reject(new Error(error));
  });
  const over = (why: string): void => {
    isOver = true;
    for (const { reject } of waiting.values()) reject(new Error(why));
    waiting.clear();
  };
  child.on('error', (error) => over(error.message));
  child.on('exit', (code, signal) => over(`a process of the benchmark ended with ${signal ?? `code ${code}`}`));
  return {
    call: (name, parameter) =>
      new Promise((resolve, reject) => {
        if (isOver) throw new Error('the process has ended');
        lastId++;
        waiting.set(lastId, { resolve, reject });
        child.send({ id: lastId, name, parameter } satisfies Call);
      }),
    [Symbol.asyncDispose]: async () => {
      if (isOver) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

export type PeerFunctions = Readonly<Record<string, (parameter: never) => unknown>>;

/** In the peer's own file: answers calls until the benchmark lets go, then runs `end` and leaves. */
export function servePeer(functions: PeerFunctions, end: () => Promise<void>): void {
  process.on('message', async ({ id, name, parameter }: Call) => {
    const answer = await answerTo(functions, id, name, parameter);
    if (process.connected) process.send?.(answer);
  });
  process.on('disconnect', async () => {
    await end().catch(() => {});
    process.exit();
  });
}

async function answerTo(functions: PeerFunctions, id: number, name: string, parameter: unknown): Promise<Answer> {
  try {
    const run = functions[name];
    if (run === undefined) throw new Error(`no function ${name}`);
    return { id, result: await run(parameter as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
