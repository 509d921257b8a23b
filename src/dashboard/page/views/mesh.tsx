/** A world without a map: who is connected to this node, how far away in time, and how news of blocks runs in. */
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import type { PeerRow } from '../../contract.ts';
import * as format from '../format.ts';
import { usePaints } from '../hooks.ts';
import { type Bearings, keepBearings, layOutMesh } from '../mesh-layout.ts';
import { PeerLink } from '../parts/links.tsx';
import { LongList } from '../parts/long-list.tsx';
import { MeshPicture } from '../parts/mesh-picture.tsx';
import { Panel } from '../parts/panel.tsx';
import { STANDINGS, StandingMark, StandingShape } from '../parts/standing-mark.tsx';
import type { ViewProps } from '../view-props.ts';

export function MeshView({ feed }: ViewProps): JSX.Element {
  const bearings = useRef<Bearings>(new Map());
  const layout = useMemo(() => {
    bearings.current = keepBearings(
      bearings.current,
      feed.peers.map(({ id }) => id),
    );
    return layOutMesh(feed.peers, bearings.current);
  }, [feed.peers]);
  // Both at once take longer than a frame may.
  const isPictured = usePaints(1) > 0;
  const table = useMemo(() => isPictured && <MeshTable peers={feed.peers} />, [feed.peers, isPictured]);
  return (
    <div class="mesh">
      <Panel title="From here" aside="distance: round trip">
        <MeshPicture layout={layout} newest={feed.blocks[0]} />
        <Legend />
      </Panel>
      <Panel title="The same as a table" aside={format.plural(feed.peers.length, 'peer')}>
        {table}
      </Panel>
    </div>
  );
}

function Legend(): JSX.Element {
  return (
    <ul class="legend">
      {(['good', 'neutral', 'bad'] as const).map((standing) => (
        <li key={standing}>
          <svg class={`mark ${standing}`} viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
            <StandingShape standing={standing} size={4.5} />
          </svg>
          {STANDINGS[standing]}
        </li>
      ))}
      {(['block', 'tx', 'none'] as const).map((topic) => (
        <li key={topic}>
          <svg class="edge-sample" viewBox="0 0 24 8" width="24" height="8" aria-hidden="true">
            <path class={`edge ${topic}`} d="M0 4H24" />
          </svg>
          {topic === 'none' ? 'connected only' : `grafted for ${topic === 'tx' ? 'transactions' : 'blocks'}`}
        </li>
      ))}
      <li>
        <svg viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">
          <path class="chevron" d="M-3 -3L1 0L-3 3" />
        </svg>
        who dialled whom
      </li>
    </ul>
  );
}

function MeshTable({ peers }: { readonly peers: readonly PeerRow[] }): JSX.Element {
  const head = (
    <tr>
      <th scope="col">Peer</th>
      <th scope="col">Direction</th>
      <th scope="col" class="end">
        Latency
      </th>
      <th scope="col">Grafted</th>
      <th scope="col" class="end">
        Score
      </th>
    </tr>
  );
  return (
    <LongList
      label="Peers by the picture"
      columns={5}
      rows={peers}
      head={head}
      row={(peer) => <MeshRow key={peer.id} peer={peer} />}
    />
  );
}

function MeshRow({ peer }: { readonly peer: PeerRow }): JSX.Element {
  return useMemo(() => meshRow(peer), [peer]);
}

function meshRow(peer: PeerRow): JSX.Element {
  return (
    <tr data-peer={peer.id}>
      <th scope="row">
        <PeerLink id={peer.id} />
      </th>
      <td>{peer.direction === 'inbound' ? 'in' : 'out'}</td>
      <td class="number end">{peer.latencyMs === null ? '–' : format.milliseconds(peer.latencyMs)}</td>
      <td>{peer.meshTopics.join(', ') || '–'}</td>
      <td class="number end">
        <StandingMark peer={peer} /> {format.digits(peer.gossipScore)}
      </td>
    </tr>
  );
}
