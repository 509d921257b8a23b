/** The devnet's live table. Pure. */
import { bytes, delay, grouped, shortHash, shortPeer, table } from '../format.ts';
import type { MemberState } from './member.ts';

const COLUMNS = ['node', 'peer id', 'height', 'tip', 'peers', 'mempool', 'in', 'out', 'block delay', 'state'] as const;
const ALIGN = ['left', 'left', 'right', 'left', 'right', 'right', 'right', 'right', 'right', 'left'] as const;

/** Header line, a line a node, and one that sums up. */
export function devnetLines(members: readonly MemberState[], elapsedSeconds: number): string[] {
  return [...table(ALIGN, [COLUMNS, ...members.map(row)]), summary(members, elapsedSeconds)];
}

function row({ name, peerId, report, ended }: MemberState): string[] {
  const id = peerId === undefined ? '' : shortPeer(peerId);
  if (report === undefined || ended !== undefined) {
    return [name, id, '', '', '', '', '', '', '', ended === undefined ? 'starting' : `ended: ${ended}`];
  }
  const { lastBlockDelayMs } = report;
  return [
    name,
    id,
    grouped(report.height),
    shortHash(report.tip),
    String(report.peers),
    String(report.mempool),
    bytes(report.bytesIn),
    bytes(report.bytesOut),
    lastBlockDelayMs === undefined ? '-' : delay(lastBlockDelayMs),
    report.phase,
  ];
}

function summary(members: readonly MemberState[], elapsedSeconds: number): string {
  const reports = members.flatMap(({ report, ended }) => (report === undefined || ended !== undefined ? [] : [report]));
  const best = reports.reduce((a, b) => (b.height > (a?.height ?? -1) ? b : a), reports[0]);
  const agreeing = reports.filter((report) => report.tip === best?.tip).length;
  return `${Math.floor(elapsedSeconds)} s: ${agreeing} of ${members.length} nodes at block ${grouped(best?.height ?? 0)}`;
}
