/** From flags to the node's options on how it reaches others. */
import type { NodeOptions } from '#node';
import type { Settings } from './options.ts';

export function reachSettings({
  psk,
  proxy,
  announce,
  relay,
  upnp,
  mdns,
}: Settings): NonNullable<NodeOptions['reach']> {
  return { pskFile: psk, proxy, announce, isRelay: relay, usesUpnp: upnp, usesMdns: mdns };
}

/** None behind a proxy unless asked for, as Core's -proxy sets -listen=0: what listens can be found. */
export function listenAddresses({ listen, proxy }: Settings, anywhere: string): readonly string[] {
  if (listen.length === 0) return proxy === undefined ? [anywhere] : [];
  return listen.filter((address) => address !== 'none');
}
