/** What a page's main thread did, from Chromium's own trace: each task with the time it took and the processor time it used. */
import type { Page } from 'playwright-core';

export type PageTask = {
  readonly wallMs: number;
  /** Without the time in which others had the core: what the page asks of it, on a busy machine too. */
  readonly cpuMs: number;
};

type TraceEvent = {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds; `tdur` is the thread's own. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
};

const CATEGORIES = ['toplevel', 'disabled-by-default-devtools.timeline'];

/** The longest first by processor time. One at a time a browser. */
export async function tasksDuring(page: Page, doing: () => Promise<unknown>): Promise<readonly PageTask[]> {
  const browser = page.context().browser();
  await browser?.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer | undefined;
  try {
    await doing();
  } finally {
    trace = await browser?.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace?.toString() ?? '') as { readonly traceEvents: readonly TraceEvent[] };
  const isMain = mainThreads(traceEvents);
  return traceEvents
    .filter((event) => event.name === 'RunTask' && isMain(event))
    .map(({ dur = 0, tdur = 0 }) => ({ wallMs: dur / 1000, cpuMs: tdur / 1000 }))
    .sort((a, b) => b.cpuMs - a.cpuMs);
}

/** Those of pages, of which there may be more than one: none of them is to be busy. */
function mainThreads(events: readonly TraceEvent[]): (event: TraceEvent) => boolean {
  const names = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const threads = new Set(names.map(({ pid, tid }) => `${pid} ${tid}`));
  return ({ pid, tid }) => threads.has(`${pid} ${tid}`);
}
