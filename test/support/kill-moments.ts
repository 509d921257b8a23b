/** Moments in the life of another process, seen by what it does to its files. */
import { existsSync, type FSWatcher, statSync, watch } from 'node:fs';
import { join } from 'node:path';

export type Watch = Disposable & { readonly reached: Promise<void> };

/** Resolves at the first change of a file in one of the directories, as far as they exist, at which `isReached`. */
export function whenChanged(directories: readonly string[], isReached: () => boolean): Watch {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    if (isReached()) resolve();
  };
  const watchers: FSWatcher[] = directories.filter(existsSync).map((directory) => watch(directory, look));
  return {
    reached: promise,
    [Symbol.dispose]: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Resolves at the n-th change in the directories from when there are so many bytes of blocks. */
export function nthChange(directories: readonly string[], n: number, blocks = '', bytes = 0): Watch {
  let seen = 0;
  return whenChanged(directories, () => {
    if (bytes === 0 || sizeOf(join(blocks, 'blk00000.dat')) >= bytes) seen++;
    return seen >= n;
  });
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The directories of a mainnet or regtest node. */
export function directoriesOf(datadir: string, network: string) {
  const top = network === 'mainnet' ? datadir : join(datadir, network);
  const blocks = join(top, 'blocks');
  return { top, blocks, databases: [join(blocks, 'index'), join(top, 'chainstate')] };
}
