/**
 * What an RPC of gossipsub carries beside messages: how much of it there is, what no honest node says, what goes too far.
 * Gossipsub keeps ids for up to ten heartbeats whatever their length, and a back-off for as long as the peer says.
 */
import { MESSAGE_ID_BYTES } from './gossip-settings.ts';

type WithIds = { readonly messageIDs: readonly Uint8Array[] };
type Prune = { readonly topicID?: string; readonly peers: readonly object[]; readonly backoff?: number };
export type Control = {
  readonly ihave: readonly WithIds[];
  readonly iwant: readonly WithIds[];
  readonly idontwant: readonly WithIds[];
  readonly graft: readonly object[];
  readonly prune: readonly Prune[];
};
export type Rpc = {
  readonly subscriptions: readonly object[];
  readonly messages: readonly { readonly data?: Uint8Array; readonly topic?: string }[];
  readonly control?: Control;
};

/** Gossipsub's own is a minute. The record of a longer one would outlive its peer for as long. */
const MAX_BACKOFF_SECONDS = 3_600;

function idsOf({ ihave, iwant, idontwant }: Control): WithIds[] {
  return [...ihave, ...iwant, ...idontwant];
}

/** Subscriptions, grafts, prunes with the peers that they name, lists of ids with all their ids. */
export function controlItems({ subscriptions, control }: Rpc): number {
  if (control === undefined) return subscriptions.length;
  const inLists = idsOf(control).reduce((sum, { messageIDs }) => sum + 1 + messageIDs.length, 0);
  const inPrunes = control.prune.reduce((sum, { peers }) => sum + 1 + peers.length, 0);
  return subscriptions.length + control.graft.length + inPrunes + inLists;
}

/** Whether all message ids are such as this network has. */
export function hasProperIds({ control }: Rpc): boolean {
  if (control === undefined) return true;
  return idsOf(control).every(({ messageIDs }) => messageIDs.every(({ length }) => length === MESSAGE_ID_BYTES));
}

/** The same with back-offs that end. */
export function withBoundedBackoff<T extends Rpc>(rpc: T): T {
  const { control } = rpc;
  const isLong = ({ backoff }: Prune): boolean => backoff !== undefined && backoff > MAX_BACKOFF_SECONDS;
  if (control === undefined || !control.prune.some(isLong)) return rpc;
  const prune = control.prune.map((each) => (isLong(each) ? { ...each, backoff: MAX_BACKOFF_SECONDS } : each));
  return { ...rpc, control: { ...control, prune } };
}
