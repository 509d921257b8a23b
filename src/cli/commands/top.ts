/** `starling top`: a running node, live on the whole terminal, or one frame of it for scripts and pipes. */
import process from 'node:process';
import { emitKeypressEvents } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '#util';
import { ExitCode } from '../exit-codes.ts';
import type { Settings } from '../options.ts';
import { findTarget, resultOf } from '../rpc-client.ts';
import { listenForStop, type StopListener } from '../stop.ts';
import { Collector } from '../top/collector.ts';
import type { Figures } from '../top/figures.ts';
import { type Frame, frameOf, plainText, type Size } from '../top/frame.ts';
import { Screen } from '../top/screen.ts';
import { painted } from '../top/spans.ts';
import { FIRST_VIEW, type Key, pressed } from '../top/view.ts';
import { watch } from '../top/watch.ts';

const CAN_SUSPEND = process.platform !== 'win32';
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Two looks for one frame: a rate takes a time. */
const ONCE_MS = 1_000;

export async function runTop(settings: Settings): Promise<ExitCode> {
  using stop = listenForStop();
  const { signal } = stop;
  const collector = new Collector((method, params) => resultOf(settings, method, params, signal), systemClock);
  const first = await collector.collect();
  const { stdout, env } = process;
  if (settings.once || !stdout.isTTY || env['TERM'] === 'dumb') {
    await pause(ONCE_MS);
    const columns = Number(env['COLUMNS']) || stdout.columns || DEFAULT_COLUMNS;
    stdout.write(plainText(frameOf(await collector.collect(), FIRST_VIEW, { columns, rows: undefined })));
    return ExitCode.ok;
  }
  using live = openLive(first, stop);
  await watch({ collector, target: () => findTarget(settings), show: live.show, trouble: live.trouble }, signal);
  return ExitCode.ok;
}

type Live = Disposable & {
  readonly show: (figures: Figures) => void;
  readonly trouble: (reason: string) => void;
};

/** Draws at once whatever changes: figures, the user's choice, the size. Disposal gives the terminal back. */
function openLive(first: Figures, stop: StopListener): Live {
  const { stdout, env } = process;
  const isColoured = (env['NO_COLOR'] ?? '') === '';
  const screen = new Screen(stdout);
  let [figures, view, trouble]: [Figures, typeof FIRST_VIEW, string | undefined] = [first, FIRST_VIEW, undefined];
  let frame: Frame;
  // Some terminals give their size as 0.
  const size = (): Size => ({ columns: stdout.columns || DEFAULT_COLUMNS, rows: stdout.rows || DEFAULT_ROWS });
  const draw = (): void => {
    frame = frameOf(figures, view, size(), trouble);
    screen.draw(frame.lines.map((spans) => painted(spans, isColoured)));
  };
  const redraw = (): void => {
    screen.clear();
    draw();
  };
  const onKey = (_text: string | undefined, key: Key): void => {
    const change = pressed(view, key, frame.page, frame.maxScroll);
    if (change === 'quit') stop.stop();
    else if (change === 'suspend') terminal.suspend();
    else if (change !== undefined) {
      view = change;
      draw();
    }
  };
  const terminal = takeTerminal(screen, onKey, redraw);
  draw();
  return {
    show: (newer) => {
      figures = newer;
      trouble = undefined;
      draw();
    },
    trouble: (reason) => {
      trouble = `trying again: ${reason}`;
      draw();
    },
    [Symbol.dispose]: () => terminal[Symbol.dispose](),
  };
}

/** Keys one by one and the whole screen, until it is disposed, suspended, or the process ends in whatever way. */
function takeTerminal(
  screen: Screen,
  onKey: (text: string | undefined, key: Key) => void,
  redraw: () => void,
): Disposable & { readonly suspend: () => void } {
  const { stdin, stdout } = process;
  const setRaw = (isRaw: boolean): void => {
    if (stdin.isTTY) stdin.setRawMode(isRaw);
  };
  const enter = (): void => {
    setRaw(true);
    screen.open();
  };
  const leave = (): void => {
    screen.close();
    setRaw(false);
  };
  const resume = (): void => {
    enter();
    redraw();
  };
  enter();
  emitKeypressEvents(stdin);
  stdin.on('keypress', onKey).resume();
  stdout.on('resize', redraw);
  process.on('exit', leave);
  if (CAN_SUSPEND) process.on('SIGCONT', resume);
  return {
    suspend: () => {
      if (!CAN_SUSPEND) return;
      leave();
      process.kill(process.pid, 'SIGTSTP');
    },
    [Symbol.dispose]: () => {
      leave();
      stdin.off('keypress', onKey).pause();
      stdout.off('resize', redraw);
      process.off('exit', leave).off('SIGCONT', resume);
    },
  };
}
