/** Links to what has a page of its own, shortened for the eye and whole for the title. */
import type { JSX } from 'preact';
import { hashEnd, shortHash, shortPeer } from '../format.ts';
import { blockPath, peerPath, txPath } from '../route.ts';

export function BlockLink({ hash }: { readonly hash: string }): JSX.Element {
  return (
    <a class="id" href={blockPath(hash)} title={hash}>
      {hashEnd(hash)}
    </a>
  );
}

/** `block`: where it is, so that it is found without an index too. */
export function TxLink({ txid, block = '' }: { readonly txid: string; readonly block?: string }): JSX.Element {
  return (
    <a class="id" href={txPath(txid, block)} title={txid}>
      {shortHash(txid)}
    </a>
  );
}

export function PeerLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <a class="id" href={peerPath(id)} title={id}>
      {shortPeer(id)}
    </a>
  );
}
