/**
 * The picture of the mesh. A new block shows as a wave from the peer that told of it first, and as a flash of each peer when it
 * tells of it. Screen readers have the table beside it.
 */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { BlockRow, PeerRow } from '../../contract.ts';
import { milliseconds, plural, shortPeer } from '../format.ts';
import { MESH_SIZE, type MeshLayout, type MeshPlace } from '../mesh-layout.ts';
import { peerPath } from '../route.ts';
import { StandingShape } from './standing-mark.tsx';

/** Names stand beside peers while they fit. */
const MAX_NAMED = 24;
const WAVE_MS = 1_800;
/** Later ones flash no more: the wave is over. */
const MAX_FLASH_DELAY_MS = 5_000;

type MeshPictureProps = { readonly layout: MeshLayout; readonly newest: BlockRow | undefined };

export function MeshPicture({ layout, newest }: MeshPictureProps): JSX.Element {
  const { places, rings } = layout;
  const picture = useRef<SVGSVGElement>(null);
  useWaves(picture, layout, newest);
  useClicks(picture);
  const size = MESH_SIZE + 4;
  const isNamed = places.length <= MAX_NAMED;
  const firstId = newest?.announcements[0]?.peerId;
  return (
    <svg
      ref={picture}
      class={`mesh-picture ${isNamed ? 'few' : ''}`}
      viewBox={`${-size} ${-size} ${2 * size} ${2 * size}`}
      role="img"
      aria-label={`This node and ${plural(places.length, 'peer')}`}
    >
      {rings.map(({ latencyMs, radius }) => (
        <g key={latencyMs} class="ring">
          <circle r={radius} />
          <text x="0" y={-radius - 1.2}>
            {roundLatency(latencyMs)}
          </text>
        </g>
      ))}
      {places.map((place) => (
        <Edges key={place.peer.id} place={place} />
      ))}
      <circle class="wave" r="1" />
      <circle class="self" r="4.5" />
      {places.map((place) => (
        <Peer key={place.peer.id} place={place} isNamed={isNamed} isFirst={place.peer.id === firstId} />
      ))}
    </svg>
  );
}

/** Of rings, whose latencies are round: 0.1 ms, 20 ms, 2 s. */
const roundLatency = (ms: number): string => (ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`);

/**
 * A thin line, or one beside the other for each topic; the chevron points from who dialled. The bearing stays: only lengths
 * change, and move together with the peer.
 */
function Edges({ place: { peer, angle, radius } }: { readonly place: MeshPlace }): JSX.Element {
  return useMemo(() => edgesTo(peer, angle, radius), [peer, angle, radius]);
}

function edgesTo({ meshTopics, direction }: PeerRow, angle: number, radius: number): JSX.Element {
  const topics = meshTopics.length === 0 ? ['none'] : meshTopics;
  return (
    <g transform={`rotate(${(angle * 180) / Math.PI})`}>
      <g class="moves" style={{ transform: `scaleX(${radius})` }}>
        {topics.map((topic, at) => (
          <path key={topic} class={`edge ${topic}`} d={`M0 ${(at - (topics.length - 1) / 2) * 1.3}h1`} />
        ))}
      </g>
      <g class="moves" style={{ transform: `translate(${radius * 0.62}px)` }}>
        <path class="chevron" d={direction === 'inbound' ? 'M1.4 -1.8L-1 0L1.4 1.8' : 'M-1.4 -1.8L1 0L-1.4 1.8'} />
      </g>
    </g>
  );
}

type PeerProps = { readonly place: MeshPlace; readonly isNamed: boolean; readonly isFirst: boolean };

function Peer({ place, isNamed, isFirst }: PeerProps): JSX.Element {
  const { peer, x, y } = place;
  return useMemo(() => peerAt(place, isNamed, isFirst), [peer, x, y, isNamed, isFirst]);
}

function peerAt({ peer, x, y, standing }: MeshPlace, isNamed: boolean, isFirst: boolean): JSX.Element {
  const latency = peer.latencyMs === null ? 'no ping yet' : milliseconds(peer.latencyMs);
  return (
    <g class={`peer ${standing}`} data-peer={peer.id}>
      <title>{`${peer.id}\n${peer.direction}, ${latency}\n${peer.agent}`}</title>
      <g class="moves" style={{ transform: `translate(${x}px, ${y}px)` }}>
        <circle class="halo" r="6" data-halo={peer.id} />
        {isFirst && <circle class="first" r={isNamed ? 4.6 : 3.4} />}
        <StandingShape standing={standing} size={isNamed ? 2.6 : 1.8} />
        {isNamed && <text y={y > 0 ? 7.6 : -5}>{shortPeer(peer.id).slice(-5)}</text>}
      </g>
    </g>
  );
}

/** For the mouse; the table beside has the same links for the keyboard. */
function useClicks(picture: { readonly current: SVGSVGElement | null }): void {
  useEffect(() => {
    const element = picture.current;
    const onClick = ({ target }: Event): void => {
      const id = target instanceof Element && target.closest('[data-peer]')?.getAttribute('data-peer');
      if (id) location.hash = peerPath(id);
    };
    element?.addEventListener('click', onClick);
    return () => element?.removeEventListener('click', onClick);
  }, [picture]);
}

/** Runs the wave once for each block that comes while the picture is seen. */
function useWaves(
  picture: { readonly current: SVGSVGElement | null },
  layout: MeshLayout,
  newest: BlockRow | undefined,
): void {
  const seen = useRef({ hash: newest?.hash, told: newest?.announcements.length ?? 0 });
  useEffect(() => {
    if (newest === undefined) return;
    const isNew = seen.current.hash !== newest.hash;
    const from = isNew ? 0 : seen.current.told;
    seen.current = { hash: newest.hash, told: newest.announcements.length };
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const fresh = newest.announcements.slice(from);
    if (isNew) runWave(picture.current, placeOf(layout, fresh[0]?.peerId));
    for (const { peerId, delayMs } of fresh) {
      // What comes in a later delta was delayed by just that already.
      flash(picture.current, peerId, from === 0 ? Math.min(delayMs, MAX_FLASH_DELAY_MS) : 0);
    }
  }, [picture, layout, newest]);
}

/** Nobody told of it: it spreads from here. */
function placeOf(layout: MeshLayout, peerId: string | undefined): { readonly x: number; readonly y: number } {
  return layout.places.find(({ peer }) => peer.id === peerId) ?? { x: 0, y: 0 };
}

function runWave(picture: SVGSVGElement | null, { x, y }: { readonly x: number; readonly y: number }): void {
  const at = `translate(${x}px, ${y}px)`;
  const frames = [
    { transform: `${at} scale(3)`, opacity: 0.9 },
    { transform: `${at} scale(${2 * MESH_SIZE})`, opacity: 0 },
  ];
  picture?.querySelector('.wave')?.animate(frames, { duration: WAVE_MS, easing: 'ease-out' });
}

function flash(picture: SVGSVGElement | null, peerId: string, delayMs: number): void {
  const halo = picture?.querySelector(`[data-halo="${CSS.escape(peerId)}"]`);
  const frames = [
    { opacity: 0.85, transform: 'scale(0.4)' },
    { opacity: 0, transform: 'scale(1.6)' },
  ];
  halo?.animate(frames, { duration: 900, delay: delayMs, easing: 'ease-out' });
}
