/**
 * Dials from the port that we listen on, which hole punching over TCP needs (libp2p's DCUtR): only then does our router give
 * calls the public port that others know of us, and lets in who calls from where we are just calling.
 *
 * Only towards public addresses, and only while nobody can reach us. Two nodes that call each other from their listening
 * ports at one moment get one connection in place of two (RFC 9293, 3.5), and both think that they began it: DCUtR has an
 * order for that, other dials have not. A port that is taken towards this peer is no failure: another one is used.
 *
 * Node.js lets listeners share a port (SO_REUSEPORT), but has no such option for sockets that connect. What makes handles for
 * its clusters does it; where it is not there, no port is shared.
 */
import net, { createServer, isIP, type ListenOptions, Socket } from 'node:net';
import { platform } from 'node:os';
import type { DialTransportOptions, Listener, MultiaddrConnection, Upgrader } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Clock } from '#util';
import { isLocalIp } from '../addresses.ts';
import { BoundedMap } from '../bounded-map.ts';
import { override } from '../gated.ts';
import { type Connect, connectDirectly, whenConnected } from './connect.ts';
import { hostAndPort } from './host-and-port.ts';
import { type TcpFactory, type TcpInit, tcpDialledBy } from './tcp-dialled-by.ts';

/** Node.js's `TCP.constants`: UV_TCP_IPV6ONLY, UV_TCP_REUSEPORT. */
const IPV6_ONLY = 1;
const REUSE_PORT = 2;
/** Destinations whose last connection came from the shared port. More than we call at once. */
const MAX_DIALLED = 256;
/** Longer than a way there and back. */
const LISTENER_WAITS_MS = 1_000;
const TAKEN: ReadonlySet<unknown> = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EINVAL']);

type Destination = Parameters<Connect>[0];
/** Gives libuv's error as a negative number. */
type MakeHandle = (host: string, port: number, family: number, fd: undefined, flags: number) => unknown;

const makeHandle: unknown = Reflect.get(net, '_createServerHandle');
/** Elsewhere SO_REUSEPORT is not there or means another thing. */
export const canSharePort = platform() === 'linux' && typeof makeHandle === 'function';

export class SharedPort {
  readonly #clock: Clock;
  readonly #isHidden: () => boolean;
  /** Where we listen, by 4 and 6. */
  readonly #ports = new Map<number, number>();
  /** Those of DCUtR dials that are under way. */
  readonly #answered = new Set<string>();
  readonly #dialled = new BoundedMap<string, true>(MAX_DIALLED);

  /** `isHidden`: nobody can reach us, as far as we know. */
  constructor(clock: Clock, isHidden: () => boolean) {
    this.#clock = clock;
    this.#isHidden = isHidden;
  }

  /** A transport that listens so that its port can be shared, and dials from it. */
  transport(init: TcpInit): TcpFactory {
    // Passed on to Node.js; libp2p's types know some of its options only.
    const listenOpts: ListenOptions & { keepAlive: boolean } = { reusePort: true, keepAlive: true };
    const make = tcpDialledBy(this.connect, { ...init, listenOpts });
    return (components) => {
      const transport = make(components);
      const createListener = transport.createListener.bind(transport);
      transport.createListener = (options) => this.#watched(createListener(options));
      const dial = transport.dial.bind(transport);
      transport.dial = (to, options) => dial(to, this.#answered.has(to.toString()) ? this.#asAnswer(options) : options);
      return transport;
    };
  }

  /**
   * While `dial` runs, connections to these addresses are taken as if the other end had begun them: it dials us at the same
   * moment. libp2p's DCUtR asks for that, but its queue of dials forgets to pass it on.
   */
  async answering<T>(addresses: readonly Multiaddr[], dial: () => Promise<T>): Promise<T> {
    const texts = addresses.map((address) => address.toString());
    for (const text of texts) this.#answered.add(text);
    try {
      return await dial();
    } finally {
      for (const text of texts) this.#answered.delete(text);
    }
  }

  /** Whether the last connection to this address came from the port that we listen on. */
  hasDialled(address: Multiaddr): boolean {
    return this.#dialled.get(keyOf(hostAndPort(address))) === true;
  }

  readonly connect: Connect = async (to, signal) => {
    const socket = await this.#connectShared(to, signal);
    if (socket !== undefined) return socket;
    this.#dialled.delete(keyOf(to));
    return connectDirectly(to, signal);
  };

  /** Noise, the choice of protocols and the muxer each ask who began. */
  #asAnswer(options: DialTransportOptions): DialTransportOptions {
    const { upgrader } = options;
    const upgradeOutbound: Upgrader['upgradeOutbound'] = async (connection, upgrading) => {
      if (!(await this.#otherBegins(connection))) return upgrader.upgradeOutbound(connection, upgrading);
      connection.direction = 'inbound';
      return upgrader.upgradeOutbound(connection, { ...upgrading, initiator: false });
    };
    return { ...options, upgrader: override(upgrader, { upgradeOutbound }) };
  }

  /** If its dial met ours, the other end thinks that it began, and says something at once. If we met its listener, it waits. */
  #otherBegins(connection: MultiaddrConnection): Promise<boolean> {
    const socket = 'socket' in connection ? connection.socket : undefined;
    if (!(socket instanceof Socket)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (): void => {
        timer.cancel();
        socket.off('data', settle);
        socket.off('close', settle);
        resolve(socket.bytesRead > 0);
      };
      const timer = this.#clock.after(LISTENER_WAITS_MS, settle);
      // What came before is in the connection already.
      if (socket.bytesRead > 0) settle();
      else socket.on('data', settle).on('close', settle);
    });
  }

  async #connectShared(to: Destination, signal: AbortSignal): Promise<Socket | undefined> {
    const port = this.#ports.get(isIP(to.host));
    if (port === undefined || isLocalIp(to.host) || !this.#isHidden()) return undefined;
    const bound = boundSocket(isIP(to.host), port);
    if (bound === undefined) return undefined;
    bound.connect(to.port, to.host);
    try {
      const socket = await whenConnected(bound, signal);
      socket.setNoDelay(true).setKeepAlive(true);
      this.#dialled.set(keyOf(to), true);
      return socket;
    } catch (error) {
      if (error instanceof Error && 'code' in error && TAKEN.has(error.code)) return undefined;
      throw error;
    }
  }

  #watched(listener: Listener): Listener {
    const listen = listener.listen.bind(listener);
    listener.listen = async (address) => {
      await untilFree(hostAndPort(address));
      await listen(address);
      for (const own of listener.getAddrs()) {
        const { host, port } = hostAndPort(own);
        this.#ports.set(isIP(host), port);
      }
    };
    return listener;
  }
}

function keyOf({ host, port }: Destination): string {
  return `${host} ${port}`;
}

/** Not connected yet; undefined if the port is not to be had. */
function boundSocket(family: number, port: number): Socket | undefined {
  const [host, flags] = family === 6 ? ['::', REUSE_PORT | IPV6_ONLY] : ['0.0.0.0', REUSE_PORT];
  const handle = (makeHandle as MakeHandle)(host, port, family, undefined, flags);
  if (typeof handle !== 'object' || handle === null) return undefined;
  // It must not be read before it is connected.
  const options: ConstructorParameters<typeof Socket>[0] & object = { handle, manualStart: true } as object;
  return new Socket(options);
}

/** Rejects as `listen` does if anybody else listens there: who asks to share a port is let in by the system. */
async function untilFree({ host, port }: Destination): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: isIP(host) === 6 }, resolve);
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
