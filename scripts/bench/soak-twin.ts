/**
 * A process of the soak that holds what a node remembers of each transaction by design, and nothing else: bounded
 * memories that fill over hours. What they take is measured here to be taken off what a node's heap has grown by.
 */
import type { Transaction } from '#primitives';
import { assert } from '#util';
import { ScriptMemory } from '../../src/mempool/script-memory.ts';
import { RecentIds } from '../../src/relay/recent-ids.ts';
import { ScriptCache } from '../../src/verify/script-cache.ts';
import { numberedTx } from '../../test/support/numbered-tx.ts';
import { servePeer } from './peer-process.ts';

/** `MAX_CONFIRMED` of relay. */
const CONFIRMED = 48_000;
const BLOCK_FLAGS = 1;
const COLLECTIONS = 3;
/** Many of each, so that what the process itself takes or gives back is small beside them. */
const COPIES = 20;

type Memories = { readonly scripts: ScriptMemory; readonly passed: ScriptCache; readonly confirmed: RecentIds };

const copies = Array.from({ length: COPIES }, (): Memories => {
  return { scripts: new ScriptMemory(), passed: new ScriptCache(), confirmed: new RecentIds(CONFIRMED) };
});
const emptyBytes = heapBytes();
let made = 0;

servePeer(
  {
    /** Blocks of so many transactions that no mempool had. */
    confirmed: (count: number) => {
      for (const memories of copies) each(count, (tx) => confirm(memories, tx));
    },
    /** So many went through the mempool into a block. */
    relayed: (count: number) => {
      for (const memories of copies)
        each(count, (tx) => {
          memories.scripts.passed(tx);
          memories.passed.add(tx, BLOCK_FLAGS);
          confirm(memories, tx);
        });
    },
    /** Of one node's. */
    bytes: (): number => (heapBytes() - emptyBytes) / COPIES,
  },
  () => Promise.resolve(),
);

/** Odd numbers have a witness, as the soak's payments do, and so two ids. */
function each(count: number, act: (tx: Transaction) => void): void {
  for (let i = 0; i < count; i++) {
    made += 1;
    act(numberedTx(2 * made + 1));
  }
}

function confirm({ confirmed }: Memories, { txid, wtxid }: Transaction): void {
  confirmed.add(txid);
  confirmed.add(wtxid);
}

function heapBytes(): number {
  assert(globalThis.gc !== undefined, 'the process was started with --expose-gc');
  for (let i = 0; i < COLLECTIONS; i++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
