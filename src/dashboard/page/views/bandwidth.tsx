/** What each protocol carries, in above the line and out below it. */
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Bandwidth } from '../../contract.ts';
import { niceCeiling, stackPaths } from '../chart.ts';
import * as format from '../format.ts';
import { Measured } from '../parts/measured.tsx';
import { Panel } from '../parts/panel.tsx';
import { ScrollBox } from '../parts/scroll-box.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { type ProtocolTraffic, totals, trafficByProtocol, withRest } from '../traffic.ts';
import type { ViewProps } from '../view-props.ts';

/** As many as there are colours that people tell apart. */
const MAX_LAYERS = 7;

export function BandwidthView({ feed }: ViewProps): JSX.Element {
  const { bandwidth } = feed;
  const traffic = useMemo(() => trafficByProtocol(bandwidth), [bandwidth]);
  const layers = useMemo(() => withRest(traffic, MAX_LAYERS), [traffic]);
  if (traffic.length === 0) return <p class="quiet">No traffic yet.</p>;
  return (
    <>
      <Panel title="Over time" aside={spanText(bandwidth)}>
        <Measured draw={(widthPx) => <TrafficChart bandwidth={bandwidth} layers={layers} widthPx={widthPx} />} />
        <ul class="legend">
          {layers.map(({ name }, at) => (
            <li key={name}>
              <span class={`swatch layer-${at}`} aria-hidden="true" />
              {format.shortProtocol(name)}
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="By protocol" aside="before encryption">
        <ProtocolTable traffic={traffic} />
      </Panel>
    </>
  );
}

function spanText({ samples }: Bandwidth): string {
  const span = (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
  return `last ${format.duration(span)}`;
}

const HALF = 120;
const LEFT = 68;
const AXIS = HALF + 12;

type ChartProps = {
  readonly bandwidth: Bandwidth;
  readonly layers: readonly ProtocolTraffic[];
  readonly widthPx: number;
};

function TrafficChart({ bandwidth, layers, widthPx }: ChartProps): JSX.Element {
  const [sumsIn, sumsOut] = [totals(bandwidth, 'in'), totals(bandwidth, 'out')];
  const top = niceCeiling(Math.max(...sumsIn, ...sumsOut, 1));
  const step = sumsIn.length > 1 ? (widthPx - LEFT) / (sumsIn.length - 1) : 0;
  const xs = sumsIn.map((_, at) => LEFT + at * step);
  const above = stackPaths(
    layers.map(({ seriesIn }) => seriesIn),
    xs,
    AXIS,
    HALF / top,
  );
  const below = stackPaths(
    layers.map(({ seriesOut }) => seriesOut),
    xs,
    AXIS,
    -HALF / top,
  );
  const label = `Now ${format.byteRate(sumsIn.at(-1) ?? 0)} in and ${format.byteRate(sumsOut.at(-1) ?? 0)} out`;
  return (
    <svg class="traffic" width={widthPx} height={2 * AXIS} role="img" aria-label={label}>
      {[...above, ...below].map((d, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the layer's place is what it is
        <path key={at} class={`layer-${at % layers.length}`} d={d} />
      ))}
      <g class="grid">
        {[1, 0.5, 0, -0.5, -1].map((part) => (
          <g key={part}>
            <path d={`M${LEFT} ${AXIS - part * HALF}H${widthPx}`} />
            <text x={LEFT - 8} y={AXIS - part * HALF + 4} text-anchor="end">
              {part === 0 ? '0' : format.byteRate(Math.abs(part) * top)}
            </text>
          </g>
        ))}
        <text x={LEFT + 6} y={16}>
          in
        </text>
        <text x={LEFT + 6} y={2 * AXIS - 8}>
          out
        </text>
      </g>
    </svg>
  );
}

function ProtocolTable({ traffic }: { readonly traffic: readonly ProtocolTraffic[] }): JSX.Element {
  return (
    <ScrollBox label="Table of protocols">
      <table>
        <thead>
          <tr>
            <th scope="col">Protocol</th>
            <th scope="col" class="end">
              In now
            </th>
            <th scope="col" class="end">
              Out now
            </th>
            <th scope="col" class="end">
              In, mean
            </th>
            <th scope="col" class="end">
              Out, mean
            </th>
            <th scope="col">In over time</th>
            <th scope="col">Out over time</th>
          </tr>
        </thead>
        <tbody>
          {traffic.map(({ name, nowIn, nowOut, meanIn, meanOut, seriesIn, seriesOut }) => (
            <tr key={name}>
              <th scope="row">{format.shortProtocol(name)}</th>
              <td class="number end">{format.byteRate(nowIn)}</td>
              <td class="number end">{format.byteRate(nowOut)}</td>
              <td class="number end">{format.byteRate(meanIn)}</td>
              <td class="number end">{format.byteRate(meanOut)}</td>
              <td>
                <Sparkline values={seriesIn} label={`In, mean ${format.byteRate(meanIn)}`} />
              </td>
              <td>
                <Sparkline values={seriesOut} label={`Out, mean ${format.byteRate(meanOut)}`} tone="second" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
