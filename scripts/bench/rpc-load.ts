/** Calls by HTTP at an even pace, whoever is how slow: what a call waits for because others are late counts, too. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RpcTarget } from '#rpc';
import { assert } from '#util';

export type LoadResult = {
  readonly calls: number;
  readonly wallMs: number;
  /** From when a call was due to its answer, by what they are called with their unit. */
  readonly delays: Readonly<Record<string, number>>;
};

/** As many as the server lets work and wait: with fewer, what is due would wait on this side. */
const CONNECTIONS = 80;
const TICK_MS = 2;
/** What runs for the first time is slow, on both sides: calls due before are not counted. */
export const WARM_UP_MS = 2_000;

/** Until `isOver` says so, at least `minMs` after the warm-up. */
export async function callEvenly(
  target: RpcTarget,
  body: string,
  callsPerSecond: number,
  minMs: number,
  isOver: () => boolean,
): Promise<LoadResult> {
  const delays: Delay[] = [];
  const callers = new Callers(target, body);
  const started = performance.now();
  let count = 0;
  for (let now = started; now - started < WARM_UP_MS + minMs || !isOver(); now = performance.now()) {
    const due = ((now - started) * callsPerSecond) / 1000;
    for (; count < due; count += 1) {
      const dueMs = (count * 1000) / callsPerSecond;
      callers.call(() => delays.push({ dueMs, ms: performance.now() - started - dueMs }));
    }
    await sleep(TICK_MS);
  }
  await callers.end();
  return { calls: count, wallMs: performance.now() - started, delays: percentiles(delays) };
}

/**
 * Connections that are kept, a call at a time on each; what finds none free waits. Written out by hand: the HTTP client of
 * Node.js takes as much of the two cores for a call as the node that is measured.
 */
class Callers {
  readonly #target: RpcTarget;
  readonly #request: string;
  readonly #idle: Socket[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #done = Promise.withResolvers<void>();
  #open = 0;
  #isEnding = false;

  constructor(target: RpcTarget, body: string) {
    const { host, port } = target.endpoint;
    const login = Buffer.from(target.login).toString('base64');
    this.#target = target;
    this.#request = `POST / HTTP/1.1\r\nHost: ${host}:${port}\r\nAuthorization: Basic ${login}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    // Who ends waits for it; a failure before is not unhandled.
    this.#done.promise.catch(() => {});
  }

  call(answered: () => void): void {
    const socket = this.#idle.pop();
    if (socket !== undefined) this.#send(socket, answered);
    else if (this.#open < CONNECTIONS) this.#send(this.#connect(), answered);
    else this.#waiting.push(answered);
  }

  /** Resolves when all are answered; rejects if a connection failed or a call was refused. */
  end(): Promise<void> {
    this.#isEnding = true;
    this.#closeIdle();
    return this.#done.promise;
  }

  #connect(): Socket {
    const { host, port } = this.#target.endpoint;
    this.#open += 1;
    const socket = connect({ host, port, noDelay: true });
    socket.setEncoding('latin1');
    socket.on('error', (error) => this.#done.reject(error));
    // The node closes what is idle for long, too.
    socket.on('close', () => {
      this.#open -= 1;
      const place = this.#idle.indexOf(socket);
      if (place >= 0) this.#idle.splice(place, 1);
      if (this.#isEnding && this.#open === 0) this.#done.resolve();
    });
    return socket;
  }

  #send(socket: Socket, answered: () => void): void {
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!isWhole(text)) return;
      socket.removeAllListeners('data');
      if (!text.startsWith('HTTP/1.1 200 ')) this.#done.reject(new Error(`the node answers ${text.slice(0, 80)}`));
      answered();
      const next = this.#waiting.shift();
      if (next !== undefined) this.#send(socket, next);
      else this.#idle.push(socket);
      if (this.#isEnding) this.#closeIdle();
    });
    socket.write(this.#request, 'latin1');
  }

  #closeIdle(): void {
    for (const socket of this.#idle.splice(0)) socket.destroy();
    if (this.#open === 0) this.#done.resolve();
  }
}

/** Head, and as many bytes as it says. */
function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const length = /\r\nContent-Length: (\d+)\r\n/i.exec(text)?.[1];
  assert(length !== undefined, `the node says how long its answer is, not ${text.slice(0, headEnd)}`);
  return text.length >= headEnd + 4 + Number(length);
}

type Delay = { readonly dueMs: number; readonly ms: number };

function percentiles(all: readonly Delay[]): LoadResult['delays'] {
  const delays = all.filter(({ dueMs }) => dueMs >= WARM_UP_MS);
  return {
    'ms p50': percentile(delays, 0.5),
    'ms p99': percentile(delays, 0.99),
    'ms max': percentile(delays, 1),
  };
}

function percentile(delays: readonly Delay[], share: number): number {
  const sorted = delays.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
