import type { ComponentChildren, JSX } from 'preact';

/** What scrolls within itself has to be reachable by keyboard, though nothing in it is pressed. */
export const REACHABLE = { tabIndex: 0 } as const;

/** Around what may be wider than the page. */
export function ScrollBox({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="scrolls" aria-label={label} {...REACHABLE}>
      {children}
    </section>
  );
}
