import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { type Route, sectionOf, VIEWS } from '../route.ts';

export function Navigation({ route }: { readonly route: Route }): JSX.Element {
  const section = sectionOf(route);
  const nav = useRef<HTMLElement>(null);
  // On a phone the list is longer than the screen.
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [section]);
  return (
    <nav aria-label="Views" ref={nav}>
      <ul>
        {VIEWS.map(({ name, path, title }) => (
          <li key={name}>
            <a href={path} aria-current={name === section ? 'page' : undefined}>
              {title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
