/** What two hellos decide: whether the peers belong together, and which revision they speak. */
import type { Hello } from './messages/hello.ts';
import type { OffenceName } from './offences.ts';

/**
 * Counts compatible additions (new hello fields, new optional streams). What breaks the wire gets a new major in the
 * protocol id instead, which libp2p negotiates.
 */
export const PROTOCOL_REVISION = 1;
/** The oldest that we still speak. */
const OLDEST_REVISION = 1;

/** The highest revision that both speak; undefined when it is older than we can. */
export function negotiateRevision(ours: number, theirs: number): number | undefined {
  const common = Math.min(ours, theirs);
  return common >= OLDEST_REVISION ? common : undefined;
}

export type HelloVerdict =
  | { readonly kind: 'welcome'; readonly revision: number }
  | { readonly kind: 'refused'; readonly offence: OffenceName; readonly detail: string };

/** Judges a decoded hello against ours. Claims about the chain are not looked at: headers prove them. */
export function checkHello(
  ours: Pick<Hello, 'revision' | 'genesisHash' | 'nonce'>,
  theirs: Pick<Hello, 'revision' | 'genesisHash' | 'nonce'>,
): HelloVerdict {
  if (theirs.genesisHash !== ours.genesisHash) {
    return { kind: 'refused', offence: 'wrong-network', detail: `genesis ${theirs.genesisHash}` };
  }
  if (theirs.nonce === ours.nonce) {
    return { kind: 'refused', offence: 'self-connection', detail: 'our own nonce' };
  }
  const revision = negotiateRevision(ours.revision, theirs.revision);
  if (revision === undefined) {
    return { kind: 'refused', offence: 'no-common-revision', detail: `revision ${theirs.revision}` };
  }
  return { kind: 'welcome', revision };
}
