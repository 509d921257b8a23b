/** How fast something grows, from samples that scatter. */

export type Point = { readonly atMs: number; readonly value: number };

/** Of the straight line nearest to the points (least squares), an hour; NaN below three points. */
export function slopePerHour(points: readonly Point[]): number {
  if (points.length < 3) return Number.NaN;
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, each) => sum + of(each), 0) / points.length;
  const [time, value] = [mean(({ atMs }) => atMs), mean((point) => point.value)];
  const covariance = mean((point) => (point.atMs - time) * (point.value - value));
  return (3_600_000 * covariance) / mean(({ atMs }) => (atMs - time) ** 2);
}

export function toMegabytes(bytes: number): number {
  return bytes / 1e6;
}
