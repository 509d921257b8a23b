/**
 * Script verification on worker threads. Batches are served in the order they came, chunk by chunk, so that the
 * first failing job and input is found as if all had run in order: what lies before a failure still runs, what lies
 * behind it does not. Bytes are packed when a worker is free, so memory holds a few chunks a worker, not a block.
 * Of an urgent batch the calling thread takes a chunk at a time as well, if it cannot be held up by it: the workers are of
 * lower priority, and get little where other programs or threads are busy.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { loadSecp256k1, type Secp256k1Name } from '#crypto';
import { AssertionFailure, assert, NodeError, nextTurn } from '#util';
import { type Chunk, cutChunks, isLight } from './chunks.ts';
import { createInlineVerifier } from './inline.ts';
import type { WorkerUse } from './meter.ts';
import { packPieces } from './pack.ts';
import type { ScriptFailure, ScriptJob, ScriptVerifier, VerifyOptions } from './port.ts';
import type { ChunkReply, ChunkRequest, WorkerSettings } from './verify-chunks.ts';

export type PoolVerifierOptions = {
  /** Threads; by default one fewer than the cores, at least one. */
  readonly workers?: number;
  readonly engine?: Secp256k1Name;
  /** False: it is there with the first thread, and the others follow. */
  readonly waitsForAll?: boolean;
};

/** Chunks a worker holds: one at work, one waiting, so that it never waits for the main thread. */
const CHUNKS_PER_WORKER = 2;
/** Inputs welcome for each worker, in all batches. */
export const CAPACITY_PER_WORKER = 1024;
const PARTS_PER_WORKER = 4;
/** What a chunk leaves behind is garbage at once: V8's usual 48 MB a thread buys little (measured: 30 MB a worker less). */
const YOUNG_MEMORY_MB = 8;

export type PooledVerifier = ScriptVerifier & { readonly use: () => WorkerUse };

/**
 * Starts the workers one after another, since loading each takes a core for half a second, and resolves when all are
 * ready, or the first. Disposal ends them; batches in flight then reject.
 */
export async function createPoolVerifier(options: PoolVerifierOptions = {}): Promise<PooledVerifier> {
  const { workers = Math.max(1, availableParallelism() - 1), engine, waitsForAll = true } = options;
  const pool = new PoolVerifier({ engine });
  try {
    await pool.startWorker();
    const others = pool.startWorkers(workers - 1);
    if (waitsForAll) await others;
  } catch (error) {
    await pool[Symbol.asyncDispose]();
    throw error;
  }
  return pool;
}

type Batch = {
  readonly chunks: readonly Chunk[];
  readonly isUrgent: boolean;
  readonly settle: (result: ScriptFailure | undefined) => void;
  readonly reject: (error: Error) => void;
  /** Index of the next chunk to hand out, and of the first that failed (or the number of chunks). */
  next: number;
  end: number;
  inFlight: number;
  inputsLeft: number;
  failure: ScriptFailure | undefined;
};

type Assignment = { readonly batch: Batch; readonly chunk: number };
type Slot = { readonly worker: Worker; readonly assigned: Map<number, Assignment> };

