/**
 * The whole screen of a terminal: what stood there comes back when it is closed. Only lines that changed are written, in one
 * piece that terminals show at once if they can.
 */
import type { TerminalStream } from '../terminal.ts';

/** The other screen, no cursor, no wrapping of long lines; and back. */
const OPEN = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const CLOSE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
/** Synchronized output: others pass over it. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const CLEAR = '\x1b[2J';

export class Screen implements Disposable {
  readonly #stream: Pick<TerminalStream, 'write'>;
  #shown: readonly string[] = [];
  #isOpen = false;

  constructor(stream: Pick<TerminalStream, 'write'>) {
    this.#stream = stream;
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#shown = [];
    this.#stream.write(OPEN);
  }

  /** Each line is as wide as the screen: what stood there before needs no erasing. */
  draw(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    const changed = lines.flatMap((text, row) => (text === this.#shown[row] ? [] : [`\x1b[${row + 1};1H${text}`]));
    this.#shown = lines;
    if (changed.length > 0) this.#stream.write(`${BEGIN}${changed.join('')}${END}`);
  }

  /** For another size: the next drawing is of all. */
  clear(): void {
    if (!this.#isOpen) return;
    this.#shown = [];
    this.#stream.write(CLEAR);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#stream.write(CLOSE);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
