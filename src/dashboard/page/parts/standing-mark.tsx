/** How a peer stands, by shape and colour: a disc, a ring, a triangle. */
import type { JSX } from 'preact';
import type { PeerRow } from '../../contract.ts';
import { digits } from '../format.ts';
import { type Standing, standingOf } from '../mesh-layout.ts';

export const STANDINGS: Readonly<Record<Standing, string>> = {
  good: 'useful: gossip score above 0',
  neutral: 'neutral',
  bad: 'offended lately',
};

export function StandingMark({ peer }: { readonly peer: PeerRow }): JSX.Element {
  const standing = standingOf(peer);
  const points = peer.penaltyPoints > 0 ? `, ${digits(peer.penaltyPoints)} penalty points` : '';
  return (
    <svg
      class={`mark ${standing}`}
      viewBox="-6 -6 12 12"
      width="12"
      height="12"
      role="img"
      aria-label={STANDINGS[standing] + points}
    >
      <StandingShape standing={standing} size={4.5} />
    </svg>
  );
}

/** Around the origin. */
export function StandingShape({ standing, size }: { readonly standing: Standing; readonly size: number }): JSX.Element {
  if (standing === 'bad') return <path d={`M0 ${-size * 1.2}L${size * 1.15} ${size * 0.9}H${-size * 1.15}Z`} />;
  return <circle r={size} />;
}
