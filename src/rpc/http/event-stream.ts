/** A reader of events at the other end of a connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventReader } from '../events/event-readers.ts';

export const EVENTS_PATH = '/events';

type Feed = { readonly add: (reader: EventReader, gone: AbortSignal) => Promise<void> };

/** Answers with the stream, and leaves it open. Resolves once it has begun. */
export async function streamEvents(feed: Feed, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  // What else it may send is not looked at.
  request.resume();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const reader = {
    write: (text: string) => void response.write(text),
    waitingBytes: () => response.writableLength,
    drop: () => void response.destroy(),
  };
  await feed.add(reader, gone.signal);
}