class PoolVerifier implements PooledVerifier {
  readonly #settings: WorkerSettings;
  /** Workers that are ready. */
  readonly #slots = new Set<Slot>();
  /** All workers, also those that start. */
  readonly #threads = new Set<Worker>();
  /** Batches with chunks to hand out or in flight, in the order they came. */
  readonly #batches = new Set<Batch>();
  /** Workers that load: a native module must not be interrupted at that, or the process ends. */
  readonly #starting = new Set<Promise<void>>();
  /** On the calling thread. */
  #inline: ScriptVerifier | undefined;
  #isHelping = false;
  #lastId = 0;
  #disposed = false;

  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }

  verify(jobs: readonly ScriptJob[], options: VerifyOptions = {}): Promise<ScriptFailure | undefined> {
    const { signal, isUrgent = false } = options;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#disposed) throw stopped();
      if (this.#threads.size === 0) throw new NodeError('IO', 'no script verification worker is left');
      for (const { tx, spent } of jobs) {
        assert(spent.length === tx.inputs.length, 'one spent output for each input');
      }
      const chunks = cutChunks(jobs, this.#threads.size * PARTS_PER_WORKER, isUrgent);
      const onAbort = (): void => this.#fail(batch, signal?.reason);
      const batch: Batch = {
        chunks,
        isUrgent,
        settle: (failure) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(failure);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
        next: 0,
        end: chunks.length,
        inFlight: 0,
        inputsLeft: jobs.reduce((sum, { tx }) => sum + tx.inputs.length, 0),
        failure: undefined,
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#batches.add(batch);
      this.#handOut();
      this.#settleIfDone(batch);
    });
  }

  capacity(): number {
    let waiting = 0;
    for (const batch of this.#batches) waiting += batch.inputsLeft;
    return Math.max(0, this.#slots.size * CAPACITY_PER_WORKER - waiting);
  }

  /** Of the workers that run: with one that died goes what it did. */
  use(): WorkerUse {
    let [activeMs, idleMs] = [0, 0];
    for (const { performance } of this.#threads) {
      const { active, idle } = performance.eventLoopUtilization();
      activeMs += active;
      idleMs += idle;
    }
    return { workers: this.#slots.size, activeMs, idleMs };
  }

  /** Resolves when the worker is ready; rejects when it cannot start. A worker that dies later is replaced. */
  startWorker(): Promise<void> {
    const started = this.#start().finally(() => this.#starting.delete(started));
    this.#starting.add(started);
    return started;
  }

  #start(): Promise<void> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: this.#settings,
      name: 'verify',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEMORY_MB },
    });
    const slot: Slot = { worker, assigned: new Map() };
    this.#threads.add(worker);
    return new Promise((resolve, reject) => {
      let ready = false;
      let cause: unknown;
      worker.on('message', (reply: ChunkReply) => {
        if (reply.kind !== 'ready') {
          this.#onReply(slot, reply);
          return;
        }
        ready = true;
        this.#slots.add(slot);
        this.#handOut();
        resolve();
      });
      worker.on('error', (error) => {
        cause = error;
      });
      worker.on('exit', (code) => {
        const error = new NodeError('IO', `a script verification worker ended with code ${code}`, { cause });
        this.#threads.delete(worker);
        this.#onExit(slot, error);
        if (!ready) reject(error);
        else if (!this.#disposed) void this.#startAnother();
      });
    });
  }

  /** Never rejects: one that cannot start leaves its work to those that can. */
  async startWorkers(count: number): Promise<void> {
    for (let started = 0; started < count && !this.#disposed; started++) await this.#startAnother();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#failAll(stopped());
    await Promise.allSettled(this.#starting);
    await Promise.all([...this.#threads].map((worker) => worker.terminate()));
  }

  /** Without any worker, what waits fails. */
  async #startAnother(): Promise<void> {
    try {
      await this.startWorker();
    } catch (error) {
      if (this.#threads.size === 0) this.#failAll(error as Error);
    }
  }

  /** Fills free places of workers with the next chunks. */
  #handOut(): void {
    for (const batch of this.#batches) {
      while (batch.next < batch.end) {
        const slot = this.#freeSlot();
        if (slot === undefined) {
          this.#help();
          return;
        }
        this.#assign(slot, batch);
      }
    }
  }

  /** One chunk at a time, of the first batch that is urgent. */
  #help(): void {
    if (this.#isHelping) return;
    for (const batch of this.#batches) {
      const chunk = batch.chunks[batch.next];
      if (!batch.isUrgent || chunk === undefined || batch.next >= batch.end || !isLight(chunk)) continue;
      void this.#runHere(batch, batch.next++, chunk);
      return;
    }
  }

  async #runHere(batch: Batch, index: number, chunk: Chunk): Promise<void> {
    this.#isHelping = true;
    batch.inFlight++;
    try {
      await nextTurn();
      this.#inline ??= createInlineVerifier({ secp: loadSecp256k1(this.#settings.engine) });
      const failed = await this.#inline.verify(chunk.map(({ job }) => job));
      this.#isHelping = false;
      this.#done(batch, index, failed && { ...failed, job: chunk[failed.job]?.at ?? 0 });
    } catch (error) {
      this.#isHelping = false;
      this.#fail(batch, error as Error);
    }
  }

  #freeSlot(): Slot | undefined {
    let free: Slot | undefined;
    for (const slot of this.#slots) {
      const isFreer = free === undefined || slot.assigned.size < free.assigned.size;
      if (slot.assigned.size < CHUNKS_PER_WORKER && isFreer) free = slot;
    }
    return free;
  }

  #assign(slot: Slot, batch: Batch): void {
    const index = batch.next++;
    const chunk = batch.chunks[index];
    assert(chunk !== undefined, 'a batch has its chunks');
    const request: ChunkRequest = { id: ++this.#lastId, bytes: packPieces(chunk) };
    slot.assigned.set(request.id, { batch, chunk: index });
    batch.inFlight++;
    slot.worker.postMessage(request, [request.bytes.buffer]);
  }

  #onReply(slot: Slot, reply: Exclude<ChunkReply, { kind: 'ready' }>): void {
    const assignment = slot.assigned.get(reply.id);
    slot.assigned.delete(reply.id);
    assert(assignment !== undefined, 'a worker answers what it was asked');
    const { batch, chunk } = assignment;
    if (reply.kind === 'fault') this.#fail(batch, new AssertionFailure(reply.message));
    this.#done(batch, chunk, reply.kind === 'fault' ? undefined : reply.failure);
  }

  #done(batch: Batch, chunk: number, failure: ScriptFailure | undefined): void {
    batch.inFlight--;
    for (const { from, to } of batch.chunks[chunk] ?? []) batch.inputsLeft -= to - from;
    if (failure !== undefined && chunk < batch.end) {
      batch.failure = failure;
      batch.end = chunk;
    }
    this.#settleIfDone(batch);
    this.#handOut();
  }

  #settleIfDone(batch: Batch): void {
    if (batch.inFlight > 0 || batch.next < batch.end || !this.#batches.delete(batch)) return;
    batch.settle(batch.failure);
  }

  /** What the worker was doing is unknown: nothing is taken for valid. */
  #onExit(slot: Slot, error: NodeError): void {
    this.#slots.delete(slot);
    for (const { batch } of slot.assigned.values()) this.#fail(batch, error);
    slot.assigned.clear();
  }

  #fail(batch: Batch, error: Error): void {
    if (!this.#batches.delete(batch)) return;
    batch.end = 0;
    batch.reject(error);
  }

  #failAll(error: Error): void {
    for (const batch of this.#batches) this.#fail(batch, error);
  }
}

function stopped(): NodeError {
  return new NodeError('ABORTED', 'the script verifier is stopped');
}
