/** Who must stay out by the operator's word. */
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { JsonValue } from '../json/value.ts';
import { helpText } from '../table/help-text.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

/** -bantime. */
const DEFAULT_BAN_SECONDS = 24 * 60 * 60;
const NO_PARAMS = [{ cli: '', json: '' }];

const SET_BAN: RpcMethod = {
  name: 'setban',
  category: 'network',
  about: 'Attempts to add or remove an IP/Subnet or a peer id from the banned list.',
  params: [
    param.string(
      'subnet',
      'The IP/Subnet (see getpeerinfo for nodes IP) with an optional netmask (default is /32 = single IP), or a peer id',
    ),
    param.string('command', "'add' to add an IP/Subnet to the list, 'remove' to remove an IP/Subnet from the list"),
    param.number(
      'bantime',
      'time in seconds how long (or until when if [absolute] is set) the IP is banned (0 or empty means using the default time of 24h)',
      { default: 0 },
    ),
    param.boolean('absolute', 'If set, the bantime must be an absolute timestamp expressed in UNIX epoch time', {
      default: false,
    }),
    param.string('reason', 'why, for listbanned', { default: '' }),
  ],
  results: [result.none('', '')],
  examples: [
    { cli: '"192.168.0.6" "add" 86400', json: '"192.168.0.6", "add", 86400' },
    { cli: '"192.168.0.0/24" "add"', json: '"192.168.0.0/24", "add"' },
  ],
  handler: setBan,
};

export const BAN_METHODS: readonly RpcMethod[] = [
  SET_BAN,
  {
    name: 'listbanned',
    category: 'network',
    about: 'List all manually banned IPs/Subnets and peer ids.',
    params: [],
    results: [
      result.array('', '', [
        result.object('', '', [
          result.string('address', 'The IP/Subnet of the banned node, or its peer id'),
          result.time('ban_created', 'The UNIX epoch time the ban was created'),
          result.time('banned_until', 'The UNIX epoch time the ban expires'),
          result.time('ban_duration', 'The ban duration, in seconds'),
          result.time('time_remaining', 'The time remaining until the ban expires, in seconds'),
          result.string('ban_reason', 'What setban was told', { optional: true }),
        ]),
      ]),
    ],
    examples: NO_PARAMS,
    handler: listBanned,
  },
  {
    name: 'clearbanned',
    category: 'network',
    about: 'Clear all banned IPs.',
    params: [],
    results: [result.none('', '')],
    examples: NO_PARAMS,
    handler: async ({ node }) => {
      await node.peers.clearBans();
      return null;
    },
  },
];

async function setBan({ args, node: { peers }, clock }: RpcCall): Promise<JsonValue> {
  const target = args.string('subnet');
  switch (args.string('command')) {
    case 'add':
      return banned(await peers.ban(target, { untilMs: banEndMs(), reason: args.string('reason') }));
    case 'remove': {
      const outcome = await peers.unban(target);
      if (outcome === 'invalid') return banned(outcome);
      if (outcome === 'lifted') return null;
      const message = 'Error: Unban failed. Requested address/subnet was not previously manually banned.';
      throw new RpcError(RpcCode.invalidIpOrSubnet, message);
    }
    default:
      throw new RpcError(RpcCode.misc, helpText(SET_BAN));
  }

  function banEndMs(): number {
    const seconds = args.int('bantime', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (args.boolean('absolute')) return seconds * 1000;
    return clock.now() + (seconds > 0 ? seconds : DEFAULT_BAN_SECONDS) * 1000;
  }
}

function banned(outcome: 'banned' | 'already-banned' | 'full' | 'in-the-past' | 'invalid'): null {
  switch (outcome) {
    case 'banned':
      return null;
    case 'already-banned':
      throw new RpcError(RpcCode.nodeAlreadyAdded, 'Error: IP/Subnet already banned');
    case 'in-the-past':
      throw invalidParameter('Error: Absolute timestamp is in the past');
    case 'full':
      throw new RpcError(RpcCode.misc, 'Error: Too many IPs/Subnets are banned');
    case 'invalid':
      throw new RpcError(RpcCode.invalidIpOrSubnet, 'Error: Invalid IP/Subnet');
  }
}

async function listBanned({ node, clock }: RpcCall): Promise<JsonValue> {
  const now = Math.floor(clock.now() / 1000);
  const bans = (await node.peers.bans()).filter(({ isByHand }) => isByHand);
  return bans.map(({ address, createdAt, bannedUntil, reason }) => {
    const [created, until] = [Math.floor(createdAt / 1000), Math.floor(bannedUntil / 1000)];
    return {
      address,
      ban_created: created,
      banned_until: until,
      ban_duration: until - created,
      time_remaining: until - now,
      ...(reason === '' ? {} : { ban_reason: reason }),
    };
  });
}
