/**
 * A disk in memory that fails and crashes when told to, for tests of what stands on the store ports.
 *
 * It keeps apart what was synced and what was not. A crash keeps of the latter what a real disk may keep: of a store
 * the first so many batches, whole; of append files the first so many bytes, perhaps with zeros behind them.
 * What was opened before the crash answers nothing after it; open it again by its name.
 */
import {
  type AppendFiles,
  type BatchOp,
  createMemoryAppendFiles,
  createMemoryStore,
  type FilePosition,
  type KeyValueStore,
} from '#store';
import { NodeError, type Random } from '#util';

export type Fault =
  /** The write fails and changes nothing; of a store it may show after reopening, as with LevelDB. */
  | { readonly kind: 'fail'; readonly code: NodeError['code'] }
  /** The power goes before the write. */
  | { readonly kind: 'crash' };

type StoreState = { durable: BatchOp[]; unsynced: (readonly BatchOp[])[] };
/** `removed`: files that come back if the power goes before the directory is synced, some of them. */
type FilesState = { files: AppendFiles; synced: FilePosition; readonly removed: Set<number> };

export class FaultyDisk {
  readonly #random: Random;
  readonly #stores = new Map<string, StoreState>();
  readonly #files = new Map<string, FilesState>();
  #faults = new Map<number, Fault>();
  #writes = 0;
  /** Grows with each crash; what was opened under a smaller one is dead. */
  #life = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Writes (batches, appends, truncations, syncs) since the last crash. */
  get writes(): number {
    return this.#writes;
  }

  /** Plans a fault for the `n`-th write from now; 1 is the next. */
  faultAt(n: number, fault: Fault): void {
    this.#faults.set(this.#writes + n, fault);
  }

