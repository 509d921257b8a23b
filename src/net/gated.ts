/** libp2p's services as they are, but for a question of ours before each stream that they take and each peer they hear of. */

import type { identifyPush } from '@libp2p/identify';
import type { Connection, Stream } from '@libp2p/interface';

type Registrar = Parameters<ReturnType<typeof identifyPush>>[0]['registrar'];
export type HasRegistrar = { readonly registrar: Registrar };

export type Gates = {
  /** Whether the peer may open this stream now; if not it is reset. */
  readonly admits?: (protocol: string, connection: Connection, stream: Stream) => boolean;
  /** What a service threw over a stream that was admitted. libp2p resets it. */
  readonly failed?: (connection: Connection, error: unknown) => void;
  /** Whether a service may hear of this connection. */
  readonly tells?: (connection: Connection) => boolean;
};

/** To be given to a service instead of its components. */
export function gated<Components extends HasRegistrar>(
  components: Components,
  { admits = () => true, failed = () => {}, tells = () => true }: Gates,
): Components {
  const { registrar } = components;
  const handle: Registrar['handle'] = (protocol, handler, options) =>
    registrar.handle(
      protocol,
      async (stream, connection) => {
        if (!admits(protocol, connection, stream)) {
          stream.abort(new Error('refused'));
          return;
        }
        try {
          await handler(stream, connection);
        } catch (error) {
          failed(connection, error);
          throw error;
        }
      },
      options,
    );
  const register: Registrar['register'] = (protocol, topology) =>
    registrar.register(protocol, {
      ...topology,
      onConnect: (peer, connection) => {
        if (tells(connection)) topology.onConnect?.(peer, connection);
      },
    });
  return override(components, { registrar: override(registrar, { handle, register }) } as Partial<Components>);
}

/** The same with some members replaced. libp2p's components are behind a proxy that answers to reads alone. */
export function override<T extends object>(original: T, members: Partial<T>): T {
  return new Proxy(original, {
    get: (target, name) => {
      if (name in members) return Reflect.get(members, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
