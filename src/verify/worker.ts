/** Where a worker of the pool begins. Loaded with as little as can be: it gives way before it loads the rest, which takes half a second. */
import { getPriority, setPriority } from 'node:os';

/**
 * Nice levels: a tenth of the time of a thread that is not so patient, where both want the same core. With 5 the main thread
 * waits twice as long in all; with 19 somewhat less, but who shares the machine with busy programs would hardly sync.
 */
const PATIENCE = 10;
const MOST_PATIENT = 19;

/**
 * Scripts may keep every core busy, and who asks the node by RPC or as a peer must not wait for that. On Linux a priority is
 * the calling thread's own (setpriority(2)); elsewhere it would be the whole process's.
 */
function giveWay(): void {
  if (process.platform === 'linux') setPriority(0, Math.min(getPriority(0) + PATIENCE, MOST_PATIENT));
}

giveWay();
await import('./verify-chunks.ts');
