/** The chain, and the indexes that follow it: all of the data directory that is made from blocks. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { networkDirectory, openChain } from '#chain';
import { openIndexes, type RunningIndexes } from '#indexes';
import type { ScriptVerifier } from '#verify';
import type { OpenedChain } from './figures.ts';
import type { NodeDeps, NodeOptions } from './port.ts';

export type NodeData = AsyncDisposable & { readonly chain: OpenedChain; readonly indexes: RunningIndexes };

/** Throws NodeError. */
export async function openData(
  options: NodeOptions,
  deps: NodeDeps,
  verifier: ScriptVerifier,
  onFatal: (error: unknown) => void,
): Promise<NodeData> {
  const { indexes: selection = {}, params, reindex } = options;
  const { clock, random, log, onOpening: onProgress, signal } = deps;
  await using stack = new AsyncDisposableStack();
  // While the chain is opened nobody knows yet what the indexes have read.
  let nextHeight = (): number => 0;
  const keepFrom = (): number => nextHeight();
  const chainLog = log.child('chain');
  const chain = stack.use(
    await openChain({ ...options, verifier, clock, random, log: chainLog, onProgress, signal, keepFrom }),
  );
  const directory = networkDirectory(options.datadir, params);
  // The directory is locked by now. Also those that are not kept any more: they would be behind when they are again.
  if (reindex === 'all') await rm(join(directory, 'indexes'), { recursive: true, force: true });
  const indexDeps = { chain, clock, log: log.child('indexes'), onFatal };
  const indexes = stack.use(await openIndexes(directory, selection, indexDeps));
  nextHeight = indexes.nextHeight;
  const resources = stack.move();
  return { chain, indexes, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}
