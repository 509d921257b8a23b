import type { JSX } from 'preact';
import { type Route, sectionOf, VIEWS } from '../route.ts';

export function Navigation({ route }: { readonly route: Route }): JSX.Element {
  const section = sectionOf(route);
  return (
    <nav aria-label="Views">
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
