import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../../../src/cli/top/screen.ts';
import { fitted, line, painted, span, textOf } from '../../../../src/cli/top/spans.ts';
import { FIRST_VIEW, pressed, SORTS, type View } from '../../../../src/cli/top/view.ts';

test('only lines that changed are written, and all after another size', () => {
  const written: string[] = [];
  const take = (): string => written.splice(0).join('');
  const screen = new Screen({ write: (text) => written.push(text) });
  screen.draw(['too early']);
  screen.close();
  assert.equal(take(), '');
  screen.open();
  assert.equal(take(), '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J');
  screen.draw(['one', 'two']);
  assert.equal(take(), '\x1b[?2026h\x1b[1;1Hone\x1b[2;1Htwo\x1b[?2026l');
  screen.draw(['one', 'TWO']);
  assert.equal(take(), '\x1b[?2026h\x1b[2;1HTWO\x1b[?2026l');
  screen.draw(['one', 'TWO']);
  assert.equal(take(), '');
  screen.clear();
  screen.draw(['one']);
  assert.equal(take(), '\x1b[2J\x1b[?2026h\x1b[1;1Hone\x1b[?2026l');
  screen.close();
  screen.close();
  assert.equal(take(), '\x1b[?7h\x1b[?25h\x1b[?1049l');
});

test('texts are cut by cells, and colours are left out on request', () => {
  const spans = [span('good', 'good'), ...line(' and plain')];
  assert.equal(textOf(fitted(spans, 20)), 'good and plain      ');
  assert.equal(textOf(fitted(spans, 8)), 'good an…');
  assert.equal(textOf(fitted(spans, 1)), '…');
  assert.equal(textOf(fitted(spans, 0)), '');
  assert.equal(textOf(fitted(line('𝄞𝄞𝄞'), 2)), '𝄞…');
  assert.equal(painted(spans, true), '\x1b[32mgood\x1b[0m and plain');
  assert.equal(painted(spans, false), 'good and plain');
  assert.equal(textOf(line('a\x1b[2J\u202eb\nc')), 'a?[2J?b?c');
});

test('keys change the view', () => {
  const press = (view: View, key: Parameters<typeof pressed>[1]) => pressed(view, key, 10, 25);
  const view = (change: Partial<View>): View => ({ ...FIRST_VIEW, ...change });
  assert.equal(press(FIRST_VIEW, { name: 'q' }), 'quit');
  assert.equal(press(FIRST_VIEW, { name: 'c', ctrl: true }), 'quit');
  assert.equal(press(FIRST_VIEW, { name: 'z', ctrl: true }), 'suspend');
  assert.equal(press(FIRST_VIEW, { name: 'q', ctrl: true }), undefined);
  assert.equal(press(FIRST_VIEW, { name: 'x' }), undefined);
  assert.deepEqual(press(view({ isReversed: true }), { name: 's' }), view({ sort: SORTS[1] }));
  assert.deepEqual(press(view({ sort: SORTS.at(-1) ?? 'id' }), { name: 's' }), FIRST_VIEW);
  assert.deepEqual(press(FIRST_VIEW, { name: 'r' }), view({ isReversed: true }));
  assert.deepEqual(press(FIRST_VIEW, { sequence: '?' }), view({ isHelp: true }));
  assert.deepEqual(press(view({ isHelp: true }), { name: 'escape' }), FIRST_VIEW);
  const scrolls = { down: 6, up: 4, j: 6, k: 4, pagedown: 15, pageup: 0, home: 0, end: 25 };
  for (const [name, scroll] of Object.entries(scrolls)) {
    assert.deepEqual(press(view({ scroll: 5 }), { name }), view({ scroll }), name);
  }
  assert.deepEqual(press(view({ scroll: 25 }), { name: 'down' }), view({ scroll: 25 }));
  // Another size may have left fewer to scroll.
  assert.deepEqual(press(view({ scroll: 90 }), { name: 'up' }), view({ scroll: 25 }));
});
