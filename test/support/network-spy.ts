/** Notes every way in which this process asks the system for a connection, a name or a datagram socket. */
import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';

export type NetworkSpy = Disposable & {
  /** `connect host:port from source`, `lookup name`, `datagram`. */
  readonly seen: readonly string[];
};

const LOOKUPS = ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveAny', 'resolveTxt'] as const;

export function spyOnNetwork(): NetworkSpy {
  const seen: string[] = [];
  using undo = new DisposableStack();
  const replace = (owner: object, name: string, note: (args: readonly unknown[]) => string): void => {
    const original: unknown = Reflect.get(owner, name);
    Reflect.set(owner, name, function (this: unknown, ...args: unknown[]): unknown {
      seen.push(note(args));
      return Reflect.apply(original as () => unknown, this, args);
    });
    undo.defer(() => void Reflect.set(owner, name, original));
  };
  replace(Socket.prototype, 'connect', ([first]) => {
    const given: unknown = Array.isArray(first) ? first[0] : first;
    const { host, port, localAddress } = given as { host?: string; port?: number; localAddress?: string };
    return `connect ${host}:${port} from ${localAddress}`;
  });
  for (const name of LOOKUPS) {
    for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
      if (name in owner) replace(owner, name, ([asked]) => `lookup ${asked}`);
    }
  }
  replace(dgram, 'createSocket', () => 'datagram');
  syncBuiltinESMExports();
  undo.defer(syncBuiltinESMExports);
  const restore = undo.move();
  return { seen, [Symbol.dispose]: () => restore.dispose() };
}
