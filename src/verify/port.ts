/** The script verification port: one job a transaction, many jobs a batch. */
import type { Transaction, TxOutput } from '#primitives';

export type ScriptJob = {
  readonly tx: Transaction;
  /** The outputs that the inputs spend, in the order of the inputs. */
  readonly spent: readonly TxOutput[];
  /** Script verification flags (`ScriptFlag` of #script), or-ed. */
  readonly flags: number;
  /** The transaction will come again, in a block: worth a place in the script cache, if there is one. */
  readonly remember?: boolean;
};

export type ScriptFailure = {
  /** Index of the job in the batch: the first failing one. */
  readonly job: number;
  readonly input: number;
  /** Core's ScriptErrorString. */
  readonly error: string;
};

export type VerifyOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Others wait for it and for nothing else: the calling thread helps, a few milliseconds at a time. */
  readonly isUrgent?: boolean;
};

/** Every input of every job runs, unless one fails. */
export type ScriptVerifier = AsyncDisposable & {
  /** `undefined` when all scripts succeed. Rejects only when aborted or broken, never on bad data. */
  readonly verify: (jobs: readonly ScriptJob[], options?: VerifyOptions) => Promise<ScriptFailure | undefined>;
  /** How many inputs it can usefully take now. */
  readonly capacity: () => number;
};
