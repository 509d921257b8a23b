/**
 * One JSON file that is replaced as a whole: written beside, flushed, renamed. A crash leaves the old or the new
 * file, never half of one. What it holds is a convenience (addresses, bans): a damaged file is set aside and told
 * of, and does not stop the node, nor does one that cannot be written.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText, type Logger, NodeError } from '#util';

export type JsonFile = {
  /** The parsed content; undefined when there is none or it was damaged. */
  readonly read: () => Promise<unknown>;
  /** Replaces the content. Calls while a write runs are merged into one with the latest value. Never rejects: failures are logged. */
  readonly write: (value: unknown) => Promise<void>;
};

/** A path of undefined remembers nothing. `isWhole`: whether parsed content has the outer form that it should have. */
export function openJsonFile(
  path: string | undefined,
  log: Logger,
  isWhole: (content: unknown) => boolean = () => true,
): JsonFile {
  if (path === undefined) return { read: async () => undefined, write: async () => {} };
  let waiting: { readonly value: unknown } | undefined;
  let running: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    while (waiting !== undefined) {
      const { value } = waiting;
      waiting = undefined;
      await replace(path, value).catch((error) =>
        log.warn('cannot write; the next start will not know what is new', { file: path, error: errorText(error) }),
      );
    }
    running = undefined;
  };
  return {
    read: () => readIntact(path, log, isWhole),
    write: (value) => {
      waiting = { value };
      running ??= drain();
      return running;
    },
  };
}

async function readIntact(path: string, log: Logger, isWhole: (content: unknown) => boolean): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new NodeError('IO', `cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
  const content = parsed(text);
  if (content !== undefined && isWhole(content)) return content;
  await setAside(path, log);
  return undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function setAside(path: string, log: Logger): Promise<void> {
  try {
    await rename(path, `${path}.damaged`);
    log.warn('a damaged file was set aside', { file: path, now: `${path}.damaged` });
  } catch (error) {
    log.warn('a damaged file cannot be set aside', { file: path, error: errorText(error) });
  }
}

async function replace(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(value)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
