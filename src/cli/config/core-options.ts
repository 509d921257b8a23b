/**
 * Bitcoin Core's options, by name. One that is spelled as a flag of ours without its dashes is that flag. Here stand those
 * that are something else, and all that have no counterpart, with what serves instead.
 */
import type { OptionRow } from '../option-row.ts';
import { OPTIONS, type OptionName } from '../options.ts';
import {
  type Conversion,
  categoryLevel,
  categoryName,
  coreFlag,
  filterIndex,
  listens,
  mapFile,
  multiaddr,
  onlyNetwork,
  onlyPeers,
  pruneTarget,
  scriptThreads,
  socksServer,
  uploadTarget,
} from './core-values.ts';

/** Options that say which chain, each alone, and the chain they say. */
export const CHAIN_SWITCHES: Readonly<Record<string, string>> = {
  testnet: 'testnet3',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
};

/** What converts the values of an option that we have by another name, or with other values. */
const CONVERTED: Readonly<Record<string, Conversion>> = {
  addnode: multiaddr('connect'),
  asmap: mapFile,
  blockfilterindex: filterIndex,
  connect: onlyPeers,
  debug: categoryName,
  listen: listens,
  loglevel: categoryLevel,
  maxconnections: (text) => [['max-peers', text]],
  maxuploadtarget: uploadTarget,
  onlynet: onlyNetwork,
  par: scriptThreads,
  proxy: socksServer,
  prune: pruneTarget,
  seednode: multiaddr('bootstrap'),
};

/** Ours for those that are another word. */
const OWN_NAMES: Readonly<Record<string, string>> = {
  addnode: 'connect',
  debug: 'log-module',
  loglevel: 'log-level',
  maxconnections: 'max-peers',
  maxuploadtarget: 'max-upload',
  seednode: 'bootstrap',
};

/** Where several values count together. */
const LISTS: readonly string[] = ['addnode', 'connect', 'debug', 'loglevel', 'onlynet', 'seednode'];

/** They count outside of mainnet only in the chain's own section (ArgsManager::NETWORK_ONLY). */
const NETWORK_ONLY: readonly string[] = ['addnode', 'bind', 'connect', 'port', 'rpcbind', 'rpcport', 'wallet'];

const WALLET = 'there is no wallet in the node';
const BITCOIN_PEERS = 'it is about Bitcoin’s own peer protocol, which is not spoken here';
const ADDRESSES = 'peers are found by --bootstrap and the DHT';
const LISTEN = 'use --listen /ip4/ADDRESS/tcp/PORT';
const RPC = 'there is no such RPC setting';
const NOTIFY = 'no commands are run; programs listen to --zmqpub…, or to the RPC server’s /events';
const FIXED = 'it is fixed here';
const TESTS = 'it is for Core’s own tests';
const LOG = 'use --log-level, --log-module and --log-format';

/** Names, and what serves instead. Where a flag of ours has the name, the flag goes before this. */
const WITHOUT_COUNTERPART: readonly (readonly [names: string, instead: string])[] = [
  [
    'addresstype avoidpartialspends changetype consolidatefeerate disablewallet discardfee fallbackfee keypool maxapsfee ' +
      'maxtxfee mintxfee paytxfee signer spendzeroconfchange txconfirmtarget wallet walletbroadcast walletdir ' +
      'walletnotify walletrbf walletrejectlongchains walletcrosschain dblogsize flushwallet privdb swapbdbendian ' +
      'unsafesqlitesync',
    WALLET,
  ],
  ['discover dns dnsseed fixedseeds forcednsseed', ADDRESSES],
  ['bind port whitebind', LISTEN],
  ['externalip', 'use --announce'],
  ['natpmp', 'use --upnp'],
  ['onion', 'no onion addresses are dialled; --proxy sends everything by Tor'],
  ['listenonion torcontrol torpassword i2psam i2pacceptincoming cjdnsreachable', 'use --proxy to go by Tor'],
  ['proxyrandomize', 'logins of the proxy are in the URL of --proxy'],
  ['whitelist whitelistrelay whitelistforcerelay', 'no peer has permissions of its own'],
  ['blocksonly', 'every node relays transactions'],
  ['bantime', 'bans end after 24 hours'],
  [
    'capturemessages maxreceivebuffer maxsendbuffer networkactive peerblockfilters peerbloomfilters peertimeout timeout ' +
      'txreconciliation v2transport uacomment',
    BITCOIN_PEERS,
  ],
  [
    'rpcallowip rpcauth rpcbind rpccookiefile rpccookieperms rpcdoccheck rpcpassword rpcport rpcservertimeout ' +
      'rpcthreads rpcuser rpcwhitelist rpcwhitelistdefault rpcworkqueue deprecatedrpc server rpcconnect rpcwait ' +
      'rpcclienttimeout rpcwaittimeout',
    RPC,
  ],
  ['alertnotify blocknotify startupnotify shutdownnotify', NOTIFY],
  ['daemon daemonwait pid sysperms', 'a service manager starts it: config/systemd has a unit'],
  ['loadblock', 'use "starling import FILE"'],
  ['blocksdir', 'blocks lie in the data directory; its blocks/ may be a link'],
  ['settings', 'settings are read from --config alone'],
  ['txindex blockfilterindex coinstatsindex', 'there is no such index'],
  ['debugexclude debuglogfile logips loglevelalways logratelimit logsourcelocations logthreadnames', LOG],
  ['logtimemicros logtimestamps printtoconsole shrinkdebugfile', LOG],
  [
    'allowignoredconf blockmaxweight blockmintxfee blockreconstructionextratxn blockreservedweight blocksxor ' +
      'blockversion dbbatchsize maxorphantx maxsigcachesize persistmempoolv1 printpriority',
    FIXED,
  ],
  [
    'acceptstalefeeestimates addrmantest checkaddrman checkblockindex checkblocks checklevel checkmempool ' +
      'dropmessagestest limitclustercount limitclustersize maxtipage mocktime stopafterblockimport stopatheight test ' +
      'vbparams signetseednode help-debug',
    TESTS,
  ],
  ['choosedatadir lang min resetguisettings splash uiplatform', 'there are no windows'],
];

