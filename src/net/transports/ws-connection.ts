/**
 * One WebSocket as libp2p's byte stream. Messages have no meaning: they are pieces of the stream. Reading is held
 * back when libp2p pauses, writing when the socket below is full.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { AbortOptions } from '@libp2p/interface';
import { AbstractMultiaddrConnection } from '@libp2p/utils';
import type { Uint8ArrayList } from 'uint8arraylist';
import type { ClientOptions, WebSocket } from 'ws';

type Init = Omit<ConstructorParameters<typeof AbstractMultiaddrConnection>[0], 'inactivityTimeout'> & {
  readonly webSocket: WebSocket;
  readonly socket: Socket;
};

/** A piece that we send; libp2p hands over as much as it has. */
const PIECE_BYTES = 1 << 18;
/** libp2p's TCP has the same. Yamux says something each 30 s. */
const INACTIVITY_MS = 120_000;

/** Both ends. Compression would work on encrypted bytes; a message is buffered as a whole, by whoever is not known yet. */
export const WEB_SOCKET_LIMITS = { maxPayload: 1 << 20, perMessageDeflate: false } satisfies ClientOptions;

export class WebSocketConnection extends AbstractMultiaddrConnection {
  /** For byte counts, as on libp2p's TCP connections. */
  readonly socket: Socket;
  readonly #webSocket: WebSocket;

  constructor({ webSocket, socket, ...init }: Init) {
    super(init);
    this.#webSocket = webSocket;
    this.socket = socket;
    webSocket.on('message', (data, isBinary) => {
      if (isBinary && data instanceof Uint8Array) this.onData(data);
      else this.abort(new Error('a WebSocket message that is not binary'));
    });
    webSocket.on('error', (error) => this.abort(error));
    webSocket.on('close', () => this.onTransportClosed());
    socket.on('drain', () => this.safeDispatchEvent('drain'));
    // It may come paused, see `web-sockets.ts`.
    webSocket.resume();
    socket.setTimeout(INACTIVITY_MS, () => this.abort(new Error('a WebSocket without a sign of life')));
  }

  sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean } {
    let sentBytes = 0;
    for (const bytes of data) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        this.#webSocket.send(bytes.subarray(at, at + PIECE_BYTES), ignoreFailure);
      }
      sentBytes += bytes.length;
      if (this.socket.writableNeedDrain) break;
    }
    return { sentBytes, canSendMore: !this.socket.writableNeedDrain };
  }

  sendReset(): void {
    this.#webSocket.terminate();
  }

  async sendClose(options?: AbortOptions): Promise<void> {
    if (this.#webSocket.readyState === this.#webSocket.CLOSED) return;
    const closed = once(this.#webSocket, 'close', options?.signal === undefined ? {} : { signal: options.signal });
    this.#webSocket.close();
    try {
      await closed;
    } catch (error) {
      this.#webSocket.terminate();
      throw error;
    }
  }

  sendPause(): void {
    this.#webSocket.pause();
  }

  sendResume(): void {
    this.#webSocket.resume();
  }
}

/** Without a callback a send on a socket that has just closed throws; the close itself is told of. */
function ignoreFailure(): void {}
