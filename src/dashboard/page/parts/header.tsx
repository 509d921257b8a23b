/** The top of the page: whose it is, whether it is live, the search, and light or dark. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Connection } from '../feed-connection.ts';
import type { Feed } from '../feed-state.ts';
import { count, duration } from '../format.ts';
import { applyTheme, storedTheme, THEMES } from '../theme.ts';
import { Search } from './search.tsx';

type HeaderProps = { readonly feed: Feed | undefined; readonly connection: Connection; readonly localMs: number };

export function Header({ feed, connection, localMs }: HeaderProps): JSX.Element {
  return (
    <header>
      <a class="brand" href="#/">
        <Mark />
        <span>Starling</span>
      </a>
      {feed && (
        <p class="where">
          <span class="tag">{feed.overview.chain}</span>
          <span class="number" data-field="header-height">
            {count(feed.overview.tip.height)}
          </span>
        </p>
      )}
      <Liveness connection={connection} localMs={localMs} />
      <Search />
      <ThemeSwitch />
    </header>
  );
}

function Mark(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <path class="mark-line" d="M16 16 26 9M16 16 6 7M16 16 9 26" />
      <circle class="mark-self" cx="16" cy="16" r="4.5" />
      <circle class="mark-first" cx="26" cy="9" r="3.2" />
      <circle class="mark-peer" cx="6" cy="7" r="3.2" />
      <circle class="mark-peer" cx="9" cy="26" r="3.2" />
    </svg>
  );
}

/** The feed tells something each second; later than this, what is shown may be old. */
const STALE_MS = 4_000;

function Liveness({ connection, localMs }: Pick<HeaderProps, 'connection' | 'localMs'>): JSX.Element {
  const [kind, text] = livenessOf(connection, localMs);
  return (
    <p class={`liveness ${kind}`} data-field="liveness">
      <span class="light" aria-hidden="true" />
      {text}
    </p>
  );
}

function livenessOf(connection: Connection, localMs: number): readonly [kind: string, text: string] {
  if (connection.kind === 'connecting') return ['wait', 'Connecting'];
  if (connection.kind === 'broken') {
    return ['lost', `Stale: no connection, next try in ${duration(connection.retryAtMs - localMs)}`];
  }
  const silentMs = localMs - connection.lastEventAtMs;
  return silentMs > STALE_MS ? ['wait', `Stale: silent for ${duration(silentMs)}`] : ['live', 'Live'];
}

function ThemeSwitch(): JSX.Element {
  const [theme, setTheme] = useState(storedTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  const change = (): void => {
    applyTheme(next);
    setTheme(next);
  };
  return (
    <button type="button" class="theme" onClick={change} title={`Switch to ${next}`}>
      Theme: {theme}
    </button>
  );
}
