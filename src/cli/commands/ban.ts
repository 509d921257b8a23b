/** `starling ban`: whom a running node keeps out, by the word of who runs it. */
import process from 'node:process';
import { RpcCode } from '#rpc';
import { NodeError } from '#util';
import { ExitCode } from '../exit-codes.ts';
import { duration, plural, table } from '../format.ts';
import { visible } from '../log-lines.ts';
import type { Settings } from '../options.ts';
import { type Answer, callNode, resultOf } from '../rpc-client.ts';

const USAGE = '"starling ban list", "starling ban add TARGET", "starling ban lift TARGET" or "starling ban clear"';

export async function runBan(settings: Settings, words: readonly string[]): Promise<ExitCode> {
  const [action = 'list', target, more] = words;
  const takesTarget = action === 'add' || action === 'lift';
  const isUsage = ['list', 'add', 'lift', 'clear'].includes(action) && more === undefined;
  if (!isUsage || takesTarget !== (target !== undefined)) throw new NodeError('BAD_CONFIG', `${USAGE} is expected`);
  if (action !== 'add' && (settings.for !== undefined || settings.reason !== undefined)) {
    throw new NodeError('BAD_CONFIG', '--for and --reason go with "starling ban add TARGET"');
  }
  process.stdout.write(`${await textOf(settings, action, target ?? '')}\n`);
  return ExitCode.ok;
}

async function textOf(settings: Settings, action: string, target: string): Promise<string> {
  switch (action) {
    case 'add':
      return add(settings, target);
    case 'lift':
      return lift(settings, target);
    case 'clear':
      await resultOf(settings, 'clearbanned');
      return 'all bans are lifted';
    default: {
      const answer = await resultOf(settings, 'listbanned');
      return settings.json ? JSON.stringify(answer, undefined, 2) : banLines(answer).join('\n');
    }
  }
}

async function add(settings: Settings, target: string): Promise<string> {
  const { for: seconds, reason = '' } = settings;
  // 0: the node's own default, as Core's.
  const reply = await callNode(settings, 'setban', [target, 'add', seconds ?? 0, false, reason]);
  if (reply.kind === 'result') return `${target} is banned for ${seconds === undefined ? 'a day' : duration(seconds)}`;
  switch (reply.code) {
    case RpcCode.invalidIpOrSubnet:
      throw new NodeError('BAD_CONFIG', `"${target}" is no peer id, IP address or subnet such as 192.0.2.0/24`);
    case RpcCode.nodeAlreadyAdded:
      throw new NodeError(
        'BAD_CONFIG',
        `${target} is banned already, or a subnet around it; "starling ban list" shows it, "starling ban lift" ends it`,
      );
    default:
      throw new NodeError('NETWORK', `the node did not ban ${target}: ${reply.message}`);
  }
}

async function lift(settings: Settings, target: string): Promise<string> {
  const reply = await callNode(settings, 'setban', [target, 'remove']);
  if (reply.kind === 'result') return `${target} is not banned any more`;
  if (reply.code !== RpcCode.invalidIpOrSubnet) {
    throw new NodeError('NETWORK', `the node did not lift the ban of ${target}: ${reply.message}`);
  }
  throw new NodeError('BAD_CONFIG', `no ban is for "${target}"; "starling ban list" shows what can be lifted`);
}

export function banLines(answer: unknown): readonly string[] {
  const bans = Array.isArray(answer) ? (answer as readonly Answer[]) : [];
  const rows = bans.map((ban) => [
    String(ban['address']),
    dateTime(Number(ban['ban_created'])),
    duration(Number(ban['time_remaining'])),
    visible(String(ban['ban_reason'] ?? '')),
  ]);
  const lines = table(['left', 'left', 'right', 'left'], [['banned', 'since (UTC)', 'still', 'reason'], ...rows]);
  return [...(bans.length === 0 ? [] : lines), plural(bans.length, 'ban')];
}

const dateTime = (unixSeconds: number): string =>
  new Date(unixSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
