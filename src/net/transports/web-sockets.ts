/**
 * WebSockets as a libp2p transport, wire-compatible with @libp2p/websockets: dials /ws and /tls/ws, listens on /ws.
 * Our own, since that one buffers messages of 100 MiB for whoever connects, lets sockets that say nothing wait for
 * ever, does not hold back its reading, shows no socket to count bytes on, and cannot go by a proxy.
 */
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type ComponentLogger,
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Logger,
  type Transport,
  transportSymbol,
} from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { WebSocket } from 'ws';
import { carrierOf } from '../addresses.ts';
import type { Connect } from './connect.ts';
import { hostAndPort } from './host-and-port.ts';
import { WEB_SOCKET_LIMITS, WebSocketConnection } from './ws-connection.ts';
import { WebSocketListener, type WebSocketListenerOptions } from './ws-listener.ts';

type Components = { readonly logger: ComponentLogger };

export function webSockets(options: WebSocketListenerOptions, connect: Connect): (components: Components) => Transport {
  return ({ logger }) => new WebSockets(logger.forComponent('libp2p:websockets'), options, connect);
}

class WebSockets implements Transport {
  readonly [transportSymbol] = true;
  readonly [Symbol.toStringTag] = 'starling/websockets';
  readonly #log: Logger;
  readonly #options: WebSocketListenerOptions;
  readonly #connect: Connect;

  constructor(log: Logger, options: WebSocketListenerOptions, connect: Connect) {
    this.#log = log;
    this.#options = options;
    this.#connect = connect;
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const { webSocket, socket } = await this.#open(address, options.signal);
    const connection = new WebSocketConnection({
      webSocket,
      socket,
      remoteAddr: address,
      direction: 'outbound',
      log: this.#log.newScope('connection'),
    });
    try {
      return await options.upgrader.upgradeOutbound(connection, options);
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error('the upgrade failed'));
      throw error;
    }
  }

  createListener(options: CreateListenerOptions): WebSocketListener {
    return new WebSocketListener(this.#log.newScope('listener'), options, this.#options);
  }

  listenFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => carrierOf(address) === 'ws');
  }

  dialFilter(addresses: Multiaddr[]): Multiaddr[] {
    return addresses.filter((address) => ['ws', 'wss'].includes(carrierOf(address) ?? ''));
  }

  async #open(address: Multiaddr, signal: AbortSignal): Promise<{ webSocket: WebSocket; socket: Socket }> {
    const { host, port } = hostAndPort(address);
    const plain = await this.#connect({ host, port }, signal);
    const isSecure = carrierOf(address) === 'wss';
    const name = address.getComponents().find((part) => part.name === 'sni')?.value ?? host;
    const socket = isSecure ? connectTls({ socket: plain, servername: name, ALPNProtocols: ['http/1.1'] }) : plain;
    const shown = host.includes(':') ? `[${host}]` : name;
    const webSocket = new WebSocket(`ws://${shown}:${port}/`, { ...WEB_SOCKET_LIMITS, createConnection: () => socket });
    await whenOpen(webSocket, signal);
    return { webSocket, socket };
  }
}

function whenOpen(webSocket: WebSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      webSocket.off('open', onOpen);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onOpen = (): void => {
      // Until somebody listens: what came in one packet with the server's consent would be lost.
      webSocket.pause();
      settle();
    };
    const onAbort = (): void => webSocket.terminate();
    webSocket.on('open', onOpen);
    // Stays: terminating before the answer is there tells of an error too.
    webSocket.on('error', settle);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
