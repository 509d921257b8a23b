/** Scales and outlines of the charts, as SVG paths. Pure. */

/** 1, 2 or 5 by a power of ten, at least `value`: where an axis may end. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

const at = (value: number): string => (Math.round(value * 100) / 100).toString();

/** A line through the values from left to right; `top` is the value at the upper border. */
export function linePath(values: readonly number[], width: number, height: number, top: number): string {
  if (values.length === 0) return '';
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  return values
    .map((value, i) => `${i === 0 ? 'M' : 'L'}${at(i * step)} ${at(height - (value / top) * height)}`)
    .join('');
}

/** The same, closed to the lower border. */
export function areaPath(values: readonly number[], width: number, height: number, top: number): string {
  const line = linePath(values, width, height, top);
  return line === '' ? '' : `${line}L${values.length > 1 ? at(width) : 0} ${at(height)}L0 ${at(height)}Z`;
}

/**
 * Layers on top of each other, the first at the axis: one closed outline each. All have as many values. `scale` is a length by a
 * value; a negative one grows downwards.
 */
export function stackPaths(
  layers: readonly (readonly number[])[],
  xs: readonly number[],
  axis: number,
  scale: number,
): string[] {
  const base = xs.map(() => 0);
  return layers.map((layer) => {
    const lower = xs.map((x, i) => `${at(x)} ${at(axis - (base[i] ?? 0) * scale)}`);
    const upper = xs.map((x, i) => {
      base[i] = (base[i] ?? 0) + (layer[i] ?? 0);
      return `${at(x)} ${at(axis - (base[i] ?? 0) * scale)}`;
    });
    return xs.length === 0 ? '' : `M${upper.join('L')}L${lower.reverse().join('L')}Z`;
  });
}

/** Short strokes with round ends, which are dots: one element however many there are. */
export function dotsPath(xs: readonly number[], y: number): string {
  return xs.map((x) => `M${at(x)} ${at(y)}h0`).join('');
}

/** 0 to 1 for a delay, logarithmic from 1 ms to `longestMs`: most delays are short, and those differ. */
export function delayPart(delayMs: number, longestMs: number): number {
  const span = Math.log10(Math.max(longestMs, 10));
  return Math.min(Math.log10(Math.max(delayMs, 1)) / span, 1);
}
