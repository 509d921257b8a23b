/** The frame around the views: navigation, what holds everywhere, and the view that the address names. */
import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { count } from './format.ts';
import { useKnown, useNow, useRoute } from './hooks.ts';
import { Header } from './parts/header.tsx';
import { Navigation } from './parts/navigation.tsx';
import { type Route, titleOf } from './route.ts';
import type { Store } from './store.ts';
import type { ViewProps } from './view-props.ts';
import { BandwidthView } from './views/bandwidth.tsx';
import { BlockView } from './views/block.tsx';
import { BlocksView } from './views/blocks.tsx';
import { ExplorerView } from './views/explorer.tsx';
import { LogsView } from './views/logs.tsx';
import { MempoolView } from './views/mempool.tsx';
import { MeshView } from './views/mesh.tsx';
import { OverviewView } from './views/overview.tsx';
import { PeerView } from './views/peer.tsx';
import { PeersView } from './views/peers.tsx';
import { TxView } from './views/tx.tsx';

export function App({ store }: { readonly store: Store }): JSX.Element {
  const { feed, connection } = useKnown(store);
  const localMs = useNow();
  const route = useRoute();
  const isStale = connection.kind !== 'live';
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to content
      </button>
      <Header feed={feed} connection={connection} localMs={localMs} />
      <Navigation route={route} />
      <main id="main" tabIndex={-1} class={isStale && feed !== undefined ? 'stale' : ''}>
        {feed === undefined ? (
          <Waiting isBroken={connection.kind === 'broken'} />
        ) : (
          <Titled route={route}>
            <View route={route} feed={feed} nowMs={localMs + feed.clockOffsetMs} />
          </Titled>
        )}
      </main>
      <output class="unseen" aria-live="polite">
        {feed === undefined ? '' : `Tip: block ${count(feed.overview.tip.height)}`}
      </output>
    </>
  );
}

function Waiting({ isBroken }: { readonly isBroken: boolean }): JSX.Element {
  return (
    <>
      <h1>Starling</h1>
      <p class="quiet">{isBroken ? 'The node does not answer. Is it running?' : 'Connecting to the node …'}</p>
    </>
  );
}

/** Whoever follows a link finds the focus at the new view's heading, as after loading a page. */
function Titled({ route, children }: { readonly route: Route; readonly children: ComponentChildren }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  const title = titleOf(route);
  useEffect(() => {
    document.title = `${title} · Starling`;
    if (!isFirst.current) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [title]);
  return (
    <>
      <h1 ref={heading} tabIndex={-1} class={route.view === 'peer' || route.view === 'tx' ? 'long' : ''}>
        {title}
      </h1>
      {children}
    </>
  );
}

function View({ route, feed, nowMs }: ViewProps & { readonly route: Route }): JSX.Element {
  const props = { feed, nowMs };
  switch (route.view) {
    case 'overview':
      return <OverviewView {...props} />;
    case 'mesh':
      return <MeshView {...props} />;
    case 'blocks':
      return <BlocksView {...props} />;
    case 'mempool':
      return <MempoolView {...props} />;
    case 'bandwidth':
      return <BandwidthView {...props} />;
    case 'peers':
      return <PeersView {...props} />;
    case 'explorer':
      return <ExplorerView {...props} />;
    case 'logs':
      return <LogsView {...props} />;
    case 'peer':
      return <PeerView key={route.id} id={route.id} {...props} />;
    case 'block':
      return <BlockView id={route.id} page={route.page} {...props} />;
    case 'tx':
      return <TxView id={route.id} block={route.block} {...props} />;
    case 'unknown':
      return <p>There is no view at this address. The navigation lists what there is.</p>;
  }
}