const INSTEAD: ReadonlyMap<string, string> = new Map(
  WITHOUT_COUNTERPART.flatMap(([names, instead]) => names.split(' ').map((name) => [name, instead] as const)),
);

/** They would change which chain is followed, or who can see what: to go on without them would be wrong. */
const REFUSED: Readonly<Record<string, string>> = {
  conf: 'a configuration file is named on the command line; includeconf= reads another',
  signetchallenge: 'a network file holds it: use --network FILE',
};

/** Flags, and Core's spelling of them: without dashes. What names a file of settings is not set in one. */
const BY_NAME: ReadonlyMap<string, OptionName> = new Map(
  Object.entries<OptionRow<unknown>>(OPTIONS)
    .filter(([name]) => name !== 'config')
    .flatMap(([name, { flag }]) => [flag, flag.replaceAll('-', '')].map((key) => [key, name as OptionName] as const)),
);

/** The option of a flag, also spelled without dashes. */
export function optionNamed(name: string): OptionName | undefined {
  return BY_NAME.get(name);
}

export type Meaning =
  | {
      readonly kind: 'honoured';
      readonly isList: boolean;
      readonly isNetworkOnly: boolean;
      /** `no` before the name: the value 0, no value at all, or nothing that makes sense. */
      readonly negated: 'zero' | 'empty' | 'refused';
      readonly convert: Conversion;
    }
  | { readonly kind: 'unused' | 'refused'; readonly instead: string };

/** What a key of a bitcoin.conf means; undefined for one that neither Core has nor we. */
export function meaningOf(key: string): Meaning | undefined {
  const instead = INSTEAD.get(key);
  if (Object.hasOwn(REFUSED, key)) return { kind: 'refused', instead: REFUSED[key] ?? '' };
  const name = optionNamed(key);
  const converted = Object.hasOwn(CONVERTED, key) ? CONVERTED[key] : undefined;
  const convert = converted ?? (name && sameName(name));
  // An index is not there before its flag is.
  if (convert === undefined || (instead !== undefined && name === undefined)) {
    return instead === undefined ? undefined : { kind: 'unused', instead };
  }
  const isList = LISTS.includes(key) || (name !== undefined && OPTIONS[name].isList);
  const isText = name !== undefined && /FILE|DIR|NAME|ADDR|HOST|PASSWORD/.test(OPTIONS[name].value ?? '');
  const negated = converted !== undefined ? 'zero' : isList ? 'empty' : isText ? 'refused' : 'zero';
  return { kind: 'honoured', isList, isNetworkOnly: NETWORK_ONLY.includes(key), negated, convert };
}

function sameName(name: OptionName): Conversion {
  const { flag, default: value } = OPTIONS[name];
  return (text) => [[flag, typeof value === 'boolean' ? coreFlag(text) : text]];
}

/** Every name that a bitcoin.conf may hold, for suggestions. */
export const CORE_KEYS: readonly string[] = [
  ...Object.keys(CONVERTED),
  ...Object.keys(CHAIN_SWITCHES),
  ...['chain', 'includeconf'],
  ...BY_NAME.keys(),
  ...INSTEAD.keys(),
];

/** For who writes Core's name where ours is wanted. */
export function coreHint(key: string): string | undefined {
  const meaning = meaningOf(key);
  if (meaning?.kind === 'unused') return `, which is Bitcoin Core's: ${meaning.instead}`;
  const flag = OWN_NAMES[key];
  return flag === undefined ? undefined : ` (Bitcoin Core's; here it is "${flag}")`;
}
