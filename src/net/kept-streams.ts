/**
 * Streams between two requests. Opening one costs two negotiations and a write to the peer store, some 4 ms of CPU time
 * at both ends together; an exchange on one that is open costs a tenth of that.
 * Bounds: a protocol's `maxOutboundStreams` of a connection, since a request takes one of these before it opens another.
 */
import type { Connection, Stream } from '@libp2p/interface';
import type { StreamName } from '#protocol';
import type { Clock } from '#util';
import { abortStream, finishStream } from './stream-io.ts';

/** A stream that was not used for so long is closed; the other end waits three times as long. */
const IDLE_MS = 20_000;

type Kept = { readonly stream: Stream; readonly release: () => void };

export class KeptStreams {
  readonly #clock: Clock;
  /** By protocol; the one used last comes last. */
  readonly #idle = new WeakMap<Connection, Map<StreamName, Kept[]>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The one used last, which is not kept any more; undefined if none is open. */
  take(connection: Connection, name: StreamName): Stream | undefined {
    const idle = this.#idle.get(connection)?.get(name);
    for (let kept = idle?.at(-1); kept !== undefined; kept = idle?.at(-1)) {
      kept.release();
      if (isUsable(kept.stream)) return kept.stream;
      abortStream(kept.stream, new Error('the other end has closed its half'));
    }
    return undefined;
  }

  /** The response was read to its end frame. */
  keep(connection: Connection, name: StreamName, stream: Stream): void {
    if (!isUsable(stream)) {
      finishStream(stream, this.#clock);
      return;
    }
    const idle = this.#idleOf(connection, name);
    const release = (): void => {
      timer.cancel();
      stream.removeEventListener('close', release);
      idle.splice(idle.indexOf(kept), 1);
    };
    const timer = this.#clock.after(IDLE_MS, () => {
      release();
      finishStream(stream, this.#clock);
    });
    const kept: Kept = { stream, release };
    stream.addEventListener('close', release);
    idle.push(kept);
  }

  #idleOf(connection: Connection, name: StreamName): Kept[] {
    const names = this.#idle.get(connection) ?? new Map<StreamName, Kept[]>();
    const idle = names.get(name) ?? [];
    this.#idle.set(connection, names.set(name, idle));
    return idle;
  }
}

function isUsable(stream: Stream): boolean {
  return stream.status === 'open' && stream.writeStatus === 'writable' && stream.remoteWriteStatus === 'writable';
}
