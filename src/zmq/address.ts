/** Where a publisher is reached, in libzmq's words: `tcp://127.0.0.1:28332`, `tcp://*:28332`, `ipc:///run/starling.sock`. */
import { isIP } from 'node:net';
import { NodeError } from '#util';

export type ZmqAddress =
  /** `host` undefined: every interface. Port 0 takes a free one. */
  | { readonly kind: 'tcp'; readonly host: string | undefined; readonly port: number }
  | { readonly kind: 'ipc'; readonly path: string };

/** What sun_path holds, without the zero at its end (Linux has 108 bytes, macOS 104). */
const MAX_PATH_BYTES = 103;
const MAX_SHOWN_CHARS = 120;

/** Throws NodeError `BAD_CONFIG`, which names the option. */
export function parseZmqAddress(text: string, option: string): ZmqAddress {
  const [, host, port] = /^tcp:\/\/(\*|\[[0-9a-fA-F:.]+\]|[^[\]:*/]+):(\*|\d{1,5})$/.exec(text) ?? [];
  if (host !== undefined && port !== undefined) {
    const plain = host.replace(/^\[|\]$/g, '');
    const isKnown = host === '*' || host === 'localhost' || (host === plain ? isIP(plain) === 4 : isIP(plain) === 6);
    const number = port === '*' ? 0 : Number(port);
    if (isKnown && number <= 65_535) return { kind: 'tcp', host: host === '*' ? undefined : plain, port: number };
  }
  // Core 28 writes unix: for it.
  const [, path] = /^(?:ipc:\/\/|unix:)([^@\0][^\0]*)$/.exec(text) ?? [];
  if (path !== undefined && Buffer.byteLength(path) <= MAX_PATH_BYTES) return { kind: 'ipc', path };
  const wanted = `tcp://IP:PORT or ipc://PATH (at most ${MAX_PATH_BYTES} bytes) is expected`;
  throw new NodeError('BAD_CONFIG', `Invalid -${option} address ${text.slice(0, MAX_SHOWN_CHARS)}: ${wanted}`);
}

export function zmqAddressText(address: ZmqAddress): string {
  if (address.kind === 'ipc') return `ipc://${address.path}`;
  const { host = '*', port } = address;
  return `tcp://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

/** Whether only programs of this machine reach it. */
export function isLocal(address: ZmqAddress): boolean {
  if (address.kind === 'ipc') return true;
  const { host = '' } = address;
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
