/** Two columns of text: what stands left on the longest line decides where the right ones begin. */

/** Between the columns. */
const GAP = 4;

export class Sections {
  readonly #rows: { left: string; readonly right: string }[] = [];
  #width = 0;

  add(left: string, right = ''): void {
    this.#rows.push({ left, right });
    this.#width = Math.max(this.#width, left.length);
  }

  /** The last item of a list has no comma behind it. */
  dropLastComma(): void {
    const row = this.#rows.at(-1);
    if (row !== undefined) row.left = row.left.slice(0, -1);
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  toString(): string {
    const width = this.#width + GAP;
    const lines = this.#rows.map(({ left, right }) => {
      if (right === '') return left;
      const [head = '', ...rest] = right.split('\n');
      const below = rest.map((line) => `\n${' '.repeat(width)}${line.trimStart()}`);
      return `${left.padEnd(width)}${head}${below.join('')}`;
    });
    return lines.map((line) => `${line}\n`).join('');
  }
}
