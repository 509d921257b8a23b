/**
 * A SOCKS5 server (RFC 1928, 1929) that writes down what it is asked for. It connects from 127.0.0.2, so that a test
 * can tell its connections from those that somebody made around it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export const SOCKS_SOURCE = '127.0.0.2';

export type SocksAsk = {
  readonly host: string;
  readonly port: number;
  /** `user:password`; undefined if the client offered none. */
  readonly login: string | undefined;
};

export type SocksServer = AsyncDisposable & {
  readonly port: number;
  readonly asked: readonly SocksAsk[];
  /** Resolves when there were so many requests. */
  readonly whenAsked: (count: number) => Promise<void>;
};

/** `names` are the only ones it knows. `refuses` makes it answer each request with "not allowed". */
export async function startSocksServer(
  names: Readonly<Record<string, string>> = {},
  { refuses = false } = {},
): Promise<SocksServer> {
  const asked: SocksAsk[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  const serve = async (near: Socket): Promise<void> => {
    const take = reader(near);
    const [, methods = 0] = await take(2);
    const hasLogin = (await take(methods)).includes(2);
    near.write(Uint8Array.of(5, hasLogin ? 2 : 0));
    const login = hasLogin ? await readLogin(take) : undefined;
    if (hasLogin) near.write(Uint8Array.of(1, 0));
    const [, , , kind = 0] = await take(4);
    const host = await readHost(take, kind);
    const port = (await take(2)).readUInt16BE(0);
    asked.push({ host, port, login });
    for (const look of waiting) look();
    const ip = kind === 3 ? names[host] : host;
    if (refuses || ip === undefined) return void near.end(reply(refuses ? 2 : 4));
    const far = connect({ host: ip, port, localAddress: SOCKS_SOURCE });
    sockets.add(far);
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    await once(far, 'connect');
    near.write(reply(0));
    take.rest(far);
    far.pipe(near);
  };
  const server = createServer((near) => {
    sockets.add(near);
    near.on('error', () => {});
    serve(near).catch(() => near.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    whenAsked: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (asked.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Take = ((count: number) => Promise<Buffer>) & { readonly rest: (to: Socket) => void };

/** Takes exactly so many bytes, then hands all that follows to another socket. */
function reader(socket: Socket): Take {
  const take = async (count: number): Promise<Buffer> => {
    for (;;) {
      const bytes: Buffer | null = count === 0 ? Buffer.alloc(0) : socket.read(count);
      if (bytes !== null) return bytes;
      await once(socket, 'readable');
    }
  };
  return Object.assign(take, { rest: (to: Socket) => void socket.pipe(to) });
}

async function readLogin(take: Take): Promise<string> {
  const [, userLength = 0] = await take(2);
  const user = await take(userLength);
  const [passwordLength = 0] = await take(1);
  return `${user.toString()}:${(await take(passwordLength)).toString()}`;
}

async function readHost(take: Take, kind: number): Promise<string> {
  if (kind === 1) return [...(await take(4))].join('.');
  if (kind === 3) return (await take((await take(1))[0] ?? 0)).toString();
  const bytes = await take(16);
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16)).join(':');
}

function reply(status: number): Uint8Array {
  return Uint8Array.of(5, status, 0, 1, 0, 0, 0, 0, 0, 0);
}
