/** Which view the address names: `#/peers`, `#/block/HASH`. Pure. */
import { shortHash } from './format.ts';

export const VIEWS = [
  { name: 'overview', path: '#/', title: 'Overview' },
  { name: 'mesh', path: '#/mesh', title: 'Mesh' },
  { name: 'blocks', path: '#/blocks', title: 'Blocks' },
  { name: 'mempool', path: '#/mempool', title: 'Mempool' },
  { name: 'bandwidth', path: '#/bandwidth', title: 'Bandwidth' },
  { name: 'peers', path: '#/peers', title: 'Peers' },
  { name: 'explorer', path: '#/explorer', title: 'Explorer' },
  { name: 'logs', path: '#/logs', title: 'Logs' },
] as const;

export type ViewName = (typeof VIEWS)[number]['name'];

export type Route =
  | { readonly view: ViewName }
  | { readonly view: 'peer'; readonly id: string }
  | { readonly view: 'block'; readonly id: string; readonly page: number }
  /** `block`: the hash of the block that it is in, where that is known. */
  | { readonly view: 'tx'; readonly id: string; readonly block: string }
  | { readonly view: 'unknown'; readonly text: string };

export const peerPath = (id: string): string => `#/peer/${encodeURIComponent(id)}`;
export const txPath = (txid: string, block = ''): string => `#/tx/${txid}${block === '' ? '' : `/${block}`}`;
/** By hash or height. */
export const blockPath = (id: string | number, page = 0): string => `#/block/${id}${page > 0 ? `/${page}` : ''}`;

export function routeOf(hash: string): Route {
  const [root, first = '', id = '', more = ''] = decoded(hash).split('/');
  if (root !== '#') return { view: 'unknown', text: hash };
  const view = VIEWS.find(({ path }) => path === `#/${first}`);
  if (view !== undefined && id === '') return { view: view.name };
  if (first === 'peer' && id !== '') return { view: 'peer', id };
  if (first === 'tx' && id !== '') return { view: 'tx', id, block: more };
  if (first === 'block' && id !== '') return { view: 'block', id, page: /^\d{1,6}$/.test(more) ? Number(more) : 0 };
  return { view: 'unknown', text: hash };
}

/** What somebody typed into the address need not be well formed. */
function decoded(hash: string): string {
  try {
    return decodeURIComponent(hash === '' ? '#/' : hash);
  } catch {
    return hash;
  }
}

/** The entry of the navigation under which a view stands. */
export function sectionOf({ view }: Route): ViewName | undefined {
  if (view === 'peer') return 'peers';
  if (view === 'block' || view === 'tx') return 'explorer';
  return view === 'unknown' ? undefined : view;
}

export function titleOf(route: Route): string {
  if (route.view === 'peer') return `Peer ${route.id}`;
  if (route.view === 'block') return `Block ${shortHash(route.id)}`;
  if (route.view === 'tx') return `Transaction ${route.id}`;
  return VIEWS.find(({ name }) => name === route.view)?.title ?? 'Not found';
}
