/** A reader of server-sent events, as a browser reads them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export type SentEvent = { readonly event: string; readonly data: Record<string, unknown> };

export type EventStream = Disposable & {
  /** Rejects when the stream has ended. */
  readonly next: () => Promise<SentEvent>;
};

/** Fails the test unless the stream is given. */
export async function openEventStream(
  address: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<EventStream> {
  const [host, port] = address.split(':');
  const sent = request({ host, port, path, agent: false, headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'text/event-stream');
  const events = readEvents(response);
  return {
    next: async () => {
      const { done, value } = await events.next();
      assert.ok(done !== true, 'the stream goes on');
      return value;
    },
    [Symbol.dispose]: () => void sent.destroy(),
  };
}

async function* readEvents(response: IncomingMessage): AsyncGenerator<SentEvent> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk;
    const parts = text.split('\n\n');
    text = parts.pop() ?? '';
    for (const part of parts) {
      // Comments show that the stream stands.
      if (part.startsWith(':')) continue;
      const [, event = '', json = ''] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
      yield { event, data: JSON.parse(json) };
    }
  }
}
