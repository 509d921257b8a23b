/** The network as a whole: what this node is to it, and what went over it. */
import { VERSION } from '#util';
import { endpointOf, networkName } from '../core-io/multiaddr.ts';
import { PROTOCOL_VERSION } from '../core-io/peer-json.ts';
import { localServices, servicesHex, servicesNames } from '../core-io/services.ts';
import { timeOffset } from '../core-io/time-offset.ts';
import { endpointText } from '../http/hosts.ts';
import { amount, type JsonObject } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

/**
 * What tools ask for to know which calls and fields there are: those of Core 27.0, as a number and, for LND's client, as the
 * first part of a user agent (BIP14), as other nodes with Core's calls write it.
 */
const CORE_VERSION = 270_000;
const SUBVERSION = `/Satoshi:27.0.0/Starling:${VERSION}/`;
/** Core's networks; ours has the first two. */
const NETWORKS: readonly string[] = ['ipv4', 'ipv6', 'onion', 'i2p', 'cjdns'];
const REACHABLE: readonly string[] = ['ipv4', 'ipv6'];
const NO_PARAMS = [{ cli: '', json: '' }];

export const NETWORK_METHODS: readonly RpcMethod[] = [
  {
    name: 'getnetworkinfo',
    category: 'network',
    about: 'Returns an object containing various state info regarding P2P networking.',
    params: [],
    results: [
      result.object('', '', [
        result.number('version', 'the version of Bitcoin Core whose calls this server speaks'),
        result.string('subversion', 'the server subversion string'),
        result.number('protocolversion', 'the protocol version'),
        result.hex('localservices', 'the services we offer to the network'),
        result.array('localservicesnames', 'the services we offer to the network, in human-readable form', [
          result.string('SERVICE_NAME', 'the service name'),
        ]),
        result.boolean('localrelay', 'true if transaction relay is requested from peers'),
        result.number('timeoffset', 'the time offset'),
        result.boolean('networkactive', 'whether p2p networking is enabled'),
        result.number('connections', 'the total number of connections'),
        result.number('connections_in', 'the number of inbound connections'),
        result.number('connections_out', 'the number of outbound connections'),
        result.array('networks', 'information per network', [
          result.object('', '', [
            result.string('name', `network (${NETWORKS.join(', ')})`),
            result.boolean('limited', 'is the network limited using -onlynet?'),
            result.boolean('reachable', 'is the network reachable?'),
            result.string('proxy', '("host:port") the proxy that is used for this network, or empty if none'),
            result.boolean('proxy_randomize_credentials', 'Whether randomized credentials are used'),
          ]),
        ]),
        result.number('relayfee', 'minimum relay fee rate for transactions in BTC/kvB'),
        result.number('incrementalfee', 'minimum fee rate increment for mempool limiting or replacement in BTC/kvB'),
        result.array('localaddresses', 'list of local addresses', [
          result.object('', '', [
            result.string('address', 'network address'),
            result.number('port', 'network port'),
            result.number('score', 'relative score'),
          ]),
        ]),
        result.string('warnings', 'any network and blockchain warnings'),
        result.string('peerid', "this node's libp2p peer id"),
        result.array('multiaddrs', 'multiaddrs that others can dial', [result.string('', 'multiaddr with peer id')]),
        result.string('reachability', 'how others can reach us: direct, relayed, unverified or none'),
      ]),
    ],
    examples: NO_PARAMS,
    handler: networkInfo,
  },
  {
    name: 'getconnectioncount',
    category: 'network',
    about: 'Returns the number of connections to other nodes.',
    params: [],
    results: [result.number('', 'The connection count')],
    examples: NO_PARAMS,
    handler: async ({ node }) => (await node.peers.list()).length,
  },
  {
    name: 'getnettotals',
    category: 'network',
    about: 'Returns information about network traffic, including bytes in, bytes out,\nand current system time.',
    params: [],
    results: [
      result.object('', '', [
        result.number('totalbytesrecv', 'Total bytes received'),
        result.number('totalbytessent', 'Total bytes sent'),
        result.time('timemillis', 'Current system UNIX epoch time in milliseconds'),
        result.object('uploadtarget', '', [
          result.number('timeframe', 'Length of the measuring timeframe in seconds'),
          result.number('target', 'Target in bytes'),
          result.boolean('target_reached', 'True if target is reached'),
          result.boolean('serve_historical_blocks', 'True if serving historical blocks'),
          result.number('bytes_left_in_cycle', 'Bytes left in current time cycle'),
          result.number('time_left_in_cycle', 'Seconds left in current time cycle'),
        ]),
      ]),
    ],
    examples: NO_PARAMS,
    handler: netTotals,
  },
  {
    name: 'setnetworkactive',
    category: 'network',
    about: 'Disable/enable all p2p network activity.',
    params: [param.boolean('state', 'true to enable networking, false to disable')],
    results: [result.boolean('', 'The value that was passed in')],
    examples: [],
    handler: async ({ args, node }) => {
      await node.peers.setActive(args.boolean('state'));
      return args.boolean('state');
    },
  },
  {
    name: 'ping',
    category: 'network',
    about:
      'Requests that a ping be sent to all other nodes, to measure ping time.\n' +
      'Results provided in getpeerinfo, pingtime and pingwait fields are decimal seconds.',
    params: [],
    results: [result.none('', '')],
    examples: NO_PARAMS,
    handler: async ({ node }) => {
      await node.peers.pingAll();
      return null;
    },
  },
];

