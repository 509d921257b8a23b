/** How we reach others and are reached: settings beside the addresses. Plain data: they cross into the worker. */
import { NodeError } from '#util';

/** A SOCKS5 server (RFC 1928). */
export type ProxyAddress = {
  readonly host: string;
  readonly port: number;
  /** Undefined: other random ones for each connection, so that Tor takes another circuit (Core's -proxyrandomize). */
  readonly login: { readonly user: string; readonly password: string } | undefined;
};

export type ReachOptions = {
  /** The swarm key of a private network: only nodes that have it can connect. */
  readonly pskFile: string | undefined;
  /** Everything that we dial goes through it, names are looked up by it, and nothing looks for ways around it. */
  readonly proxy: ProxyAddress | undefined;
  /** Multiaddrs under which others reach us, as the operator knows: a forwarded port, a reverse proxy. */
  readonly announce: readonly string[];
  /** Carry connections of others who cannot be reached, within limits. */
  readonly isRelay: boolean;
  /** Ask the router to let connections in. */
  readonly usesUpnp: boolean;
  /** Find nodes on the local network, and be found there. */
  readonly usesMdns: boolean;
};

const NONE: ReachOptions = {
  pskFile: undefined,
  proxy: undefined,
  announce: [],
  isRelay: false,
  usesUpnp: false,
  usesMdns: false,
};

/** Throws NodeError BAD_CONFIG if two settings contradict each other. */
export function completeReach(given: Partial<ReachOptions> = {}): ReachOptions {
  const reach = { ...NONE, ...given };
  const around = [reach.usesUpnp && 'upnp', reach.usesMdns && 'mdns', reach.isRelay && 'relay'].filter(
    (name) => name !== false,
  );
  if (reach.proxy !== undefined && around.length > 0) {
    throw new NodeError(
      'BAD_CONFIG',
      `${around.join(' and ')} would show who is behind the proxy: use one or the other`,
    );
  }
  return reach;
}
