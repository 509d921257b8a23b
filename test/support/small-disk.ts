/**
 * A disk of memory whose size a test changes, in a mount namespace of its own: no privileges are needed, nobody else
 * sees it, and it is gone when its holder ends. Programs reach it through the prefix `enter`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** New user and mount namespaces in which we are root. */
const NAMESPACE = ['unshare', '-Urm'];
/** The holder waits for the end of its input, so it ends with the process that made it. */
const HOLDER = 'mount -t tmpfs -o size="$2" tmpfs "$1" && echo mounted && exec cat';

/** Why there can be no such disk here; undefined if there can. */
export function whyNoSmallDisk(): string | undefined {
  const [program = '', ...args] = [...NAMESPACE, 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'];
  return spawnSync(program, args).status === 0 ? undefined : 'a small disk cannot be made here without privileges';
}

export type SmallDisk = AsyncDisposable & {
  /** The folder that is the disk, for programs that were started by `enter`. */
  readonly path: string;
  /** In front of the command line of a program that shall see the disk; the program has the process to itself. */
  readonly enter: readonly string[];
  /** Size as mount takes it (`600k`); not below what is used. */
  readonly resize: (size: string) => void;
};

/** Mounts it over `path`, an empty folder. */
export async function createSmallDisk(path: string, size: string): Promise<SmallDisk> {
  const [program = '', ...args] = [...NAMESPACE, 'sh', '-c', HOLDER, 'sh', path, size];
  const holder: ChildProcess = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(holder, 'close');
  const mounted = holder.stdout === null ? ended : once(holder.stdout, 'data');
  await Promise.race([mounted, ended.then(() => Promise.reject(new Error('the disk could not be mounted')))]);
  const enter = ['nsenter', '-t', String(holder.pid), '-U', '-m', '--preserve-credentials', '--'];
  return {
    path,
    enter,
    resize: (newSize) => {
      const [command = '', ...rest] = [...enter, 'mount', '-o', `remount,size=${newSize}`, path];
      execFileSync(command, rest);
    },
    [Symbol.asyncDispose]: async () => {
      holder.stdin?.end();
      await ended;
    },
  };
}
