/** libp2p's TCP transport whose connections are opened by our function. Its listener stays as it is. */
import { tcp } from '@libp2p/tcp';
import type { Multiaddr } from '@multiformats/multiaddr';
import { assert } from '#util';
import type { Connect } from './connect.ts';
import { hostAndPort } from './host-and-port.ts';

export type TcpFactory = ReturnType<typeof tcp>;
export type TcpInit = Parameters<typeof tcp>[0];

export function tcpDialledBy(connect: Connect, init: TcpInit): TcpFactory {
  const make = tcp(init);
  return (components) => {
    const transport = make(components);
    // Private to libp2p, and the only way in. Should it go, a dial must fail here rather than pass a proxy by.
    assert(typeof Reflect.get(transport, '_connect') === 'function', 'libp2p opens TCP connections in another way');
    const open = (to: Multiaddr, { signal }: { readonly signal: AbortSignal }) => connect(hostAndPort(to), signal);
    Reflect.set(transport, '_connect', open);
    return transport;
  };
}
