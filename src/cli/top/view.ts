/** What the user of `starling top` has chosen, and what each key does to it. Pure. */

export const SORTS = ['id', 'height', 'ping', 'score', 'in', 'out'] as const;

export type Sort = (typeof SORTS)[number];

export type View = {
  readonly sort: Sort;
  /** Against the column's own order, which is what one looks for first. */
  readonly isReversed: boolean;
  /** Peers above the first one shown. */
  readonly scroll: number;
  readonly isHelp: boolean;
};

export const FIRST_VIEW: View = { sort: 'id', isReversed: false, scroll: 0, isHelp: false };

/** A key as node:readline names it. */
export type Key = { readonly name?: string | undefined; readonly sequence?: string; readonly ctrl?: boolean };

type Change = View | 'quit' | 'suspend' | undefined;

/** `page` is how many peers are shown, `maxScroll` how far they can be scrolled. Undefined: the key does nothing. */
export function pressed(view: View, key: Key, page: number, maxScroll: number): Change {
  const { name = key.sequence, ctrl = false } = key;
  if (ctrl) return name === 'c' ? 'quit' : name === 'z' ? 'suspend' : undefined;
  const scrolled = (by: number): View => ({ ...view, scroll: Math.max(0, Math.min(maxScroll, view.scroll + by)) });
  switch (key.sequence === '?' ? '?' : name) {
    case 'q':
      return 'quit';
    case 's':
      return { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length] ?? 'id', isReversed: false };
    case 'r':
      return { ...view, isReversed: !view.isReversed };
    case 'up':
    case 'k':
      return scrolled(-1);
    case 'down':
    case 'j':
      return scrolled(1);
    case 'pageup':
      return scrolled(-page);
    case 'pagedown':
      return scrolled(page);
    case 'home':
      return scrolled(-view.scroll);
    case 'end':
      return scrolled(maxScroll);
    case '?':
    case 'h':
      return { ...view, isHelp: !view.isHelp };
    case 'escape':
      return { ...view, isHelp: false };
    default:
      return undefined;
  }
}
