/** What a peer's hellos told of itself. Claims: nothing of it is proved. */
import type { Hello } from '#protocol';

export type PeerClaims = {
  /** The height of its tip as its first hello told (Core's startingheight), and its last. */
  readonly startHeight: number;
  readonly tipHeight: number;
  readonly lowestHeightServed: number;
  readonly services: bigint;
  readonly userAgent: string;
  readonly revision: number;
  readonly relaysTransactions: boolean;
  readonly feeFilterSatPerKvb: bigint;
  /** Its clock less ours at its last hello, seconds. */
  readonly timeOffsetSeconds: number;
};

/** One hello more, after what the ones before told. */
export function claimsOf(theirs: Hello, before: PeerClaims | undefined, nowMs: number): PeerClaims {
  const { tipHeight, lowestHeightServed, services, userAgent, revision, relay, feeFilterSatPerKvb, time } = theirs;
  return {
    startHeight: before?.startHeight ?? tipHeight,
    tipHeight,
    lowestHeightServed,
    services,
    userAgent,
    revision,
    relaysTransactions: relay,
    feeFilterSatPerKvb,
    timeOffsetSeconds: time - Math.floor(nowMs / 1000),
  };
}
