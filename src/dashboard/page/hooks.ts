/** What the page's parts react to: news of the node, seconds that pass, the address. */
import { useEffect, useState } from 'preact/hooks';
import { type Route, routeOf } from './route.ts';
import type { Known, Store } from './store.ts';

export function useKnown(store: Store): Known {
  const [known, setKnown] = useState(store.known);
  useEffect(() => {
    setKnown(store.known);
    return store.listen(() => setKnown(store.known));
  }, [store]);
  return known;
}

/** Our clock, once a second. */
export function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const follow = (): void => setRoute(routeOf(location.hash));
    window.addEventListener('hashchange', follow);
    return () => window.removeEventListener('hashchange', follow);
  }, []);
  return route;
}

/** How often the part was painted, up to `most`: what can wait is drawn after the first time, in tasks of its own. */
export function usePaints(most: number): number {
  const [paints, setPaints] = useState(0);
  // Preact runs effects after the next frame.
  useEffect(() => {
    if (paints < most) setPaints(paints + 1);
  }, [paints, most]);
  return paints;
}
