/** What the operating system says about a process. */
import { readFileSync } from 'node:fs';

/** Of Linux's /proc: USER_HZ. */
const TICK_MS = 10;

export type ProcessUsage = {
  /** Undefined where there is no /proc. */
  readonly cpuMs: number | undefined;
  readonly peakMemoryMb: number | undefined;
};

/** What it used so far, all threads. */
export function usageOf(pid: number | 'self' | undefined): ProcessUsage {
  try {
    // Behind the name, which may hold spaces: utime and stime are fields 14 and 15 of proc(5).
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // Not getrusage's maxrss: a process starts with that of the one that forked it.
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS,
      peakMemoryMb: peak === undefined ? undefined : (Number(peak) * 1024) / 1e6,
    };
  } catch {
    return { cpuMs: undefined, peakMemoryMb: undefined };
  }
}

/** As a further figure of a case, where it is known. */
export function peakMemory(megabytes: number | undefined): Readonly<Record<string, number>> {
  return megabytes === undefined ? {} : { 'MB memory': megabytes };
}

/** The peak, and how much of it came with the work: some 110 MB are Node.js and our modules. */
export function memoryGrowth(before: ProcessUsage, after: ProcessUsage): Readonly<Record<string, number>> {
  const [start, peak] = [before.peakMemoryMb, after.peakMemoryMb];
  return start === undefined || peak === undefined ? {} : { 'MB memory': peak, 'MB of it for the work': peak - start };
}