  /** Opens the key-value store of this name, with what the disk holds of it. */
  async openStore(name: string): Promise<KeyValueStore> {
    const state = getOrMake(this.#stores, name, (): StoreState => ({ durable: [], unsynced: [] }));
    const memory = createMemoryStore();
    await memory.write([...state.durable, ...state.unsynced.flat()]);
    return this.#wrapStore(memory, state);
  }

  /** Opens the append files of this name, with what the disk holds of them. */
  openFiles(name: string, options: { readonly maxFileBytes: number }): AppendFiles {
    const state = getOrMake(
      this.#files,
      name,
      (): FilesState => ({
        files: createMemoryAppendFiles(options),
        synced: { file: 0, offset: 0 },
        removed: new Set(),
      }),
    );
    return this.#wrapFiles(state);
  }

  /** The power goes now. */
  async crash(): Promise<void> {
    this.#life += 1;
    this.#writes = 0;
    this.#faults = new Map();
    for (const state of this.#stores.values()) {
      const kept = state.unsynced.slice(0, this.#random.below(state.unsynced.length + 1));
      state.durable.push(...kept.flat());
      state.unsynced = [];
    }
    for (const state of this.#files.values()) await this.#tearFiles(state);
  }

  async #tearFiles(state: FilesState): Promise<void> {
    const { files, synced, removed } = state;
    await files.remove([...removed].filter(() => this.#random.below(2) === 0));
    removed.clear();
    const end = files.end();
    const inSyncedFile = end.file === synced.file ? end.offset : synced.offset;
    const offset = synced.offset + this.#random.below(inSyncedFile - synced.offset + 1);
    await files.truncate({ file: synced.file, offset });
    // Some file systems store the new length before the bytes.
    if (offset > 0 && offset < inSyncedFile && this.#random.below(2) === 0) {
      await files.append([new Uint8Array(this.#random.below(inSyncedFile - offset) + 1)]);
    }
    state.synced = files.end();
  }

  /** Counts a write and gives the fault planned for it. */
  async #step(life: number): Promise<Fault | undefined> {
    this.#assertAlive(life);
    this.#writes += 1;
    const fault = this.#faults.get(this.#writes);
    if (fault?.kind === 'crash') {
      await this.crash();
      this.#assertAlive(life);
    }
    return fault;
  }

  #assertAlive(life: number): void {
    if (life !== this.#life) throw new NodeError('IO', 'the disk crashed (injected by a test)');
  }

  #wrapStore(memory: KeyValueStore, state: StoreState): KeyValueStore {
    const life = this.#life;
    let failed: NodeError | undefined;
    return {
      get: (key) => {
        this.#assertAlive(life);
        return memory.get(key);
      },
      getMany: async (keys) => {
        this.#assertAlive(life);
        return memory.getMany(keys);
      },
      write: async (ops, options) => {
        const copy = ops.map(copyOp);
        const fault = await this.#step(life);
        // As the disk version: after a failed write no other succeeds until it is opened anew.
        if (failed !== undefined) throw failed;
        if (fault?.kind === 'fail') {
          if (this.#random.below(2) === 0) state.unsynced.push(copy);
          failed = injected(fault.code);
          throw failed;
        }
        state.unsynced.push(copy);
        if (options?.sync === true) {
          state.durable.push(...state.unsynced.flat());
          state.unsynced = [];
        }
        await memory.write(copy);
      },
      clear: async (range) => {
        const keys: Uint8Array[] = [];
        for await (const [key] of memory.entries(range)) keys.push(key);
        await this.#step(life);
        if (failed !== undefined) throw failed;
        // Not atomic: a crash may leave some.
        state.unsynced.push(...keys.map((key): BatchOp[] => [{ kind: 'del', key }]));
        await memory.clear(range);
      },
      entries: (range) => {
        this.#assertAlive(life);
        return memory.entries(range);
      },
      sizeOnDisk: () => memory.sizeOnDisk(),
      trim: () => memory.trim(),
      [Symbol.asyncDispose]: () => memory[Symbol.asyncDispose](),
    };
  }

  #wrapFiles(state: FilesState): AppendFiles {
    const life = this.#life;
    const { files, removed } = state;
    let closed = false;
    const check = (): void => {
      this.#assertAlive(life);
      if (closed) throw new NodeError('IO', 'cannot use the files: they are closed');
    };
    const step = async (): Promise<void> => {
      check();
      const fault = await this.#step(life);
      if (fault?.kind === 'fail') throw injected(fault.code);
    };
    const directorySynced = async (): Promise<void> => {
      await files.remove(removed);
      removed.clear();
    };
    return {
      end: () => files.end(),
      append: async (parts) => {
        await step();
        const at = await files.append(parts);
        // The disk version syncs a file before it begins the next.
        if (at.file > state.synced.file) state.synced = at;
        return at;
      },
      read: async (position, length) => {
        check();
        if (removed.has(position.file)) throw new NodeError('CORRUPT_DATA', 'the file was removed');
        return files.read(position, length);
      },
      sync: async () => {
        await step();
        await directorySynced();
        state.synced = files.end();
      },
      truncate: async (end) => {
        await step();
        await directorySynced();
        await files.truncate(end);
        state.synced = files.end();
      },
      remove: async (numbers) => {
        await step();
        for (const file of numbers) removed.add(file);
      },
      files: () => files.files().filter(({ file }) => !removed.has(file)),
      [Symbol.asyncDispose]: async () => {
        closed = true;
      },
    };
  }
}

function injected(code: NodeError['code']): NodeError {
  return new NodeError(code, 'write failed (injected by a test)');
}

function copyOp(op: BatchOp): BatchOp {
  const key = new Uint8Array(op.key);
  return op.kind === 'put' ? { kind: 'put', key, value: new Uint8Array(op.value) } : { kind: 'del', key };
}

function getOrMake<Value>(map: Map<string, Value>, name: string, make: () => Value): Value {
  const known = map.get(name);
  if (known !== undefined) return known;
  const made = make();
  map.set(name, made);
  return made;
}
