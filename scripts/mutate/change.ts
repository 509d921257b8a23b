/** One change of a text. Apart from the rest, because every process that tests a mutant loads it. */
export type Change = {
  /** Offsets of what is replaced. */
  readonly from: number;
  readonly to: number;
  readonly text: string;
};

export function applyChange(source: string, { from, to, text }: Change): string {
  return source.slice(0, from) + text + source.slice(to);
}
