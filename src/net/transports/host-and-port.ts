/** Where to connect to for a TCP multiaddr: ip or name, and port. */
import type { Multiaddr } from '@multiformats/multiaddr';

export function hostAndPort(address: Multiaddr): { readonly host: string; readonly port: number } {
  const [host, port] = address.getComponents();
  return { host: host?.value ?? '', port: Number(port?.value) };
}