async function networkInfo({ node }: RpcCall): Promise<JsonObject> {
  const { chain, mempool } = node;
  const [{ net }, peers] = await Promise.all([node.status(), node.peers.list()]);
  const inbound = peers.filter(({ direction }) => direction === 'inbound').length;
  const services = localServices(chain.pruneTargetBytes() !== undefined);
  const { minRelayFeeSatPerKvb, incrementalFeeSatPerKvb } = mempool.options;
  const { proxy } = node.peers;
  const outboundOffsets = peers.flatMap(({ direction, claims }) =>
    direction === 'outbound' && claims !== undefined ? [claims.timeOffsetSeconds] : [],
  );
  return {
    version: CORE_VERSION,
    subversion: SUBVERSION,
    protocolversion: PROTOCOL_VERSION,
    localservices: servicesHex(services),
    localservicesnames: servicesNames(services),
    localrelay: true,
    timeoffset: timeOffset(outboundOffsets),
    networkactive: net.isActive,
    connections: peers.length,
    connections_in: inbound,
    connections_out: peers.length - inbound,
    networks: NETWORKS.map((name) => ({
      name,
      limited: !REACHABLE.includes(name),
      reachable: REACHABLE.includes(name),
      proxy: proxy === undefined || !REACHABLE.includes(name) ? '' : endpointText(proxy),
      proxy_randomize_credentials: REACHABLE.includes(name) && proxy?.isRandomized === true,
    })),
    relayfee: amount(BigInt(minRelayFeeSatPerKvb)),
    incrementalfee: amount(BigInt(incrementalFeeSatPerKvb)),
    localaddresses: net.listenAddresses.flatMap((address) => {
      const endpoint = endpointOf(address);
      const isPublic = networkName(address) !== 'not_publicly_routable';
      return endpoint === undefined || !isPublic ? [] : [{ address: endpoint.host, port: endpoint.port, score: 1 }];
    }),
    warnings: '',
    peerid: net.peerId,
    multiaddrs: net.listenAddresses,
    reachability: net.reachability,
  };
}

async function netTotals({ node, clock }: RpcCall): Promise<JsonObject> {
  const [{ bytesIn, bytesOut }, { upload }] = await Promise.all([node.peers.totals(), node.status()]);
  return {
    totalbytesrecv: bytesIn,
    totalbytessent: bytesOut,
    timemillis: clock.now(),
    uploadtarget: {
      timeframe: Math.floor(upload.cycleMs / 1000),
      target: upload.targetBytes,
      target_reached: upload.isReached,
      serve_historical_blocks: upload.servesHistoricalBlocks,
      bytes_left_in_cycle: upload.bytesLeftInCycle,
      time_left_in_cycle: Math.floor(upload.timeLeftInCycleMs / 1000),
    },
  };
}
