/**
 * Accepts WebSockets: an HTTP server that knows nothing but the upgrade. TLS is left to a reverse proxy. Whoever
 * connects has the time for his handshakes that a TCP peer has, and the number of sockets is bounded before it.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Logger,
  TypedEventEmitter,
} from '@libp2p/interface';
import { getThinWaistAddresses, ipPortToMultiaddr } from '@libp2p/utils';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { type WebSocket, WebSocketServer } from 'ws';
import { hostKey, isLocalIp, mappedIpv4 } from '../addresses.ts';
import { hostAndPort } from './host-and-port.ts';
import { WEB_SOCKET_LIMITS, WebSocketConnection } from './ws-connection.ts';

export type WebSocketListenerOptions = {
  readonly maxConnections: number;
  /** From the connection until the request for the upgrade is complete. */
  readonly requestTimeoutMs: number;
  readonly sparesLocalHosts: boolean;
};

const MAX_HEAD_BYTES = 8_192;
const BACKLOG = 128;
/** Four that are peers and two that want to be, as over TCP, and as many that have not said so yet. */
const MAX_SOCKETS_PER_HOST = 12;

export class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server;
  readonly #webSockets = new WebSocketServer({ noServer: true, clientTracking: false, ...WEB_SOCKET_LIMITS });
  readonly #sockets = new Set<Socket>();
  readonly #upgrader: CreateListenerOptions['upgrader'];
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #sparesLocalHosts: boolean;
  #address: Multiaddr | undefined;

  constructor(log: Logger, { upgrader }: CreateListenerOptions, options: WebSocketListenerOptions) {
    super();
    this.#log = log;
    this.#upgrader = upgrader;
    const { maxConnections, requestTimeoutMs } = options;
    this.#sparesLocalHosts = options.sparesLocalHosts;
    this.#server = createServer({
      noDelay: true,
      keepAlive: true,
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('connection', (socket: Socket) => this.#connected(socket));
    // 426: only an upgrade makes sense here.
    this.#server.on('request', (_request, response) => response.writeHead(426, { connection: 'close' }).end());
    this.#server.on('upgrade', (request, socket, head) => this.#accept(request, socket, head));
    this.#server.on('close', () => this.safeDispatchEvent('close'));
  }

  async listen(address: Multiaddr): Promise<void> {
    const { host, port } = hostAndPort(address);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(
        { host, port, backlog: BACKLOG, ipv6Only: address.getComponents()[0]?.name === 'ip6' },
        () => {
          this.#server.off('error', reject);
          resolve();
        },
      );
    });
    this.#address = address;
    this.safeDispatchEvent('listening');
  }

  getAddrs(): Multiaddr[] {
    const bound = this.#server.address();
    if (this.#address === undefined || bound === null) return [];
    const { port } = bound as AddressInfo;
    return getThinWaistAddresses(this.#address, port).map((base) => multiaddr(`${base.toString()}/ws`));
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#stopping.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Before the upgrade nobody else counts them. */
  #connected(socket: Socket): void {
    const { remoteAddress: ip = '' } = socket;
    const isOfHost = (other: Socket): boolean => hostKey(other.remoteAddress ?? '') === hostKey(ip);
    const isSpared = this.#sparesLocalHosts && isLocalIp(ip);
    if (!isSpared && [...this.#sockets].filter(isOfHost).length >= MAX_SOCKETS_PER_HOST) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      this.#upgrade(webSocket, request.socket).catch((error: unknown) => {
        this.#log('inbound WebSocket failed: %s', error instanceof Error ? error.message : error);
        webSocket.terminate();
      });
    });
  }

  async #upgrade(webSocket: WebSocket, socket: Socket): Promise<void> {
    const { remoteAddress: ip = '', remotePort = 0 } = socket;
    const remoteAddr = multiaddr(`${ipPortToMultiaddr(mappedIpv4(ip) ?? ip, remotePort).toString()}/ws`);
    const connection = new WebSocketConnection({ webSocket, socket, remoteAddr, direction: 'inbound', log: this.#log });
    await this.#upgrader.upgradeInbound(connection, { signal: this.#stopping.signal });
  }
}
