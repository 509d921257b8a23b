import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Draws for the width that there is, in its own pixels: text keeps its size, on a phone and on a wide screen. */
export function Measured({ draw }: { readonly draw: (widthPx: number) => JSX.Element }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const [widthPx, setWidthPx] = useState(0);
  useLayoutEffect(() => {
    const measure = (): void => setWidthPx(Math.floor(box.current?.clientWidth ?? 0));
    const observer = new ResizeObserver(measure);
    measure();
    if (box.current !== null) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return <div ref={box}>{widthPx > 0 && draw(widthPx)}</div>;
}
