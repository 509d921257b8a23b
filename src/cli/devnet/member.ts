/** The parent's handle on one node process of the devnet. */
import { type ChildProcess, fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import {
  DEVNET_NODE_COMMAND,
  type DevnetRole,
  type FromChild,
  type NodeReport,
  type StartMessage,
  type ToChild,
} from './messages.ts';

type Ready = Extract<FromChild, { readonly kind: 'ready' }>;

/** What the parent knows of a node. */
export type MemberState = {
  readonly name: string;
  readonly role: DevnetRole;
  readonly peerId: string | undefined;
  readonly report: NodeReport | undefined;
  /** Set when the process has ended. */
  readonly ended: string | undefined;
};

/** Of what a child prints, kept to say why it died. */
const MAX_ERROR_CHARS = 2_000;
const PROGRAM = new URL('../starling.ts', import.meta.url);

export class Member {
  /** Where the node is reached, once it listens. Rejects when the process ends before. */
  readonly ready: Promise<Pick<Ready, 'addresses' | 'rpc' | 'dashboard'>>;
  /** Resolves when the process has ended; true if it ended by itself or badly. */
  readonly ended: Promise<boolean>;
  readonly #child: ChildProcess;
  #state: MemberState;
  #isStopping = false;
  #errors = '';

  constructor(name: string, start: StartMessage) {
    this.#state = { name, role: start.role, peerId: undefined, report: undefined, ended: undefined };
    this.#child = fork(fileURLToPath(PROGRAM), [DEVNET_NODE_COMMAND], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-MAX_ERROR_CHARS);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(this.#end(error.message)));
      this.#child.once('close', (code, signal) => {
        // Ctrl-C reaches the whole process group, also a child too young to ignore it.
        this.#isStopping ||= signal === 'SIGINT';
        resolve(this.#end(signal ?? `exit code ${code}`));
      });
    });
    const ready = Promise.withResolvers<Awaited<Member['ready']>>();
    this.ready = ready.promise;
    // Whoever waits for it gets the rejection; nobody may be waiting.
    ready.promise.catch(() => {});
    void this.ended.then(() => ready.reject(new Error(`${name} ended: ${this.failure ?? ''}`)));
    this.#child.on('message', (message: FromChild) => {
      if (message.kind === 'report') this.#state = { ...this.#state, report: message };
      else {
        this.#state = { ...this.#state, peerId: message.peerId };
        ready.resolve(message);
      }
    });
    this.#say(start);
  }

  get state(): MemberState {
    return this.#state;
  }

  /** Why the process ended by itself, if it did. */
  get failure(): string | undefined {
    if (this.#isStopping || this.#state.ended === undefined) return undefined;
    return `${this.#state.ended} ${this.#errors.trim()}`.trim();
  }

  /** Asks the node to stop in order. */
  stop(): void {
    this.#isStopping = this.#state.ended === undefined;
    this.#say({ kind: 'stop' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #end(how: string): boolean {
    this.#state = { ...this.#state, ended: how };
    return !this.#isStopping;
  }

  #say(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

/** The command that starts this same program, for people to type. */
export function ownCommand(): string {
  const script = fileURLToPath(PROGRAM);
  if (!script.endsWith('.ts')) return 'starling';
  const here = `${process.cwd()}/`;
  // The pinned Node.js by its short name.
  const node = process.execPath.replace(/node_modules\/node-linux-\w+\/bin\/node$/, 'node_modules/.bin/node');
  return [node, script].map((path) => (path.startsWith(here) ? path.slice(here.length) : path)).join(' ');
}
