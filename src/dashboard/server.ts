/**
 * The dashboard over HTTP: the page, its feed and its look-ups. Read-only and without login; whoever reaches the address may
 * read, so nothing secret may ever be in an answer.
 *
 * Bounds: connections, headers (a URL is one), time of a request, silence of a socket; readers of the feed and what waits for
 * them (`feed.ts`); look-ups a second, at work and waiting. Bodies are not read.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { StarlingNode } from '#node';
import { type Endpoint, endpointText, serving, writeJson } from '#rpc';
import { type Clock, errorText, type Logger, nextTurn } from '#util';
import { type Asset, type Assets, builtPage, readAssets } from './assets.ts';
import { DashboardFeed } from './feed.ts';
import { createNodeSource } from './node-source.ts';
import { type Answer, type DashboardSource, type LogSource, refused } from './port.ts';
import { Rate } from './rate.ts';
import { setSecurityHeaders, whyForbidden } from './request-checks.ts';

const MAX_CONNECTIONS = 64;
const KEEP_ALIVE_MS = 30_000;
/** No byte in either direction; the feed says something each 15 s. */
const SILENCE_MS = 60_000;
/** A look-up may read a block from disk and decode it: tens of milliseconds. */
const LOOKUPS_AT_ONCE = 2;
const LOOKUPS_WAITING = 32;
const LOOKUPS_A_SECOND = 5;
const LOOKUP_BURST = 40;

const NOT_BUILT = 'The page of the dashboard was not built. In a clone of Starling: npm run build\n';

export type DashboardOptions = {
  /** Port 0 takes a free one. */
  readonly endpoint: Endpoint;
  /** Names by which it may be asked, beside IP addresses and localhost. */
  readonly allowHosts: readonly string[];
  /** Of the built page; default: where the build puts it. */
  readonly pageDirectory?: string;
};

export type DashboardDeps = { readonly clock: Clock; readonly log: Logger };

export type DashboardServer = AsyncDisposable & {
  /** `127.0.0.1:8333` */
  readonly address: string;
  readonly url: string;
};

/** Of any source. Throws NodeError `NETWORK`. */
export async function serveDashboard(
  source: DashboardSource,
  { endpoint, allowHosts, pageDirectory = builtPage() }: DashboardOptions,
  deps: DashboardDeps,
): Promise<DashboardServer> {
  await using stack = new AsyncDisposableStack();
  const feed = stack.use(new DashboardFeed(source, deps.clock));
  const routes = new Routes(source, feed, await readAssets(pageDirectory), allowHosts, deps);
  const bounds = { maxConnections: MAX_CONNECTIONS, keepAliveMs: KEEP_ALIVE_MS };
  const server = serving.openServer(bounds, (request, response) => routes.answer(request, response));
  server.setTimeout(SILENCE_MS);
  const address = endpointText(await serving.listenOn(server, endpoint, 'the listener of --dashboard'));
  stack.defer(() => serving.closeNow(server));
  const resources = stack.move();
  return { address, url: `http://${address}/`, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** Of a node. Throws NodeError `NETWORK`. */
export async function startDashboard(
  node: StarlingNode,
  options: DashboardOptions,
  deps: DashboardDeps & { readonly logs: LogSource },
): Promise<DashboardServer> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(createNodeSource(node, deps));
  const server = stack.use(await serveDashboard(source, options, deps));
  const resources = stack.move();
  return { ...server, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

class Routes {
  readonly #source: DashboardSource;
  readonly #feed: DashboardFeed;
  readonly #assets: Assets;
  readonly #allowHosts: readonly string[];
  readonly #log: Logger;
  readonly #lookups = new serving.WorkQueue(LOOKUPS_AT_ONCE, LOOKUPS_WAITING);
  readonly #rate: Rate;

  constructor(
    source: DashboardSource,
    feed: DashboardFeed,
    assets: Assets,
    allowHosts: readonly string[],
    { clock, log }: DashboardDeps,
  ) {
    this.#source = source;
    this.#feed = feed;
    this.#assets = assets;
    this.#allowHosts = allowHosts;
    this.#log = log;
    this.#rate = new Rate(clock, LOOKUPS_A_SECOND, LOOKUP_BURST);
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setSecurityHeaders(response);
    try {
      // Whatever has no body is complete then, so that its connection may serve the next one too.
      await nextTurn();
      await this.#route(request, response);
    } catch (error) {
      // The node is about to end, or its disk does not answer.
      this.#log.warn('a request to the dashboard could not be answered', { error: errorText(error) });
      if (response.headersSent) response.destroy();
      else sendJson(request, response, refused(503, 'the node could not answer; its log says why'));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const forbidden = whyForbidden(request.headers, this.#allowHosts);
    if (forbidden !== undefined) return sendText(request, response, 403, forbidden);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return serving.endAnswer(request, response, 405, '');
    }
    const { pathname, query } = targetOf(request.url ?? '/');
    if (pathname === '/feed') return this.#sendFeed(request, response);
    if (pathname.startsWith('/api/')) {
      return sendJson(request, response, await this.#lookUp(pathname.slice('/api/'.length), query));
    }
    const asset = this.#assets.get(pathname);
    if (asset !== undefined) return sendAsset(request, response, asset);
    if (pathname === '/') return sendText(request, response, 503, NOT_BUILT);
    return sendText(request, response, 404, 'There is nothing here\n');
  }

  async #sendFeed(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'HEAD') return sendText(request, response, 200, '', 'text/event-stream');
    if (this.#feed.isFull) return sendText(request, response, 503, 'Too many readers of the feed\n');
    await serving.streamEvents(this.#feed, request, response);
  }

  async #lookUp(path: string, query: URLSearchParams): Promise<Answer> {
    const task = this.#lookUpOf(path, query);
    if (task === undefined) return refused(404, 'There is nothing here');
    if (!this.#rate.take()) return refused(429, 'Too many requests: wait a second');
    let answer = refused(503, 'Too many requests at once');
    await this.#lookups.run(async () => {
      answer = await task();
    });
    return answer;
  }

  #lookUpOf(path: string, query: URLSearchParams): (() => Promise<Answer>) | undefined {
    const { explorer } = this.#source;
    const [what, name = '', ...more] = path.split('/');
    if (more.length > 0) return undefined;
    if (what === 'search' && name === '') return () => explorer.search(query.get('q') ?? '');
    if (name === '') return undefined;
    if (what === 'block') return () => explorer.block(name, query.get('page') ?? '');
    if (what === 'tx') return () => explorer.tx(name, query.get('block') ?? '');
    if (what === 'peer') return () => explorer.peer(name);
    return undefined;
  }
}

/** Nothing is decoded: what we look for has no character that would be encoded. */
function targetOf(url: string): { readonly pathname: string; readonly query: URLSearchParams } {
  const [pathname = '', ...query] = url.split('?');
  return { pathname, query: new URLSearchParams(query.join('?')) };
}

function sendText(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', 'no-store');
  serving.endAnswer(request, response, status, text);
}

function sendJson(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
  if (status === 429) response.setHeader('Retry-After', '1');
  sendText(request, response, status, writeJson(body), 'application/json');
}

function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): void {
  response.setHeader('Cache-Control', asset.cacheControl);
  response.setHeader('ETag', asset.etag);
  if (request.headers['if-none-match'] === asset.etag) {
    response.statusCode = 304;
    response.end();
    return;
  }
  response.setHeader('Content-Type', asset.type);
  serving.endAnswer(request, response, 200, asset.bytes);
}
