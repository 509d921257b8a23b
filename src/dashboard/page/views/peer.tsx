/** All that is known of one peer. What it claims stands apart from what was observed. */
import type { JSX } from 'preact';
import type { PeerAnswer, PeerRow } from '../../contract.ts';
import { useAnswer } from '../api.ts';
import * as format from '../format.ts';
import { Failure } from '../parts/failure.tsx';
import { Facts, Figures, Panel } from '../parts/panel.tsx';
import { ScrollBox } from '../parts/scroll-box.tsx';
import { StandingMark } from '../parts/standing-mark.tsx';
import type { ViewProps } from '../view-props.ts';

export function PeerView({ id, feed, nowMs }: ViewProps & { readonly id: string }): JSX.Element {
  const answer = useAnswer<PeerAnswer>(`/api/peer/${encodeURIComponent(id)}`);
  // The feed's row is the newer one, and is gone when the peer is.
  const live = feed.peers.find((peer) => peer.id === id);
  const details = answer.kind === 'answer' ? answer.value : undefined;
  const peer = live ?? details?.peer;
  if (peer === undefined) return <Failure answer={answer} />;
  return (
    <>
      {live === undefined && <p class="notice">No longer connected. What is shown was its last state.</p>}
      <PeerFigures peer={peer} nowMs={nowMs} />
      <div class="columns">
        <ConnectionPanel peer={peer} details={details} nowMs={nowMs} />
        {details !== undefined && <ClaimsPanel claims={details.claims} />}
        {details !== undefined && <ProtocolsPanel details={details} />}
      </div>
    </>
  );
}

function PeerFigures({ peer, nowMs }: { readonly peer: PeerRow; readonly nowMs: number }): JSX.Element {
  const { latencyMs, minLatencyMs, gossipScore, penaltyPoints, height, bytesIn, bytesOut, connectedAtMs } = peer;
  return (
    <Figures
      facts={[
        {
          label: 'Latency',
          value: latencyMs === null ? '–' : format.milliseconds(latencyMs),
          note: minLatencyMs === null ? 'no ping yet' : `least ${format.milliseconds(minLatencyMs)}`,
        },
        {
          label: 'Gossip score',
          value: (
            <>
              <StandingMark peer={peer} /> {format.digits(gossipScore)}
            </>
          ),
          note: `${format.digits(penaltyPoints)} penalty points of 60`,
        },
        { label: 'Height', value: height === null ? '–' : format.count(height) },
        { label: 'In', value: format.bytes(bytesIn) },
        { label: 'Out', value: format.bytes(bytesOut) },
        { label: 'Connected for', value: format.duration(nowMs - connectedAtMs) },
      ]}
    />
  );
}

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

const when = (atMs: number | null | undefined, nowMs: number): string =>
  atMs === null || atMs === undefined ? 'never' : format.ago(atMs, nowMs);

type ConnectionProps = { readonly peer: PeerRow; readonly details: PeerAnswer | undefined; readonly nowMs: number };

function ConnectionPanel({ peer, details, nowMs }: ConnectionProps): JSX.Element {
  return (
    <Panel title="Connection">
      <Facts
        facts={[
          { label: 'Address', value: <code class="breaks">{peer.address}</code> },
          { label: 'Direction', value: peer.direction },
          { label: 'Kind', value: peer.kind },
          { label: 'Phase', value: peer.phase },
          { label: 'In our mesh for', value: peer.meshTopics.length === 0 ? 'nothing' : peer.meshTopics.join(', ') },
          { label: 'Streams', value: format.count(peer.streams) },
          { label: 'Through a relay', value: yesNo(peer.isRelayed) },
          { label: 'Takes transactions', value: yesNo(peer.relaysTransactions) },
          { label: 'First with a block', value: when(peer.lastBlockAtMs, nowMs) },
          { label: 'Brought a transaction', value: when(peer.lastTxAtMs, nowMs) },
          { label: 'Network group', value: details?.netgroup ?? 'local' },
        ]}
      />
    </Panel>
  );
}

function ClaimsPanel({ claims }: { readonly claims: PeerAnswer['claims'] }): JSX.Element {
  if (claims === null) {
    return (
      <Panel title="What it says of itself">
        <p class="quiet">It said nothing yet.</p>
      </Panel>
    );
  }
  return (
    <Panel title="What it says of itself" aside="not verified">
      <Facts
        facts={[
          { label: 'Agent', value: claims.userAgent },
          { label: 'Protocol revision', value: String(claims.revision) },
          { label: 'Services', value: claims.services.join(', ') || 'none' },
          { label: 'Height at the start', value: format.count(claims.startHeight) },
          { label: 'Height', value: format.count(claims.tipHeight) },
          { label: 'Serves blocks from', value: format.count(claims.lowestHeightServed) },
          { label: 'Fee filter', value: `${format.feerate(claims.feeFilterSatPerKvb / 1000)} sat/vB` },
          { label: 'Its clock', value: `${claims.timeOffsetSeconds >= 0 ? '+' : ''}${claims.timeOffsetSeconds} s` },
        ]}
      />
    </Panel>
  );
}

function ProtocolsPanel({ details }: { readonly details: PeerAnswer }): JSX.Element {
  return (
    <Panel title="Protocols" aside={`${details.protocols.length} spoken`}>
      <ScrollBox label="Table of protocols">
        <table>
          <thead>
            <tr>
              <th scope="col">Protocol</th>
              <th scope="col" class="end">
                In
              </th>
              <th scope="col" class="end">
                Out
              </th>
            </tr>
          </thead>
          <tbody>
            {details.bytesByProtocol.map(({ protocol, bytesIn, bytesOut }) => (
              <tr key={protocol}>
                <th scope="row">{format.shortProtocol(protocol)}</th>
                <td class="number end">{format.bytes(bytesIn)}</td>
                <td class="number end">{format.bytes(bytesOut)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </Panel>
  );
}
