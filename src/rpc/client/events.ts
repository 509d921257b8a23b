/** Reads a node's stream of events (`GET /events`). What waits for the end of an event is bounded. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { errorText, NodeError } from '#util';
import { EVENTS_PATH } from '../http/event-stream.ts';
import { endpointText } from '../http/hosts.ts';
import { basicAuthorization, type RpcTarget } from './client.ts';

/** `data` is plain JSON. */
export type NodeEvent = { readonly name: string; readonly data: Readonly<Record<string, unknown>> };

/** Several times what a node gathers for one event. */
const MAX_EVENT_CHARS = 4_194_304;
/** Three times as long as a node is silent. */
const MAX_SILENCE_MS = 45_000;

/** Until the signal aborts or the node closes the stream. Throws NodeError where the node refuses, or goes away. */
export async function* readEvents(target: RpcTarget, signal: AbortSignal): AsyncGenerator<NodeEvent, void, void> {
  const where = endpointText(target.endpoint);
  try {
    const response = await open(target, signal);
    let text = '';
    response.setEncoding('utf8');
    for await (const chunk of response as AsyncIterable<string>) {
      text += chunk;
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      if (text.length > MAX_EVENT_CHARS) throw new NodeError('NETWORK', `${where} sends an event without end`);
      for (const part of parts) {
        const event = eventOf(part);
        if (event !== undefined) yield event;
      }
    }
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof NodeError) throw error;
    throw new NodeError('NETWORK', `no events from ${where}: ${errorText(error)}`, { cause: error });
  }
}

async function open({ endpoint, login }: RpcTarget, signal: AbortSignal): Promise<IncomingMessage> {
  const { host, port } = endpoint;
  const headers = { authorization: basicAuthorization(login), accept: 'text/event-stream' };
  const sent = request({ host, port, path: EVENTS_PATH, agent: false, headers, signal });
  sent.setTimeout(MAX_SILENCE_MS, () => sent.destroy(new NodeError('TIMEOUT', 'the node is silent')));
  const response = await answerTo(sent);
  if (response.statusCode === 200 && response.headers['content-type'] === 'text/event-stream') return response;
  sent.destroy();
  throw new NodeError('BAD_CONFIG', `${endpointText(endpoint)} gives no events: HTTP ${response.statusCode}`);
}

function answerTo(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    // Also after the answer has begun: then the response fails with the same error.
    sent.on('error', reject);
    sent.end();
  });
}

/** Undefined for comments and for what is no event of ours. */
function eventOf(text: string): NodeEvent | undefined {
  const [, name, json = ''] = /^event: (\w+)\ndata: (.*)$/.exec(text) ?? [];
  const data: unknown = name === undefined ? undefined : JSON.parse(json);
  if (name === undefined || typeof data !== 'object' || data === null) return undefined;
  return { name, data: data as NodeEvent['data'] };
}
