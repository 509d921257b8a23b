/** Single peers: who is connected, who shall be, and where others are. */
import { endpointOf, hostAndPort, networkName } from '../core-io/multiaddr.ts';
import { peerJson } from '../core-io/peer-json.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { shown } from '../table/args.ts';
import { helpText } from '../table/help-text.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';
import { PEER_RESULT } from './described-peer.ts';

const NOTHING = [result.none('', '')];
const NETWORK_NAMES: readonly string[] = ['ipv4', 'ipv6', 'onion', 'i2p', 'cjdns'];

const ADD_NODE: RpcMethod = {
  name: 'addnode',
  category: 'network',
  about:
    'Attempts to add or remove a node from the addnode list.\n' +
    'Or try a connection to a node once.\n' +
    'Nodes added using addnode (or --connect) are protected from DoS disconnection.',
  params: [
    param.string('node', 'The address of the peer: a multiaddr with its /p2p/ id'),
    param.string(
      'command',
      "'add' to add a node to the list, 'remove' to remove a node from the list, 'onetry' to try a connection to the node once",
    ),
    param.boolean('v2transport', 'Has no effect here: every connection is encrypted', { optional: true }),
  ],
  results: NOTHING,
  examples: [
    {
      cli: '"/ip4/192.168.0.6/tcp/8333/p2p/12D3KooW..." "onetry"',
      json: '"/ip4/192.168.0.6/tcp/8333/p2p/12D3KooW...", "onetry"',
    },
  ],
  handler: addNode,
};

export const PEER_METHODS: readonly RpcMethod[] = [
  {
    name: 'getpeerinfo',
    category: 'network',
    about: 'Returns data about each connected network peer as a json array of objects.',
    params: [],
    results: [result.array('', '', [PEER_RESULT])],
    examples: [{ cli: '', json: '' }],
    handler: async ({ node, peerNumbers }) => {
      const { height } = node.chain.tip();
      return peerNumbers.of(await node.peers.list()).map(([number, peer]) => peerJson(number, peer, height));
    },
  },
  ADD_NODE,
  {
    name: 'disconnectnode',
    category: 'network',
    about:
      'Immediately disconnects from the specified peer node.\n' +
      "\nStrictly one out of 'address' and 'nodeid' can be provided to identify the node.\n" +
      "\nTo disconnect by nodeid, either set 'address' to the empty string, or call using the named 'nodeid' argument only.",
    params: [
      param.string('address', 'The IP address/port of the node, its multiaddr or its peer id', {
        hint: 'fallback to nodeid',
      }),
      param.number('nodeid', 'The node ID (see getpeerinfo for node IDs)', { hint: 'fallback to address' }),
    ],
    results: NOTHING,
    examples: [
      { cli: '"192.168.0.6:8333"', json: '"192.168.0.6:8333"' },
      { cli: '"" 1', json: '"", 1' },
    ],
    handler: disconnectNode,
  },
  {
    name: 'getaddednodeinfo',
    category: 'network',
    about:
      'Returns information about the given added node, or all added nodes\n' +
      '(note that onetry addnodes are not listed here)',
    params: [
      param.string(
        'node',
        'If provided, return information about this specific node, otherwise all nodes are returned.',
        { hint: 'all nodes' },
      ),
    ],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.string('addednode', 'The node address (as provided to addnode)'),
          result.boolean('connected', 'If connected'),
          result.array('addresses', 'Only when connected = true', [
            result.object('', '', [
              result.string('address', "The IP and port we're connected to"),
              result.string('connected', 'connection, inbound or outbound'),
            ]),
          ]),
          result.string('peerid', 'The libp2p peer id'),
        ]),
      ]),
    ],
    examples: [{ cli: '', json: '' }],
    handler: addedNodeInfo,
  },
  {
    name: 'getnodeaddresses',
    category: 'network',
    about:
      'Return known addresses, after filtering for quality and recency.\n' +
      'These can potentially be used to find new peers in the network.\n' +
      'The total number of addresses known to the node may be higher.',
    params: [
      param.number('count', 'The maximum number of addresses to return. Specify 0 to return all known addresses.', {
        default: 1,
      }),
      param.string(
        'network',
        `Return only addresses of the specified network. Can be one of: ${NETWORK_NAMES.join(', ')}.`,
        { hint: 'all networks' },
      ),
    ],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.time('time', 'The UNIX epoch time when the node was last seen'),
          result.number('services', 'The services offered by the node; 0 as long as nobody asked it'),
          result.string('address', 'The address of the node'),
          result.number('port', 'The port number of the node'),
          result.string('network', 'The network the node connected through'),
          result.string('peerid', 'The libp2p peer id'),
          result.string('multiaddr', 'The multiaddr, without the peer id'),
        ]),
      ]),
    ],
    examples: [{ cli: '8', json: '8' }],
    handler: nodeAddresses,
  },
];

