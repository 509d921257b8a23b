/**
 * `/metrics` for Prometheus, `/live` and `/ready` for who keeps the node running. Read-only and without login; whoever reaches
 * the address may ask. Up before the node is, so that a long opening of its data is no reason to kill it.
 *
 * Bounds: connections, headers, time of a request and of an answer; bodies are not read. Figures are read once for all who wait
 * for them, so a node that does not answer is asked once, however many ask here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StarlingNode } from '#node';
import { type Endpoint, endpointText, isAllowedHost, serving } from '#rpc';
import { type Clock, errorText, type Logger, NodeError } from '#util';
import { CONTENT_TYPE, expositionText } from './exposition.ts';
import { FigureReader } from './figures.ts';
import { whyNotReady } from './health.ts';
import { processMetrics } from './process.ts';
import { METRIC_ROWS } from './rows/all.ts';

const MAX_CONNECTIONS = 64;
/** Longer than Prometheus' usual minute between two scrapes. */
const KEEP_ALIVE_MS = 90_000;
/** Less than the ten seconds after which Prometheus gives a scrape up: who asks hears why. */
const ANSWER_MS = 8_000;

export type MetricsOptions = {
  /** Port 0 takes a free one. */
  readonly endpoint: Endpoint;
  /** Names by which it may be asked, beside IP addresses and localhost. */
  readonly allowHosts: readonly string[];
};

export type MetricsDeps = { readonly clock: Clock; readonly log: Logger };

export type MetricsServer = AsyncDisposable & {
  /** `127.0.0.1:9332` */
  readonly address: string;
  /** The node to speak of from now on, until what this gives is disposed. `directory`: where its data are. */
  readonly follow: (node: StarlingNode, directory: string) => Disposable;
};

type Answer = { readonly status: number; readonly text: string; readonly type?: string };

type Asked = '/metrics' | '/ready';

type Followed = { readonly node: StarlingNode; readonly figures: FigureReader };

/** Throws NodeError `NETWORK`. */
export async function startMetrics(options: MetricsOptions, deps: MetricsDeps): Promise<MetricsServer> {
  const routes = new Routes(deps);
  const bounds = { maxConnections: MAX_CONNECTIONS, keepAliveMs: KEEP_ALIVE_MS };
  const server = serving.openServer(bounds, (request, response) =>
    answer(request, response, options.allowHosts, routes),
  );
  const bound = await serving.listenOn(server, options.endpoint, 'the listener of --metrics');
  return {
    address: endpointText(bound),
    follow: (node, directory) => routes.follow(node, directory),
    [Symbol.asyncDispose]: () => serving.closeNow(server),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  allowHosts: readonly string[],
  routes: Routes,
): Promise<void> {
  if (!isAllowedHost(request.headers.host, allowHosts)) {
    const how = 'use an IP address or localhost, or name it in --metrics-allow-host';
    return serving.endAnswer(request, response, 403, `Host not allowed: ${how}\n`);
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return serving.endAnswer(request, response, 405, '');
  }
  const { status, text, type = 'text/plain; charset=utf-8' } = await routes.answer(request.url?.replace(/\?.*$/, ''));
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'no-store');
  serving.endAnswer(request, response, status, text);
}

class Routes {
  readonly #deps: MetricsDeps;
  #followed: Followed | undefined;
  /** What is being read for those who ask. */
  readonly #underWay = new Map<Asked, Promise<Answer>>();

  constructor(deps: MetricsDeps) {
    this.#deps = deps;
  }

  follow(node: StarlingNode, directory: string): Disposable {
    const stack = new DisposableStack();
    const followed = { node, figures: stack.use(new FigureReader(node, directory, this.#deps)) };
    this.#followed = followed;
    // What the one before is asked would be an answer of another node.
    this.#underWay.clear();
    stack.defer(() => {
      if (this.#followed === followed) this.#followed = undefined;
    });
    return stack;
  }

  async answer(path: string | undefined): Promise<Answer> {
    if (path === '/live') return { status: 200, text: 'live\n' };
    if (path !== '/metrics' && path !== '/ready') return { status: 404, text: '/metrics, /live and /ready are here\n' };
    const followed = this.#followed;
    if (followed === undefined) return { status: 503, text: 'the node is opening its data, or stopping\n' };
    try {
      return await this.#inTime(this.#once(path, followed));
    } catch (error) {
      // The node is about to end, or its disk does not answer.
      this.#deps.log.warn('the figures of the node could not be read', { error: errorText(error) });
      return { status: 503, text: 'the figures of the node could not be read; its log says why\n' };
    }
  }

  #once(path: Asked, { node, figures }: Followed): Promise<Answer> {
    const running = this.#underWay.get(path);
    if (running !== undefined) return running;
    const answer = path === '/ready' ? ready(node) : metrics(figures);
    this.#underWay.set(path, answer);
    const forget = (): void => {
      if (this.#underWay.get(path) === answer) this.#underWay.delete(path);
    };
    answer.then(forget, forget);
    return answer;
  }

  /** Throws NodeError. */
  async #inTime(answer: Promise<Answer>): Promise<Answer> {
    const late = Promise.withResolvers<never>();
    const timer = this.#deps.clock.after(ANSWER_MS, () => {
      late.reject(new NodeError('NETWORK', `the node has not answered for ${ANSWER_MS / 1000} s`));
    });
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}

async function metrics(figures: FigureReader): Promise<Answer> {
  const ours = expositionText(METRIC_ROWS, await figures.read());
  return { status: 200, text: ours + (await processMetrics()), type: CONTENT_TYPE };
}

async function ready(node: StarlingNode): Promise<Answer> {
  const why = whyNotReady(await node.status());
  return why === undefined ? { status: 200, text: 'ready\n' } : { status: 503, text: `${why}\n` };
}
