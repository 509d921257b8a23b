/** How far this machine's clock is from others', as getnetworkinfo tells. Nothing is set by it. */

/** Core's figures: so few are not believed, nor who is further off than 70 minutes. */
const MIN_SAMPLES = 5;
const MAX_OFFSET_SECONDS = 4_200;

/** Core's GetTimeOffset: the middle of what outbound peers say and of our own clock. */
export function timeOffset(outboundSeconds: readonly number[]): number {
  const offsets = [0, ...outboundSeconds].sort((a, b) => a - b);
  const middle = offsets[offsets.length >> 1] ?? 0;
  return offsets.length >= MIN_SAMPLES && Math.abs(middle) <= MAX_OFFSET_SECONDS ? middle : 0;
}
