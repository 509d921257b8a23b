/**
 * Opens the TCP connection below a transport: straight, or by a SOCKS5 server (RFC 1928) that also looks names up
 * (Core's -proxy). With a proxy nothing here asks the system for a name or for a way to a peer.
 */
import { createConnection, type Socket } from 'node:net';
import { SocksClient } from 'socks';
import { errorText, type Random, toHex } from '#util';
import type { ProxyAddress } from '../reach-options.ts';

export type Connect = (to: { readonly host: string; readonly port: number }, signal: AbortSignal) => Promise<Socket>;

/** Beyond libp2p's own limit on dials: the proxy's answer may not come. */
const PROXY_TIMEOUT_MS = 30_000;
/** Half of what RFC 1929 allows; unlikely enough to meet again. */
const LOGIN_BYTES = 16;

export const connectDirectly: Connect = ({ host, port }, signal) => {
  const socket = createConnection({ host, port, noDelay: true, keepAlive: true });
  return whenConnected(socket, signal);
};

export function connectThrough(proxy: ProxyAddress, random: Random): Connect {
  const { host, port } = proxy;
  return async (destination, signal) => {
    const { user, password } = proxy.login ?? randomLogin(random);
    const socket = await connectDirectly({ host, port }, signal);
    const onAbort = (): void => void socket.destroy(new Error('the dial was given up'));
    signal.addEventListener('abort', onAbort);
    try {
      const made = await SocksClient.createConnection({
        proxy: { host, port, type: 5, userId: user, password },
        command: 'connect',
        destination: { ...destination },
        timeout: PROXY_TIMEOUT_MS,
        existing_socket: socket,
      });
      signal.throwIfAborted();
      return made.socket;
    } catch (error) {
      socket.destroy();
      throw new Error(`the proxy did not connect to ${destination.host}: ${errorText(error)}`, { cause: error });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** Tor gives streams with different logins different circuits (IsolateSOCKSAuth). */
function randomLogin(random: Random): { readonly user: string; readonly password: string } {
  return { user: toHex(random.bytes(LOGIN_BYTES)), password: toHex(random.bytes(LOGIN_BYTES)) };
}

/** Given once it is connected; destroyed if that fails or nobody waits any more. */
export function whenConnected(socket: Socket, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => void socket.destroy(new Error('the dial was given up'));
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', settle);
      if (error === undefined) resolve(socket);
      else reject(error);
    };
    const onConnect = (): void => settle();
    socket.on('connect', onConnect);
    socket.on('error', settle);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
