/** Figures as people read them, and what machine they are from. */
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import process from 'node:process';
import type { CaseResult, Figure, Report } from './benchmark.ts';

export type Finished = { readonly name: string; readonly what: string; readonly report: Report };

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Processes that wanted a core, on average of the last minute: above zero before the start is other people's work. */
  readonly load: number;
};

export function thisMachine(): Machine {
  const all = cpus();
  return {
    cpu: all[0]?.model ?? 'unknown',
    cores: all.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

/** Half a core of other work is what a desktop does. */
const QUIET_LOAD = 0.5;

export function machineLine({ cpu, cores, memoryGiB, system, node, load }: Machine): string {
  const line = `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node.js ${node}, load ${number(load)}`;
  return load > QUIET_LOAD
    ? `${line}\nThe machine is busy with other work: expect figures that are low and vary.`
    : line;
}

/** Three digits that count; thousands in groups. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 99.95) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2);
}

/** The table of one benchmark, a title line in front. */
export function textOf({ name, what, report }: Finished): string {
  const head = ['', 'median', 'lowest … highest', 'by CPU time', 'ratio', 'by CPU time', ''];
  const rows = [head, ...report.results.map(row)];
  const widths = head.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const lines = rows.map((cells) =>
    cells
      .map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
  const leftOut = (report.leftOut ?? []).map((reason) => `left out: ${reason}`);
  return [`${name}: ${what}`, ...[...lines, ...leftOut].map((line) => `  ${line}`)].join('\n');
}

/** The first and the last column hold words, the others figures. */
function isText(column: number): boolean {
  return column === 0 || column === 6;
}

function row({ name, unit, wall, cpu, ratio, extra }: CaseResult): string[] {
  return [
    name,
    unit === 'ms' ? `${number(wall.median)} ms` : `${number(wall.median)} ${unit}/s`,
    `${number(wall.low)} … ${number(wall.high)}`,
    cpu === undefined ? '' : cpuText(unit, cpu),
    ratio === undefined ? '' : ratio.wall.toFixed(2),
    ratio?.cpu === undefined ? '' : ratio.cpu.toFixed(2),
    [
      ...(ratio === undefined ? [] : [`ratio to ${ratio.against}`]),
      ...Object.entries(extra).map(([what, value]) => `${number(value)} ${what}`),
    ].join('; '),
  ];
}

function cpuText(unit: string, cpu: Figure): string {
  return unit === 'ms' ? `${number(cpu.median)} ms` : `${number(cpu.median)} ${unit}/cpu-s`;
}
