/** Why a request failed. Consumers switch on `code`; libp2p's own errors never leave this module. */
import type { RequestErrorCode } from './port.ts';

export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** libp2p's error names, by the code that they become. Names, not messages: messages change between releases. */
const CODE_BY_NAME: Readonly<Record<string, RequestErrorCode>> = {
  AbortError: 'ABORTED',
  ConnectionClosedError: 'DISCONNECTED',
  ConnectionClosingError: 'DISCONNECTED',
  ConnectionFailedError: 'DISCONNECTED',
  MuxerClosedError: 'DISCONNECTED',
  MuxerUnavailableError: 'DISCONNECTED',
  NotStartedError: 'DISCONNECTED',
  TimeoutError: 'TIMEOUT',
  TooManyOutboundProtocolStreamsError: 'TOO_MANY_STREAMS',
  TooManyOutboundStreamsError: 'TOO_MANY_STREAMS',
  UnsupportedProtocolError: 'UNSUPPORTED_PROTOCOL',
};

/** Turns anything that a stream threw into a RequestError; anything unknown is a reset stream. */
export function toRequestError(error: unknown): RequestError {
  if (error instanceof RequestError) return error;
  const name = error instanceof Error ? error.name : '';
  const code = CODE_BY_NAME[name] ?? 'STREAM_RESET';
  const text = error instanceof Error ? error.message.slice(0, 200) : 'the stream failed';
  return new RequestError(code, text, { cause: error });
}
