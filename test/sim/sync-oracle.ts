/**
 * The best time that the honest peers' bandwidth allows: the moment at which all honest peers together could have
 * sent every block that is needed once, from the rates that they had while they were connected.
 * A connection counts with whole blocks only (of mean size): half a block before the connection drops is of no use to
 * anybody who fetches blocks. Latency, the headers, what liars cost, and that nobody can know a rate beforehand do not
 * count; they are what the factor is for.
 */

/** From `fromMs` on, this rate. */
type Step = { readonly fromMs: number; readonly bytesPerSecond: number };

export class SupplyLog {
  readonly #blockBytes: number;
  /** One list a connection; the last step of a closed one has no rate. */
  readonly #sessions: Step[][] = [];
  readonly #open = new Map<string, Step[]>();

  constructor(blockBytes: number) {
    this.#blockBytes = blockBytes;
  }

  opened(peer: string, fromMs: number, bytesPerSecond: number): void {
    const session = [{ fromMs, bytesPerSecond }];
    this.#sessions.push(session);
    this.#open.set(peer, session);
  }

  rateChanged(peer: string, fromMs: number, bytesPerSecond: number): void {
    this.#open.get(peer)?.push({ fromMs, bytesPerSecond });
  }

  closed(peer: string, atMs: number): void {
    this.rateChanged(peer, atMs, 0);
    this.#open.delete(peer);
  }

  /** Bytes that could come between two moments; connections that last on keep their rates. */
  bytes(fromMs: number, toMs: number): number {
    let sum = 0;
    for (const session of this.#sessions) {
      const bytes = sessionBytes(session, fromMs, toMs);
      sum += Math.floor(bytes / this.#blockBytes) * this.#blockBytes;
    }
    return sum;
  }

  /** When `bytes` could have come, from `fromMs` on. */
  #whenMs(bytes: number, fromMs: number): number {
    let low = fromMs;
    let high = fromMs + 1000;
    while (this.bytes(fromMs, high) < bytes && high < 1e9) high += high - fromMs;
    if (bytes <= 0) return fromMs;
    while (high - low > 1) {
      const middle = (low + high) / 2;
      if (this.bytes(fromMs, middle) < bytes) low = middle;
      else high = middle;
    }
    return high;
  }

  /**
   * When a chain of `sharedBytes` that is known from `fromMs` on and `lateBytes` that exist from `lateMs` on could have
   * come: bandwidth before `lateMs` helps with the shared part only.
   */
  whenWithLateMs(sharedBytes: number, lateBytes: number, fromMs: number, lateMs: number): number {
    if (lateBytes === 0) return this.#whenMs(sharedBytes, fromMs);
    const early = Math.min(sharedBytes, this.bytes(fromMs, lateMs));
    return this.#whenMs(sharedBytes - early + lateBytes, Math.max(fromMs, lateMs));
  }
}

function sessionBytes(session: readonly Step[], fromMs: number, toMs: number): number {
  let bytes = 0;
  for (const [i, step] of session.entries()) {
    const start = Math.max(fromMs, step.fromMs);
    const end = Math.min(toMs, session[i + 1]?.fromMs ?? toMs);
    if (end > start) bytes += ((end - start) * step.bytesPerSecond) / 1000;
  }
  return bytes;
}
