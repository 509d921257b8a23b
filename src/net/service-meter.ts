/**
 * What libp2p's own services cost us. Identify, ping and the DHT answer whoever asks as often as it asks; here each peer has
 * a quota of streams and bytes for each of them, and one of requests for the DHT. What is beyond is reset, and a peer that
 * goes on all the same is charged. Bounds: one bucket a peer and quota, as many as `TokenBuckets` keeps.
 */
import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import type { OffenceName } from '#protocol';
import type { Clock } from '#util';
import { type Gates, gated, type HasRegistrar } from './gated.ts';
import type { PeerIdText } from './port.ts';
import type { Quota } from './rows.ts';
import { PATIENCE, TokenBuckets } from './token-bucket.ts';

const KIB = 1024;

/** Five times and more of what ten nodes that find each other, and other implementations, need in their busiest minute. */
const STREAM_QUOTAS = {
  /** Once a connection, of which there are several when two call each other, and after dead gossip. It has no bytes. */
  identify: { streams: { burst: 20, perSecond: 0.2 }, bytes: { burst: KIB, perSecond: 1 } },
  /** Each costs the check of a signature and a write, and who has something new to tell each second has not. */
  identifyPush: { streams: { burst: 5, perSecond: 0.1 }, bytes: { burst: 64 * KIB, perSecond: KIB } },
  /** 32 bytes, a stream each time or all over one: at most one a second is known of others. */
  ping: { streams: { burst: 20, perSecond: 1 }, bytes: { burst: 4 * KIB, perSecond: 256 } },
  /** A walk asks each peer once, three seconds apart at their most; a refresh of the table sixteen times in five minutes. */
  dht: { streams: { burst: 100, perSecond: 2 }, bytes: { burst: 32 * KIB, perSecond: 2 * KIB } },
} as const satisfies Record<string, { readonly streams: Quota; readonly bytes: Quota }>;

/** Many requests may come over one stream. A node of ours stores one record, twice a day. */
const REQUEST_QUOTAS = {
  dhtLookup: { burst: 100, perSecond: 2 },
  dhtStore: { burst: 20, perSecond: 0.1 },
} as const satisfies Record<string, Quota>;

export type ServiceName = keyof typeof STREAM_QUOTAS;

/** Of libp2p, for what no honest peer sends: a forged record, the record of another, another's key. */
const FORGERIES: readonly string[] = ['InvalidMessageError', 'InvalidSignatureError', 'InvalidPublicKeyError'];

export type Charge = (peer: PeerIdText, offence: OffenceName, detail: string) => void;

export class ServiceMeter {
  readonly #buckets: TokenBuckets;
  readonly #charge: Charge;

  constructor(clock: Clock, charge: Charge) {
    this.#buckets = new TokenBuckets(clock);
    this.#charge = charge;
  }

  /** The same service under quotas. */
  metered<Components extends HasRegistrar, Service>(
    name: ServiceName,
    make: (components: Components) => Service,
  ): (components: Components) => Service {
    return (components) => make(gated(components, this.gates(name)));
  }

  gates(name: ServiceName): Gates {
    return {
      admits: (_protocol, { remotePeer }, stream) => this.#admit(name, remotePeer.toString(), stream),
      failed: ({ remotePeer }, error) => {
        if (error instanceof Error && FORGERIES.includes(error.name)) {
          this.#charge(remotePeer.toString(), 'protocol-violation', `${name}: ${error.message}`);
        }
      },
    };
  }

  /** Whether a peer may make this request now. */
  takeRequest(name: keyof typeof REQUEST_QUOTAS, peer: PeerIdText, cost: number): boolean {
    return this.#take(name, peer, REQUEST_QUOTAS[name], cost);
  }

  /** Also counts the bytes that will come over the stream, and resets it when they are too many. */
  #admit(name: ServiceName, peer: PeerIdText, stream: Stream): boolean {
    const { streams, bytes } = STREAM_QUOTAS[name];
    if (!this.#take(`${name} streams`, peer, streams, 1)) return false;
    const onMessage = ({ data }: StreamMessageEvent): void => {
      if (this.#take(`${name} bytes`, peer, bytes, data.byteLength)) return;
      stream.removeEventListener('message', onMessage);
      // At once: by the next microtask the service may have read all of it.
      stream.abort(new Error('too many bytes'));
    };
    stream.addEventListener('message', onMessage);
    return true;
  }

  #take(what: string, peer: PeerIdText, quota: Quota, cost: number): boolean {
    if (this.#buckets.take(`${what} ${peer}`, quota, cost)) return true;
    if (!this.#buckets.take(`patience ${peer}`, PATIENCE, 1)) {
      this.#charge(peer, 'quota-exceeded', `${what} beyond the quota although refused`);
    }
    return false;
  }
}
