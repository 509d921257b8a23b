/**
 * Counts what each stream carries. libp2p shows every stream that was negotiated to its metrics, before anybody reads it:
 * the one place where those of the DHT, gossip and identify are seen too. Its other metrics are not kept.
 */
import type { Metrics, Stream } from '@libp2p/interface';
import type { Clock } from '#util';
import type { ProtocolCounts } from './net-meter.ts';
import type { Traffic } from './traffic.ts';

const MAX_LOOKS = 8;

/** Stands for all of libp2p's own metrics. */
const NOTHING = {
  increment: () => {},
  decrement: () => {},
  update: () => {},
  observe: () => {},
  reset: () => {},
  timer: () => () => {},
};

/** What streams have at run time beyond their interface. */
type Receiving = { onData?: (data: { readonly byteLength: number }) => void };

export type StreamMeterDeps = {
  readonly clock: Clock;
  /** The account of the peer at the other end; undefined while nobody knows the connection. */
  readonly trafficOf: (stream: Stream) => Traffic | undefined;
  /** The account of a protocol, for all peers. */
  readonly countsOf: (protocol: string) => ProtocolCounts;
};

export function createStreamMeter(deps: StreamMeterDeps): Metrics {
  const register = () => NOTHING;
  return {
    trackMultiaddrConnection: () => {},
    trackProtocolStream: (stream) => meter(stream, deps),
    registerMetric: register as Metrics['registerMetric'],
    registerMetricGroup: register as Metrics['registerMetricGroup'],
    registerCounter: register as Metrics['registerCounter'],
    registerCounterGroup: register as Metrics['registerCounterGroup'],
    registerHistogram: register as Metrics['registerHistogram'],
    registerHistogramGroup: register as Metrics['registerHistogramGroup'],
    registerSummary: register as Metrics['registerSummary'],
    registerSummaryGroup: register as Metrics['registerSummaryGroup'],
    traceFunction: ((_name: string, fn: unknown) => fn) as Metrics['traceFunction'],
    createTrace: () => undefined,
  };
}

/** Not by an event: a first listener would be given what was read ahead, and whom it is for would miss it. */
function meter(stream: Stream, { clock, trafficOf, countsOf }: StreamMeterDeps): void {
  const counts = countsOf(stream.protocol);
  counts[stream.direction === 'inbound' ? 'openedIn' : 'openedOut'] += 1;
  let known: Traffic | undefined;
  let looks = 0;
  const traffic = (): Traffic | undefined => {
    // The first bytes may come before libp2p tells of the connection; a dial back is nobody's, so looking has an end.
    if (known === undefined && looks < MAX_LOOKS) {
      looks += 1;
      known = trafficOf(stream);
    }
    return known;
  };
  const send = stream.send.bind(stream);
  stream.send = (data) => {
    counts.bytesOut += data.byteLength;
    traffic()?.sent(stream.protocol, data.byteLength, clock.now());
    return send(data);
  };
  const receiving = stream as Receiving;
  const onData = receiving.onData?.bind(stream);
  if (onData === undefined) return;
  receiving.onData = (data) => {
    counts.bytesIn += data.byteLength;
    traffic()?.received(stream.protocol, data.byteLength, clock.now());
    onData(data);
  };
}
