/** Who told of a block, each with how long after the first, as a bar too. */
import type { JSX } from 'preact';
import type { BlockAnnouncement } from '../../contract.ts';
import * as format from '../format.ts';
import { Level } from './level.tsx';
import { PeerLink } from './links.tsx';

type DelaysProps = { readonly announcements: readonly BlockAnnouncement[]; readonly isTall?: boolean };

export function Delays({ announcements, isTall = false }: DelaysProps): JSX.Element {
  const longestMs = Math.max(1, ...announcements.map(({ delayMs }) => delayMs));
  return (
    <ol class={isTall ? 'delays tall' : 'delays'}>
      {announcements.map(({ peerId, delayMs }) => (
        <li key={peerId}>
          <PeerLink id={peerId} />
          <Level part={delayMs / longestMs} />
          <span class="number">{delayMs === 0 ? 'first' : `+${format.milliseconds(delayMs)}`}</span>
        </li>
      ))}
    </ol>
  );
}
