/** `starling status`: what a running node says of its chain, its peers and its mempool. */
import process from 'node:process';
import { ExitCode } from '../exit-codes.ts';
import { bytes, duration, grouped, percent, table } from '../format.ts';
import type { Settings } from '../options.ts';
import { type Answer, resultOf } from '../rpc-client.ts';

export async function runStatus(settings: Settings): Promise<ExitCode> {
  const chain = await resultOf(settings, 'getblockchaininfo');
  const network = await resultOf(settings, 'getnetworkinfo');
  const mempool = await resultOf(settings, 'getmempoolinfo');
  const uptime = await resultOf(settings, 'uptime');
  const text = settings.json
    ? JSON.stringify({ chain, network, mempool, uptime }, undefined, 2)
    : table(['left', 'left'], statusRows(chain, network, mempool, Number(uptime))).join('\n');
  process.stdout.write(`${text}\n`);
  return ExitCode.ok;
}

export function statusRows(
  chain: Answer,
  network: Answer,
  mempool: Answer,
  uptimeSeconds: number,
): readonly (readonly [string, string])[] {
  const pruned = chain['pruned'] === true ? ', pruned' : '';
  return [
    ['chain', String(chain['chain'])],
    ['height', `${grouped(Number(chain['blocks']))} of ${grouped(Number(chain['headers']))} headers`],
    ['verified', percent(Number(chain['verificationprogress']))],
    ['best block', String(chain['bestblockhash'])],
    ['on disk', `${bytes(Number(chain['size_on_disk']))}${pruned}`],
    ['peers', `${String(network['connections'])} (${String(network['connections_out'])} outbound)`],
    ['mempool', `${grouped(Number(mempool['size']))} transactions, ${bytes(Number(mempool['bytes']))}`],
    ['running', duration(uptimeSeconds)],
  ];
}
