/**
 * What the node keeps of its mempool over a restart, in the network's directory and in Bitcoin Core's formats:
 * `mempool.dat` and `fee_estimates.dat`. Both are conveniences: whatever goes wrong with them is a warning.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type LoadCounts, type LoadOptions, MAX_FEE_ESTIMATES_BYTES, type Mempool } from '#mempool';
import { openByteSource, replaceFile } from '#store';
import { type Clock, errorText, type Logger, NodeError, type Random, type TimerHandle } from '#util';
import type { NodeMempoolFile } from './port.ts';

/** FEE_FLUSH_INTERVAL. */
const FLUSH_INTERVAL_MS = 3_600_000;
/** MAX_FILE_AGE: estimates of older files would be of another market. */
const MAX_FEE_FILE_AGE_HOURS = 60;
const HOUR_MS = 3_600_000;
const KEY_BYTES = 8;

export type PersistenceDeps = {
  readonly mempool: Pick<Mempool, 'fees' | 'load' | 'save'>;
  readonly directory: string;
  /** Core's -persistmempool. */
  readonly keepsMempool: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
};

export class Persistence implements AsyncDisposable {
  readonly #deps: PersistenceDeps;
  readonly #feesPath: string;
  readonly #mempoolPath: string;
  readonly operator: NodeMempoolFile;
  readonly #stopping = new AbortController();
  #timer: TimerHandle | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #loading: Promise<void> = Promise.resolve();
  /** Until then the file on disk knows more than the mempool. */
  #isLoaded = false;

  private constructor(deps: PersistenceDeps) {
    this.#deps = deps;
    this.#feesPath = join(deps.directory, 'fee_estimates.dat');
    this.#mempoolPath = join(deps.directory, 'mempool.dat');
    this.operator = {
      isLoaded: () => this.#isLoaded,
      save: () => this.#saveMempool(),
      import: (path, options) => this.#import(path, options),
    };
  }

  /** With the fee estimates loaded; they must be there before the first transaction. */
  static async open(deps: PersistenceDeps): Promise<Persistence> {
    const persistence = new Persistence(deps);
    await persistence.#loadFees();
    return persistence;
  }

  /**
   * Loads the mempool in the background; to be called once the mempool follows the chain. Resolves when that has ended,
   * never rejects.
   */
  start(): Promise<void> {
    this.#flushLater();
    if (this.#deps.keepsMempool) this.#loading = this.#loadMempool();
    return this.#loading;
  }

  /** After everything that feeds the mempool has ended, before the mempool does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new NodeError('ABORTED', 'the node is stopping'));
    // A node that did not come up has nothing new to say.
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    await this.#loading;
    await this.#flushing;
    const { mempool, random } = this.#deps;
    if (this.#isLoaded) await this.#write(this.#mempoolPath, () => mempool.save(random.bytes(KEY_BYTES)));
    mempool.fees.flushUnconfirmed();
    await this.#flushFees();
  }

  #flushLater(): void {
    this.#timer = this.#deps.clock.after(FLUSH_INTERVAL_MS, () => {
      this.#flushing = this.#flushFees().then(() => {
        if (!this.#stopping.signal.aborted) this.#flushLater();
      });
    });
  }

  #flushFees(): Promise<void> {
    return this.#write(this.#feesPath, () => [this.#deps.mempool.fees.encode()]);
  }

  async #write(path: string, parts: () => Iterable<Uint8Array>): Promise<void> {
    try {
      await replaceFile(path, parts());
    } catch (error) {
      this.#deps.log.warn('not saved', { file: path, error: errorText(error) });
    }
  }

  async #saveMempool(): Promise<string> {
    const { mempool, random } = this.#deps;
    await replaceFile(this.#mempoolPath, mempool.save(random.bytes(KEY_BYTES)));
    return this.#mempoolPath;
  }

  async #import(path: string, options: LoadOptions): Promise<LoadCounts> {
    await using source = await openByteSource(path);
    return await this.#deps.mempool.load(source, this.#stopping.signal, options);
  }

  async #loadFees(): Promise<void> {
    const { mempool, clock, log } = this.#deps;
    const file = this.#feesPath;
    try {
      const changedMs = await changeTimeOf(file);
      if (changedMs === undefined) return;
      const ageHours = Math.floor((clock.now() - changedMs) / HOUR_MS);
      if (ageHours > MAX_FEE_FILE_AGE_HOURS) {
        log.warn('fee estimates are too old, they begin anew', { file, ageHours });
        return;
      }
      await using source = await openByteSource(file);
      if (source.size > MAX_FEE_ESTIMATES_BYTES) throw new Error(`${source.size} bytes cannot be fee estimates`);
      mempool.fees.load(await source.read(0, source.size));
    } catch (error) {
      log.warn('fee estimates could not be read, they begin anew', { file, error: errorText(error) });
    }
  }

  async #loadMempool(): Promise<void> {
    const { mempool, log } = this.#deps;
    const { signal } = this.#stopping;
    const file = this.#mempoolPath;
    try {
      if ((await changeTimeOf(file)) !== undefined) {
        await using source = await openByteSource(file);
        log.info('mempool loaded', { ...(await mempool.load(source, signal)) });
      }
    } catch (error) {
      // Half a mempool must not take the place of a whole one.
      if (signal.aborted) return;
      log.warn('the mempool could not be loaded in full', { file, error: errorText(error) });
    }
    this.#isLoaded = !signal.aborted;
  }
}

/** Unix milliseconds; undefined when there is no such file. */
async function changeTimeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
