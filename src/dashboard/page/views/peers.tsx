/** Everybody this node is connected to: sorted, searched, one click from all that is known of each. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { PeerRow } from '../../contract.ts';
import * as format from '../format.ts';
import { PeerLink } from '../parts/links.tsx';
import { LongList } from '../parts/long-list.tsx';
import { StandingMark } from '../parts/standing-mark.tsx';
import { filterPeers, type Sort, type SortKey, sortPeers } from '../peer-list.ts';
import type { ViewProps } from '../view-props.ts';

const COLUMNS: readonly { readonly key: SortKey; readonly title: string; readonly isNumber?: boolean }[] = [
  { key: 'address', title: 'Peer' },
  { key: 'direction', title: 'Kind' },
  { key: 'agent', title: 'Agent' },
  { key: 'latency', title: 'Latency', isNumber: true },
  { key: 'score', title: 'Score', isNumber: true },
  { key: 'height', title: 'Height', isNumber: true },
  { key: 'in', title: 'In', isNumber: true },
  { key: 'out', title: 'Out', isNumber: true },
  { key: 'connected', title: 'Connected', isNumber: true },
];

export function PeersView({ feed, nowMs }: ViewProps): JSX.Element {
  const [sort, setSort] = useState<Sort>({ key: 'connected', isDescending: true });
  const [text, setText] = useState('');
  const rows = useMemo(() => sortPeers(filterPeers(feed.peers, text), sort), [feed.peers, text, sort]);
  const by = (key: SortKey): void =>
    setSort((last) => ({ key, isDescending: last.key === key ? !last.isDescending : false }));
  return (
    <section class="panel" aria-label="Peers">
      <div class="controls">
        <label>
          Filter
          <input
            type="search"
            placeholder="address, agent, inbound, block …"
            value={text}
            maxLength={100}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </label>
        <output class="quiet number">
          {rows.length < feed.peers.length && `${rows.length} of `}
          {format.plural(feed.peers.length, 'peer')}
        </output>
      </div>
      <LongList
        label="Table of peers"
        columns={COLUMNS.length}
        rows={rows}
        rowHeightPx={52}
        head={<Head sort={sort} by={by} />}
        row={(peer) => <Row key={peer.id} peer={peer} nowMs={nowMs} />}
      />
      {feed.peers.length === 0 && <p class="quiet">No peer is connected.</p>}
    </section>
  );
}

type HeadProps = { readonly sort: Sort; readonly by: (key: SortKey) => void };

function Head({ sort, by }: HeadProps): JSX.Element {
  return (
    <tr>
      {COLUMNS.map(({ key, title, isNumber = false }) => {
        const direction = sort.key !== key ? undefined : sort.isDescending ? 'descending' : 'ascending';
        return (
          <th key={key} scope="col" class={isNumber ? 'end' : ''} aria-sort={direction}>
            <button type="button" class="sort" onClick={() => by(key)}>
              {title}
              <span aria-hidden="true">{direction === undefined ? '' : sort.isDescending ? ' ↓' : ' ↑'}</span>
            </button>
          </th>
        );
      })}
    </tr>
  );
}

/** Drawn anew only when its text changes. */
function Row({ peer, nowMs }: { readonly peer: PeerRow; readonly nowMs: number }): JSX.Element {
  const connected = format.duration(nowMs - peer.connectedAtMs);
  return useMemo(() => peerTableRow(peer, connected), [peer, connected]);
}

function peerTableRow(peer: PeerRow, connected: string): JSX.Element {
  const { id, address, direction, agent, latencyMs, gossipScore, height, bytesIn, bytesOut, meshTopics } = peer;
  return (
    <tr data-peer={id}>
      <th scope="row" class="two-lines">
        <PeerLink id={id} />
        <small title={address}>{address}</small>
      </th>
      <td class="two-lines">
        {kindText(peer)}
        <small>{direction}</small>
      </td>
      <td class="two-lines">
        <span title={agent}>{agent}</span>
        <small>{meshTopics.length > 0 ? `mesh: ${meshTopics.join(', ')}` : 'no mesh'}</small>
      </td>
      <td class="number end">{latencyMs === null ? '–' : format.milliseconds(latencyMs)}</td>
      <td class="number end">
        <StandingMark peer={peer} /> {format.digits(gossipScore)}
      </td>
      <td class="number end">{height === null ? '–' : format.count(height)}</td>
      <td class="number end">{format.bytes(bytesIn)}</td>
      <td class="number end">{format.bytes(bytesOut)}</td>
      <td class="number end">{connected}</td>
    </tr>
  );
}

function kindText({ kind, isManual, isSeed }: PeerRow): string {
  const more = [isManual && kind !== 'manual' ? ', manual' : '', isSeed ? ', seed' : ''];
  return `${kind === 'inbound' ? 'peer' : kind}${more.join('')}`;
}
