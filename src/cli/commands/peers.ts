/** `starling peers`: whom a running node is connected to. */
import process from 'node:process';
import { ExitCode } from '../exit-codes.ts';
import { bytes, delay, plural, table } from '../format.ts';
import type { Settings } from '../options.ts';
import { type Answer, resultOf } from '../rpc-client.ts';

export async function runPeers(settings: Settings): Promise<ExitCode> {
  const answer = await resultOf(settings, 'getpeerinfo');
  const peers = Array.isArray(answer) ? (answer as readonly Answer[]) : [];
  const text = settings.json ? JSON.stringify(answer, undefined, 2) : peerLines(peers).join('\n');
  process.stdout.write(`${text}\n`);
  return ExitCode.ok;
}

export function peerLines(peers: readonly Answer[]): readonly string[] {
  const rows = peers.map((peer) => [
    String(peer['id']),
    peer['inbound'] === true ? 'in' : 'out',
    String(peer['addr']),
    typeof peer['pingtime'] === 'number' ? delay(peer['pingtime'] * 1000) : '',
    bytes(Number(peer['bytesrecv'])),
    bytes(Number(peer['bytessent'])),
    String(peer['subver']),
  ]);
  const head = ['id', '', 'address', 'ping', 'received', 'sent', 'agent'];
  return [
    ...table(['right', 'left', 'left', 'right', 'right', 'right', 'left'], [head, ...rows]),
    plural(peers.length, 'peer'),
  ];
}
