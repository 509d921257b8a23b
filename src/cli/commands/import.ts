/** `starling import`: checks and adds the blocks of files, whatever their order. */
import { stat } from 'node:fs/promises';
import process from 'node:process';
import {
  type Chain,
  HeaderIntake,
  type HeaderOutcome,
  networkDirectory,
  openChain,
  readBlockFile,
  readBlockHeaders,
} from '#chain';
import { loadNetwork, overrideNetwork } from '#node';
import type { BlockHeader } from '#primitives';
import { errorText, type Logger, NodeError, systemClock } from '#util';
import { BlockIntake } from '../block-intake.ts';
import { chainSettings } from '../chain-settings.ts';
import { refuseCoreDirectory } from '../core-directory.ts';
import { ExitCode } from '../exit-codes.ts';
import { bar, bytes, duration, grouped, percent, perSecond, plural } from '../format.ts';
import { loggingOf } from '../logging.ts';
import { showOpening } from '../open-progress.ts';
import type { Settings } from '../options.ts';
import { listenForStop } from '../stop.ts';
import { createTerminal, type Terminal } from '../terminal.ts';

const MIB = 1 << 20;
const BAR_CELLS = 24;
/** Room for the blocks that Core's parallel download leaves out of order in a file. */
const MAX_HELD_BYTES = 128 * MIB;
const MAX_WAITING = 2_000_000;
/** Blocks given to the chain and not decided: enough to keep all threads busy, few enough to die young in memory. */
const PENDING = { minBlocks: 3, maxBytes: MIB / 2 };
/** Headers between two looks of the progress line. */
const HEADERS_SHOWN = 2000;
/** The first ones tell what is wrong; the rest are counted. */
const MAX_SHOWN = 10;

/** A block that is missing, and how many above it there are. */
type Gap = { readonly height: number; readonly above: number };

type InputFile = { readonly path: string; readonly size: number };

export async function runImport(settings: Settings, paths: readonly string[]): Promise<ExitCode> {
  using stop = listenForStop();
  const terminal = createTerminal(process.stderr, systemClock, { plainIntervalMs: 10_000 });
  const level = settings.logLevel === 'info' ? 'warn' : settings.logLevel;
  const logging = loggingOf(settings, terminal, level);
  const opening = chainSettings(settings);
  const files = await inputFiles(paths);
  const params = overrideNetwork(await loadNetwork(settings.network), settings);
  refuseCoreDirectory(settings.datadir, params);
  const { log } = logging;
  const { signal } = stop;
  const onProgress = showOpening(terminal, log, systemClock);
  const chain = await openChain({ ...opening, params, log, signal, onProgress });
  const run = new ImportRun(chain, files, terminal, stop.signal);
  try {
    logging.openFile(networkDirectory(settings.datadir, params));
    await run.run(logging.log);
  } finally {
    // Also after a failure: what was connected before it is kept.
    await chain[Symbol.asyncDispose]();
    logging.close();
    terminal.settle();
  }
  process.stdout.write(`${run.summary()}\n`);
  if (stop.signal.aborted) throw new NodeError('ABORTED', 'interrupted; what was imported is kept');
  return run.hasProblems ? ExitCode.rejected : ExitCode.ok;
}

/** All are looked at before any is read: a mistyped name does not cost an hour. */
async function inputFiles(paths: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    const info = await stat(path).catch((error: unknown) => {
      throw new NodeError('BAD_CONFIG', `cannot read ${path}: ${errorText(error)}`, { cause: error });
    });
    if (!info.isFile())
      throw new NodeError('BAD_CONFIG', `${path} is not a file; name block files, e.g. ${path}/blk*.dat`);
    files.push({ path, size: info.size });
  }
  return files;
}

class ImportRun {
  readonly #chain: Chain;
  readonly #files: readonly InputFile[];
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #intake: BlockIntake;
  readonly #startedMs = systemClock.monotonicMs();
  readonly #totalBytes: number;
  #doneBytes = 0;
  #blocks = 0;
  #problems = 0;
  #end: { readonly height: number; readonly hash: string; readonly gap: Gap | undefined } | undefined;

