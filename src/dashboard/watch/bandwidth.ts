/**
 * Bytes a second by protocol, from the totals of each peer: what a peer carried since the last look; of one that has gone since
 * then the last moment is lost. Bounds: MAX_SAMPLES, MAX_PROTOCOLS, beyond which a protocol counts as other.
 */
import type { NodePeerDetails } from '#node';
import type { Clock } from '#util';
import type { Bandwidth, BandwidthDelta, BandwidthSample } from '../contract.ts';

const MAX_SAMPLES = 300;
const MAX_PROTOCOLS = 64;
/** Also what the network calls the rows that it joins. */
const OTHER = 'other';

type Look = Pick<NodePeerDetails, 'id' | 'bytesByProtocol' | 'connectedAt'>;
type Totals = NodePeerDetails['bytesByProtocol'];

export class BandwidthMeter {
  readonly #clock: Clock;
  readonly #protocols: string[] = [OTHER];
  readonly #samples: BandwidthSample[] = [];
  #last:
    | { readonly atMs: number; readonly monotonicMs: number; readonly totals: ReadonlyMap<string, Totals> }
    | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  state(): Bandwidth {
    return { protocols: [...this.#protocols], samples: [...this.#samples] };
  }

  /** Undefined at the first look. */
  look(peers: readonly Look[]): BandwidthDelta | undefined {
    const [atMs, monotonicMs] = [this.#clock.now(), this.#clock.monotonicMs()];
    const last = this.#last;
    this.#last = { atMs, monotonicMs, totals: new Map(peers.map(({ id, bytesByProtocol }) => [id, bytesByProtocol])) };
    if (last === undefined || monotonicMs <= last.monotonicMs) return undefined;
    const [inBytes, outBytes]: [number[], number[]] = [[], []];
    for (const { id, bytesByProtocol, connectedAt } of peers) {
      const before = connectedAt > last.atMs ? {} : last.totals.get(id);
      if (before === undefined) continue;
      for (const [protocol, now] of Object.entries(bytesByProtocol)) {
        const at = this.#indexOf(protocol);
        const { bytesIn = 0, bytesOut = 0 } = before[protocol] ?? {};
        inBytes[at] = (inBytes[at] ?? 0) + Math.max(0, now.bytesIn - bytesIn);
        outBytes[at] = (outBytes[at] ?? 0) + Math.max(0, now.bytesOut - bytesOut);
      }
    }
    return this.#add(inBytes, outBytes, atMs, (monotonicMs - last.monotonicMs) / 1_000);
  }

  /** Nobody looks any more: what comes next is no rate. */
  rest(): void {
    this.#last = undefined;
  }

  #add(inBytes: readonly number[], outBytes: readonly number[], atMs: number, seconds: number): BandwidthDelta {
    const sample = { atMs, inBytesPerSecond: rates(inBytes, seconds), outBytesPerSecond: rates(outBytes, seconds) };
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    return { protocols: [...this.#protocols], sample };
  }

  #indexOf(protocol: string): number {
    const at = this.#protocols.indexOf(protocol);
    if (at !== -1) return at;
    return this.#protocols.length < MAX_PROTOCOLS ? this.#protocols.push(protocol) - 1 : 0;
  }
}

/** Protocols that carried nothing may have no place yet. */
function rates(bytes: readonly number[], seconds: number): readonly number[] {
  return Array.from(bytes, (count = 0) => Math.round(count / seconds));
}
