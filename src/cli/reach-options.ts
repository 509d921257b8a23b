/** Flags about how the node reaches others and is reached. Rows of the one table in `options.ts`. */
import { list, single, toggle } from './option-row.ts';
import { announcedAddress, path, socksProxy } from './values.ts';

export const REACH_OPTIONS = {
  psk: single({
    flag: 'psk',
    value: 'FILE',
    help: 'a private network: only nodes with the same key file connect; "starling psk" makes one',
    commands: ['node'],
    parse: path,
    default: undefined,
  }),
  proxy: single({
    flag: 'proxy',
    value: 'URL',
    help: 'dial by a SOCKS5 server, socks5://[user:password@]host:port, and accept nobody unless --listen is given',
    commands: ['node'],
    parse: socksProxy,
    default: undefined,
  }),
  announce: list({
    flag: 'announce',
    value: 'ADDR',
    help: 'tell others this multiaddr of ours, for a forwarded port or a reverse proxy; may be repeated',
    commands: ['node'],
    parse: announcedAddress,
    default: [],
  }),
  relay: toggle({
    flag: 'relay',
    help: 'carry connections of nodes that cannot be reached, within limits',
    commands: ['node'],
  }),
  upnp: toggle({
    flag: 'upnp',
    help: 'ask the router to let connections in',
    commands: ['node'],
  }),
  mdns: toggle({
    flag: 'mdns',
    help: 'find nodes of the local network, and be found there',
    commands: ['node'],
  }),
};