  constructor(chain: Chain, files: readonly InputFile[], terminal: Terminal, signal: AbortSignal) {
    this.#chain = chain;
    this.#files = files;
    this.#terminal = terminal;
    this.#signal = signal;
    this.#totalBytes = files.reduce((sum, file) => sum + file.size, 0);
    const limits = { maxHeldBytes: MAX_HELD_BYTES, maxWaiting: MAX_WAITING, pending: PENDING };
    this.#intake = new BlockIntake(chain, limits, ({ hash, code }) =>
      this.#problem(`block ${hash} is invalid: ${code}`),
    );
  }

  get hasProblems(): boolean {
    return this.#problems > 0 || this.#intake.counts.invalid > 0 || this.#intake.orphans > 0;
  }

  async run(log: Logger): Promise<void> {
    log.debug('importing', { files: this.#files.length, bytes: this.#totalBytes });
    if (this.#chain.params.assumeValid !== undefined) await this.#readHeaders();
    for (const file of this.#files) await this.#pass(file, false);
    if (this.#intake.wanted.size > 0) {
      this.#doneBytes = 0;
      for (const file of this.#files) if (this.#intake.wanted.size > 0) await this.#pass(file, true);
    }
    const { height, hash } = this.#chain.tip();
    this.#end = { height, hash, gap: this.#gap() };
  }

  /** All headers first: what lies deep below the last one may be assumed valid. */
  async #readHeaders(): Promise<void> {
    const intake = new HeaderIntake((header) => this.#acceptHeader(header), MAX_WAITING);
    let headers = 0;
    for (const { path } of this.#files) {
      for await (const header of readBlockHeaders(path, this.#chain.params.magic)) {
        if (this.#signal.aborted) return;
        intake.take(header);
        if (++headers % HEADERS_SHOWN === 0) this.#terminal.live([`reading headers: ${grouped(headers)}  ${path}`]);
      }
    }
  }

  #acceptHeader(header: BlockHeader): HeaderOutcome {
    const verdict = this.#chain.submitHeaders([header]);
    if (verdict.kind === 'accepted') return 'accepted';
    return verdict.failure.kind === 'missing-prev' ? 'orphan' : 'refused';
  }

  /** One line: what came of it. */
  summary(): string {
    const { added, known, invalid } = this.#intake.counts;
    const seconds = (systemClock.monotonicMs() - this.#startedMs) / 1000;
    const parts = [`imported ${plural(added, 'block')} in ${duration(seconds)}`];
    if (seconds > 1 && added > 0) parts.push(`${perSecond(added / seconds)} blocks/s`);
    if (known > 0) parts.push(`${grouped(known)} known before`);
    if (invalid > 0) parts.push(`${grouped(invalid)} invalid`);
    if (this.#intake.orphans > 0) parts.push(`${grouped(this.#intake.orphans)} left out: their parents are unknown`);
    const gap = this.#end?.gap;
    if (gap !== undefined) parts.push(`${grouped(gap.above)} wait for block ${gap.height}, which no file has whole`);
    if (this.#end !== undefined) parts.push(`tip is block ${this.#end.height} ${this.#end.hash}`);
    return parts.join('; ');
  }

  /** The first block above the tip that is not stored, if blocks above it are. */
  #gap(): Gap | undefined {
    const best = this.#chain.bestHeader();
    let { height } = this.#chain.tip();
    do {
      if (++height > best.height) return undefined;
    } while (this.#chain.hasBlock(this.#chain.ancestor(best, height).hash));
    const above = best.height - height;
    return above > 0 && this.#chain.hasBlock(best.hash) ? { height, above } : undefined;
  }

  async #pass(file: InputFile, onlyWanted: boolean): Promise<void> {
    for await (const item of readBlockFile(file.path, this.#chain.params.magic)) {
      if (this.#signal.aborted) return;
      if (item.kind === 'corrupt') {
        if (!onlyWanted) this.#problem(`${file.path}: damaged at offset ${item.offset}: ${item.reason}`);
      } else if (!onlyWanted || this.#intake.wanted.has(item.block.hash)) {
        await this.#intake.take(item.block);
        this.#blocks++;
        this.#show(file, item.offset);
      }
    }
    // What is wanted in a second pass is known only now.
    await this.#intake.settled();
    this.#doneBytes += file.size;
  }

  #problem(text: string): void {
    this.#problems++;
    if (this.#problems <= MAX_SHOWN) this.#terminal.print(`starling: ${text}`);
    if (this.#problems === MAX_SHOWN) this.#terminal.print('starling: further problems are only counted');
  }

  #show(file: InputFile, offset: number): void {
    const done = (this.#doneBytes + offset) / Math.max(1, this.#totalBytes);
    const seconds = Math.max(0.001, (systemClock.monotonicMs() - this.#startedMs) / 1000);
    const left = done > 0.01 ? `  ${duration((seconds / done) * (1 - done))} left` : '';
    const rates = `${perSecond(this.#blocks / seconds)} blocks/s  ${bytes((this.#doneBytes + offset) / seconds)}/s`;
    const height = `block ${grouped(this.#chain.tip().height)}`;
    this.#terminal.live([`${bar(done, BAR_CELLS)} ${percent(done)}  ${height}  ${rates}${left}  ${file.path}`]);
  }
}
