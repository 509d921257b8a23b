import type { JSX } from 'preact';

/** A bar that is filled to a part of it, 0 to 1. Decoration: the figure stands beside it. */
export function Level({ part }: { readonly part: number }): JSX.Element {
  const width = 100 * Math.min(Math.max(part, 0), 1);
  return (
    <svg class="level" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="whole" width="100" height="6" />
      <rect class="part" width={width} height="6" />
    </svg>
  );
}
