/** What the parts of the network count, in one place that all of them are given. */

import { Histogram, Tally } from '#meter';
import { type OffenceName, offences } from '#protocol';
import { assert, type Clock } from '#util';
import { ExchangeMeter } from './exchange-meter.ts';
import type { DialFigures, NetFigures, ProtocolFigures } from './figures.ts';
import { GossipMeter } from './gossip-meter.ts';
import { PROTOCOL_NAMES, protocolNamer } from './protocol-names.ts';
import type { OutboundKind } from './slots/port.ts';

/** To be added to. */
export type ProtocolCounts = { -readonly [Key in keyof ProtocolFigures]: ProtocolFigures[Key] };
type Dials = { connected: number; failed: number; readonly seconds: Histogram };

export class NetMeter {
  readonly asked: ExchangeMeter;
  readonly served: ExchangeMeter;
  readonly gossip = new GossipMeter();
  readonly offences = new Tally<OffenceName>(Object.keys(offences) as OffenceName[]);
  readonly #clock: Clock;
  readonly #nameOf: (protocol: string) => string;
  readonly #protocols: ReadonlyMap<string, ProtocolCounts> = new Map(
    PROTOCOL_NAMES.map((name) => [name, { bytesIn: 0, bytesOut: 0, openedIn: 0, openedOut: 0 }]),
  );
  readonly #dials: Readonly<Record<OutboundKind, Dials>> = {
    'full-relay': noDials(),
    'block-only': noDials(),
    feeler: noDials(),
    manual: noDials(),
  };

  constructor(network: string, clock: Clock) {
    this.asked = new ExchangeMeter(clock);
    this.served = new ExchangeMeter(clock, ['busy']);
    this.#clock = clock;
    this.#nameOf = protocolNamer(network);
  }

  protocol(id: string): ProtocolCounts {
    const counts = this.#protocols.get(this.#nameOf(id));
    assert(counts !== undefined, 'every name has its account');
    return counts;
  }

  async dialled(kind: OutboundKind, dial: () => Promise<boolean>): Promise<boolean> {
    const startedMs = this.#clock.monotonicMs();
    const isConnected = await dial();
    const dials = this.#dials[kind];
    dials[isConnected ? 'connected' : 'failed'] += 1;
    dials.seconds.add((this.#clock.monotonicMs() - startedMs) / 1000);
    return isConnected;
  }

  figures(): Pick<NetFigures, 'asked' | 'served' | 'protocols' | 'dials' | 'offences'> {
    const dials = this.#dials;
    return {
      asked: this.asked.figures(),
      served: this.served.figures(),
      protocols: Object.fromEntries([...this.#protocols].map(([name, counts]) => [name, { ...counts }])),
      dials: {
        'full-relay': figuresOf(dials['full-relay']),
        'block-only': figuresOf(dials['block-only']),
        feeler: figuresOf(dials.feeler),
        manual: figuresOf(dials.manual),
      },
      offences: this.offences.figures() as Record<OffenceName, number>,
    };
  }
}

function noDials(): Dials {
  return { connected: 0, failed: 0, seconds: new Histogram() };
}

function figuresOf({ connected, failed, seconds }: Dials): DialFigures {
  return { connected, failed, seconds: seconds.figures() };
}
