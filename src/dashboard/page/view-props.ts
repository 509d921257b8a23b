import type { Feed } from './feed-state.ts';

/** What each view draws. `nowMs` is the node's clock: ages are by the clock that made the times. */
export type ViewProps = { readonly feed: Feed; readonly nowMs: number };
