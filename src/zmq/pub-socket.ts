/** A ZeroMQ PUB socket at one address: who is connected there gets what it subscribes to. */
import { stat, unlink } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net';
import { type Clock, errorText, type Logger, NodeError } from '#util';
import { type ZmqAddress, zmqAddressText } from './address.ts';
import { Subscriber } from './subscriber.ts';
import type { Subscribers } from './subscribers.ts';

export type PubSocketDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Of this and all other sockets. */
  readonly subscribers: Subscribers;
};

export class PubSocket implements AsyncDisposable {
  /** Where it is reached; the port is the real one. */
  readonly address: ZmqAddress;
  readonly #server: Server;
  readonly #connected: ReadonlySet<Subscriber>;
  readonly #highWaterMark: number;

  private constructor(server: Server, address: ZmqAddress, connected: ReadonlySet<Subscriber>, highWaterMark: number) {
    this.#server = server;
    this.address = address;
    this.#connected = connected;
    this.#highWaterMark = highWaterMark;
  }

  /** `highWaterMark`: messages that may wait for one subscriber; 0 for no such bound. Throws NodeError `NETWORK`. */
  static async listen(address: ZmqAddress, highWaterMark: number, deps: PubSocketDeps): Promise<PubSocket> {
    const { log, subscribers } = deps;
    const connected = new Set<Subscriber>();
    const accept = (socket: Socket): void => {
      if (!subscribers.hasRoom) {
        log.debug('too many subscribers: one was refused', { address: zmqAddressText(address) });
        socket.destroy();
        return;
      }
      const subscriber = new Subscriber(socket, {
        ...deps,
        mayWait: (each, bytes) => subscribers.mayWait(each, bytes),
        onClosed: (each) => {
          connected.delete(each);
          subscribers.remove(each);
        },
      });
      connected.add(subscriber);
      subscribers.add(subscriber);
    };
    const server = createServer(accept);
    await listen(server, address);
    // The system has no handles left, say: the next one who connects may fare better.
    server.on('error', (error) => log.warn('a subscriber could not be accepted', { reason: errorText(error) }));
    const real = address.kind === 'tcp' ? { ...address, port: (server.address() as AddressInfo).port } : address;
    return new PubSocket(server, real, connected, highWaterMark);
  }

  wants(topic: string): boolean {
    for (const subscriber of this.#connected) if (subscriber.wants(topic)) return true;
    return false;
  }

  send(topic: string, message: Buffer): void {
    for (const subscriber of this.#connected) {
      if (subscriber.wants(topic)) subscriber.send(message, this.#highWaterMark);
    }
  }

  /** What waits is lost, as with Core's linger of 0. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const subscriber of this.#connected) subscriber.close();
    await closed;
  }
}

async function listen(server: Server, address: ZmqAddress): Promise<void> {
  const options: ListenOptions =
    address.kind === 'ipc'
      ? { path: address.path }
      : { port: address.port, ...(address.host && { host: address.host }) };
  try {
    await tryListen(server, options).catch(async (error) => {
      if (address.kind !== 'ipc' || !(await isLeftOver(address.path))) throw error;
      await unlink(address.path);
      await tryListen(server, options);
    });
  } catch (cause) {
    const where = zmqAddressText(address);
    const message = `ZMQ cannot listen on ${where}: ${errorText(cause)}; give an address that is free`;
    throw new NodeError('NETWORK', message, { cause });
  }
}

function tryListen(server: Server, options: ListenOptions): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** A socket's file that nobody listens at any more: its program did not end in order. */
async function isLeftOver(path: string): Promise<boolean> {
  const isSocket = await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
  if (!isSocket) return false;
  return new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error) => resolve('code' in error && error.code === 'ECONNREFUSED'));
  });
}