async function addNode({ args, node: { peers } }: RpcCall): Promise<JsonValue> {
  const address = args.string('node');
  switch (args.string('command')) {
    case 'add':
      return done(await peers.add(address), address);
    case 'remove':
      return done(await peers.remove(address), address);
    case 'onetry':
      return done(await peers.tryOnce(address), address);
    default:
      throw new RpcError(RpcCode.misc, helpText(ADD_NODE));
  }
}

type Outcome =
  | 'added'
  | 'already-added'
  | 'full'
  | 'invalid'
  | 'removed'
  | 'not-added'
  | 'connected'
  | 'failed'
  | 'busy';

function done(outcome: Outcome, address: string): null {
  switch (outcome) {
    case 'already-added':
      throw new RpcError(RpcCode.nodeAlreadyAdded, 'Error: Node already added');
    case 'not-added': {
      const message = 'Error: Node could not be removed. It has not been added previously.';
      throw new RpcError(RpcCode.nodeNotAdded, message);
    }
    case 'full':
      throw new RpcError(RpcCode.misc, 'Error: Too many nodes are added');
    case 'busy':
      throw new RpcError(RpcCode.misc, 'Error: Too many connections are being tried');
    case 'invalid':
      throw invalidParameter(`Error: Not a multiaddr with /p2p/ id: ${shown(address)}`);
    default:
      // Also where nobody answered: Core does not tell.
      return null;
  }
}

async function disconnectNode({ args, node: { peers }, peerNumbers }: RpcCall): Promise<JsonValue> {
  const address = args.has('address') ? args.string('address') : '';
  const hasNumber = args.has('nodeid');
  if (hasNumber ? address !== '' : !args.has('address')) {
    throw new RpcError(RpcCode.invalidParams, 'Only one of address and nodeid should be provided.');
  }
  const wanted = hasNumber ? await idNumbered() : address;
  if (wanted === undefined || (await peers.disconnect(wanted)) === 0) {
    throw new RpcError(RpcCode.nodeNotConnected, 'Node not found in connected nodes');
  }
  return null;

  async function idNumbered(): Promise<string | undefined> {
    const number = args.int('nodeid');
    return peerNumbers.of(await peers.list()).find(([each]) => each === number)?.[1].id;
  }
}

async function addedNodeInfo({ args, node }: RpcCall): Promise<JsonValue> {
  const added = await node.peers.added();
  const name = args.has('node') ? args.string('node') : undefined;
  const wanted = added.filter(({ id, addresses }) => name === undefined || name === id || addresses.includes(name));
  if (name !== undefined && wanted.length === 0) {
    throw new RpcError(RpcCode.nodeNotAdded, 'Error: Node has not been added.');
  }
  return wanted.map(({ id, addresses, connected }): JsonObject => {
    const connection = connected && { address: hostAndPort(connected.address), connected: connected.direction };
    return {
      addednode: addresses[0] ?? id,
      connected: connected !== undefined,
      addresses: connection === undefined ? [] : [connection],
      peerid: id,
    };
  });
}

async function nodeAddresses({ args, node }: RpcCall): Promise<JsonValue> {
  const count = args.int('count');
  if (count < 0) throw invalidParameter('Address count out of range');
  const network = args.has('network') ? args.string('network').toLowerCase() : undefined;
  if (network !== undefined && !NETWORK_NAMES.includes(network)) {
    throw invalidParameter(`Network not recognized: ${shown(args.string('network'))}`);
  }
  const known = await node.peers.addresses(network === undefined ? count : 0);
  const rows = known.flatMap(({ id, address, lastSeenAt }): JsonObject[] => {
    const endpoint = endpointOf(address);
    if (endpoint === undefined || (network !== undefined && networkName(address) !== network)) return [];
    return [
      {
        time: Math.floor(lastSeenAt / 1000),
        services: 0,
        address: endpoint.host,
        port: endpoint.port,
        network: networkName(address),
        peerid: id,
        multiaddr: address,
      },
    ];
  });
  return count === 0 ? rows : rows.slice(0, count);
}
