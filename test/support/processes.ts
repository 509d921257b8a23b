/**
 * Whole nodes as people run them: `node src/cli/starling.ts node …` in processes of their own, watched through their
 * JSON log. Nothing waits for time: a condition is looked at whenever a line arrives.
 *
 * Invariants: every process ends with the test that started it, passed, failed or timed out; of what a process prints
 * the last lines are kept, and shown when the test failed.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { type CliResult, resultOf, startCli } from '../e2e/run-cli.ts';
import type { SmallDisk } from './small-disk.ts';
import { makeTempDir } from './temp-dir.ts';

/** One line of the log. */
type LogRecord = { readonly msg: string } & Readonly<Record<string, unknown>>;

type Tip = { readonly height: number; readonly hash: string };

/** How a process ended: its exit code, or the signal that killed it. */
type Ending = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** What `starling info --json` prints, as far as tests compare it. */
type ChainInfo = {
  readonly network: string;
  readonly height: number;
  readonly bestblock: string;
  readonly chainwork: string;
  readonly txouts: number;
  readonly total_amount: number;
  readonly hash_serialized_3: string;
  readonly muhash: string;
};

/** What `info` says of the files, which two nodes with one chain may have different. */
const FILE_FIELDS: ReadonlySet<string> = new Set(['size_on_disk', 'pruned', 'pruneheight', 'prune_target_size']);

const KEPT_LINES = 150;
const KEPT_CHARS = 400;
const NEW_TIP = '"msg":"new tip"';

type Waiter = { readonly isTrue: () => boolean; readonly resolve: () => void; readonly reject: (error: Error) => void };

/** A running `starling node`. What it knows comes from the log. */
export class NodeProcess {
  readonly name: string;
  /** Resolves when the process is gone and all its output was read. */
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #peers = new Set<string>();
  readonly #banned = new Map<string, string>();
  readonly #indexesAtTip = new Set<string>();
  #waiters: Waiter[] = [];
  #ending: Ending | undefined;
  #peerId: string | undefined;
  #address: string | undefined;
  #startHeight: number | undefined;
  #tip: Tip | undefined;
  #stallReason = '';
  #storeFailures = 0;

  constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#read(child.stdout);
    this.#read(child.stderr);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => this.#keep(String(error)));
      child.once('close', (code, signal) => {
        this.#ending = { code, signal };
        resolve(this.#ending);
        for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#endedEarly());
      });
    });
  }

  get hasEnded(): boolean {
    return this.#ending !== undefined;
  }

  get peerId(): string {
    assert(this.#peerId !== undefined, `${this.name} has not said its peer id`);
    return this.#peerId;
  }

  /** The height at which the node came up, before it connected anything new; undefined until it is up. */
  get startHeight(): number | undefined {
    return this.#startHeight;
  }

  get tip(): Tip | undefined {
    return this.#tip;
  }

  get height(): number {
    return this.#tip?.height ?? 0;
  }

  /** Why the sync stalls, as it says itself; empty if it does not. */
  get stallReason(): string {
    return this.#stallReason;
  }

  /** How often a block could not be stored. */
  get storeFailures(): number {
    return this.#storeFailures;
  }

  /** Peers whose hello passed and that are still connected. */
  get peers(): ReadonlySet<string> {
    return this.#peers;
  }

  /** Peers that it banned, each with what the last offence was. */
  get banned(): ReadonlyMap<string, string> {
    return this.#banned;
  }

  /** Names of the indexes that have caught up with the chain. */
  get indexesAtTip(): ReadonlySet<string> {
    return this.#indexesAtTip;
  }

  /** Resolves as soon as the condition holds; rejects with the output if the process ends before. */
  until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return Promise.resolve();
    if (this.hasEnded) return Promise.reject(this.#endedEarly());
    return new Promise((resolve, reject) => this.#waiters.push({ isTrue, resolve, reject }));
  }

  /** The multiaddr with peer id that others can dial, once the node listens. */
  async address(): Promise<string> {
    await this.until(() => this.#address !== undefined);
    return this.#address ?? '';
  }

  async untilTip(hash: string): Promise<void> {
    await this.until(() => this.#tip?.hash === hash);
  }

  /** Ctrl-C, and the end of it; gives how long that took. Throws when the node did not stop in order. */
  async stop(): Promise<{ readonly stoppedInMs: number }> {
    const startedMs = performance.now();
    this.signal('SIGINT');
    assert.deepEqual(await this.ended, { code: 0, signal: null }, `${this.name} did not stop in order`);
    return { stoppedInMs: performance.now() - startedMs };
  }

  /** As the out-of-memory killer does it: no handler runs. */
  async kill(): Promise<Ending> {
    this.signal('SIGKILL');
    return this.ended;
  }

  signal(name: 'SIGINT' | 'SIGKILL'): void {
    if (!this.hasEnded) this.#child.kill(name);
  }

  /** The end of what the process printed. */
  transcript(): string {
    const { code, signal } = this.#ending ?? { code: null, signal: null };
    const state = this.hasEnded ? `ended: ${signal ?? code}` : 'running';
    return `--- ${this.name} (${state})\n${this.#lines.join('\n')}`;
  }

  #read(stream: Readable | null): void {
    assert(stream !== null, 'the output is piped');
    createInterface({ input: stream }).on('line', (line) => {
      this.#keep(line);
      if (line.startsWith('{')) this.#note(JSON.parse(line) as LogRecord);
      const { true: met = [], false: open = [] } = Object.groupBy(this.#waiters, (each) => `${each.isTrue()}`);
      this.#waiters = open;
      for (const waiter of met) waiter.resolve();
    });
  }

  /** Of new tips in a row only the last is of use. */
  #keep(line: string): void {
    if (line.includes(NEW_TIP) && this.#lines.at(-1)?.includes(NEW_TIP)) this.#lines.pop();
    this.#lines.push(line.slice(0, KEPT_CHARS));
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
  }

  #note(record: LogRecord): void {
    const { msg } = record;
    if (msg === 'node is running') {
      this.#peerId = String(record['peer']);
      this.#startHeight = Number(record['height']);
      // What was connected while it started has been logged already.
      this.#tip ??= { height: this.#startHeight, hash: String(record['tip']) };
    } else if (msg === 'others reach it at') this.#address ??= String(record['address']);
    else if (msg === 'new tip') this.#tip = { height: Number(record['height']), hash: String(record['hash']) };
    else if (msg === 'index is at the tip') this.#indexesAtTip.add(String(record['index']));
    else if (msg === 'peer ready') this.#peers.add(String(record['peer']));
    else if (msg === 'blocks cannot be stored; trying again later') this.#storeFailures++;
    else if (msg === 'sync') this.#stallReason = record['phase'] === 'stalled' ? String(record['reason']) : '';
    else if (msg === 'peer gone') this.#peers.delete(String(record['peer']));
    else if (msg === 'offence' && record['judgement'] === 'ban') {
      this.#banned.set(String(record['peer']), String(record['detail']));
    }
  }

  #endedEarly(): Error {
    return new Error(`${this.name} ended before what was awaited\n${this.transcript()}`);
  }
}

/** The processes and data directories of one test. */
export type Processes = {
  /** A folder that is removed with the test. */
  readonly folder: string;
  readonly datadir: (name: string) => string;
  /** Starts a node that listens on loopback unless told otherwise; the same name finds its data again. */
  readonly start: (name: string, ...flags: readonly string[]) => NodeProcess;
  /** Starts any command on the data of `name`. The test ends it, or its own end does. */
  readonly spawn: (command: string, name: string, ...args: readonly string[]) => ChildProcess;
  /** Runs a command on the data of `name` to its end. */
  readonly run: (command: string, name: string, ...args: readonly string[]) => Promise<CliResult>;
  /** Imports a block file into the data of `name`; throws unless all of it was taken. */
  readonly import: (name: string, file: string) => Promise<void>;
  /** Figures of the chain in the data of `name`, by `starling info`; what its files are like is left out. */
  readonly info: (name: string) => Promise<ChainInfo>;
};

export type ProcessesOptions = {
  readonly network: string;
  /** Where the data directories are; default: a folder of their own. */
  readonly disk?: Pick<SmallDisk, 'path' | 'enter'>;
};

/** Ends everything after the test, however it ended. */
export async function createProcesses(t: TestContext, options: ProcessesOptions): Promise<Processes> {
  const { network, disk } = options;
  const folder = disk?.path ?? (await makeTempDir()).path;
  const children = new Map<ChildProcess, Promise<unknown>>();
  const nodes: NodeProcess[] = [];
  const killAll = (): void => {
    for (const child of children.keys()) child.kill('SIGKILL');
  };
  // The runner ends a file that takes too long by a signal, which runs no hooks.
  const killed = (): void => {
    killAll();
    process.exit(1);
  };
  process.once('exit', killAll);
  process.once('SIGTERM', killed);
  process.once('SIGINT', killed);
  t.after(async () => {
    process.off('exit', killAll);
    process.off('SIGTERM', killed);
    process.off('SIGINT', killed);
    killAll();
    await Promise.all(children.values());
    if (!hasPassed(t)) for (const node of nodes) console.log(node.transcript());
    if (disk === undefined) await rm(folder, { recursive: true, force: true });
  });

  const datadir = (name: string): string => join(folder, name);
  const spawn = (command: string, name: string, ...args: readonly string[]): ChildProcess => {
    const common = ['--network', network, '--datadir', datadir(name)];
    const child = startCli([command, ...common, ...args], disk === undefined ? {} : { enter: disk.enter });
    children.set(
      child,
      new Promise((resolve) => child.once('close', resolve)).finally(() => children.delete(child)),
    );
    return child;
  };
  const run = (command: string, name: string, ...args: readonly string[]): Promise<CliResult> =>
    resultOf(spawn(command, name, ...args));
  return {
    folder,
    datadir,
    start: (name, ...flags) => {
      const listen = flags.includes('--listen') ? [] : ['--listen', '/ip4/127.0.0.1/tcp/0'];
      const log = ['--log-format', 'json', '--log-level', 'debug'];
      // Tests have no more than the first blocks of mainnet.
      const anyWork = ['--minimum-chain-work', '0'];
      const node = new NodeProcess(name, spawn('node', name, ...listen, ...log, ...anyWork, ...flags));
      nodes.push(node);
      return node;
    },
    spawn,
    run,
    import: async (name, file) => {
      const { code, err } = await run('import', name, file);
      assert.equal(code, 0, err);
    },
    info: async (name) => {
      const { code, out, err } = await run('info', name, '--json');
      assert.equal(code, 0, err);
      const figures = Object.entries(JSON.parse(out)).filter(([field]) => !FILE_FIELDS.has(field));
      return Object.fromEntries(figures) as ChainInfo;
    },
  };
}

/** Node's types do not know of the property yet. */
function hasPassed(t: TestContext & { readonly passed?: boolean }): boolean {
  return t.passed === true;
}
