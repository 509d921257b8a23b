/** What the server needs: something that tells what happens, and answers what is looked up. A node is one; tests have others. */
import type { JsonObject } from '#rpc';
import type { ApiFailure, FeedEventName, FeedEvents, FeedState, LogLine } from './contract.ts';

/** Must not throw. */
export type Tell = <Name extends FeedEventName>(name: Name, data: FeedEvents[Name]) => void;

export type Watch = Disposable & {
  /** What a page draws at once. What was gathered for the others until now is told before. */
  readonly state: () => FeedState;
};

export type DashboardSource = {
  /** Begins to tell: called when somebody reads and nobody did, so that nobody costs nothing. Rejects where the node stops. */
  readonly watch: (tell: Tell) => Promise<Watch>;
  readonly explorer: Explorer;
};

/** `body` is what the contract says of the status. */
export type Answer = { readonly status: 200 | 400 | 404 | 429 | 503; readonly body: JsonObject };

/** Looks up what strangers name: texts of any form, bounded by the length of a request. Throw only for failures of the node. */
export type Explorer = {
  readonly block: (hashOrHeight: string, page: string) => Promise<Answer>;
  /** `block`: the hash of the block to look in; empty for anywhere. */
  readonly tx: (txid: string, block: string) => Promise<Answer>;
  readonly search: (text: string) => Promise<Answer>;
  readonly peer: (id: string) => Promise<Answer>;
};

/** The node's log lines, as they are printed: without secrets, escaped, cut. */
export type LogSource = {
  /** Oldest first, 500 at most. */
  readonly recent: () => readonly LogLine[];
  /** Gives what removes the listener, which must neither throw nor log. */
  readonly listen: (listener: (line: LogLine) => void) => () => void;
};

export function found(body: JsonObject): Answer {
  return { status: 200, body };
}

export function refused(status: Exclude<Answer['status'], 200>, error: string): Answer {
  const body: ApiFailure = { error };
  return { status, body };
}
