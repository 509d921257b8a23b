/**
 * A slow line to a server on this machine: passes connections on, and what the server sends at so many bytes per
 * second over all of them. Real back-pressure: it reads from the server no faster than it writes.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Read at a time. Small, so that the line is slow evenly and not by fits. */
const CHUNK_BYTES = 4096;

export type ThrottledProxy = AsyncDisposable & {
  /** The server's multiaddr with the proxy's port. */
  readonly address: string;
  /** Passed on from the server so far. */
  readonly bytes: () => number;
};

/** `address` is an IPv4 multiaddr with a peer id. */
export async function startThrottledProxy(address: string, bytesPerSecond: number): Promise<ThrottledProxy> {
  const [, host = '', port = '', rest = ''] = /^\/ip4\/([\d.]+)\/tcp\/(\d+)(\/p2p\/\w+)$/.exec(address) ?? [];
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let passed = 0;
  /** When the line is free again. */
  let freeMs = 0;
  const onServerBytes = (near: Socket, far: () => Socket, bytes: Uint8Array): boolean => {
    passed += bytes.length;
    near.write(bytes);
    const nowMs = performance.now();
    freeMs = Math.max(freeMs, nowMs) + (1000 * bytes.length) / bytesPerSecond;
    const timer = setTimeout(() => {
      timers.delete(timer);
      far().resume();
    }, freeMs - nowMs);
    timers.add(timer);
    // Pauses the socket.
    return false;
  };
  const server = createServer((near) => {
    const buffer = Buffer.alloc(CHUNK_BYTES);
    const far: Socket = connect({
      host,
      port: Number(port),
      onread: {
        buffer,
        callback: (count) => onServerBytes(near, () => far, Uint8Array.from(buffer.subarray(0, count))),
      },
    });
    near.pipe(far);
    far.on('end', () => near.end());
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}${rest}`,
    bytes: () => passed,
    [Symbol.asyncDispose]: async () => {
      for (const timer of timers) clearTimeout(timer);
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
