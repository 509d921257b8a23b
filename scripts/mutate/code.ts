/** A source as tokens, with the questions that operators ask of it: what stands before, where an operand ends. */
import { partnersOf, type Token, tokensOf } from './tokens.ts';

const NOTHING: Token = { kind: 'mark', text: '', from: 0, to: 0 };

/** Words that stand before an operand, not at the end of one. */
const KEYWORDS = new Set(['return', 'of', 'in', 'case', 'throw', 'typeof', 'await', 'yield', 'else', 'const', 'let']);

/** What ends an operand, by the operator that it belongs to; a condition is all in front of a `?`. */
const LOOSE = ', ; = += -= *= /= |= &= ??= => ? : ... return throw'.split(' ');
const BREAKS = {
  condition: new Set(LOOSE),
  '||': new Set([...LOOSE, '||', '??']),
  '??': new Set([...LOOSE, '||', '??', '&&']),
  '&&': new Set([...LOOSE, '||', '??', '&&']),
};

export class Code {
  readonly tokens: readonly Token[];
  readonly #partners: readonly number[];

  constructor(source: string) {
    this.tokens = tokensOf(source);
    this.#partners = partnersOf(this.tokens);
  }

  at(index: number): Token {
    return this.tokens[index] ?? NOTHING;
  }

  /** Empty for strings, which are no signs or words. */
  text(index: number): string {
    const { kind, text } = this.at(index);
    return kind === 'string' ? '' : text;
  }

  /** The bracket that belongs to the one at `index`; -1 when it has none. */
  partner(index: number): number {
    return this.#partners[index] ?? -1;
  }

  /** Whether an operand ends here: then a sign behind it has two operands. */
  endsOperand(index: number): boolean {
    const { kind, text } = this.at(index);
    if (kind === 'mark') return text === ')' || text === ']';
    return !(kind === 'name' && KEYWORDS.has(text));
  }

  /** Index of the first token of the operand that ends before `index`. */
  operandStart(index: number, operator: keyof typeof BREAKS): number {
    let at = index - 1;
    for (; at >= 0; at--) {
      const text = this.text(at);
      if (text === ')' || text === ']' || text === '}') at = this.partner(at);
      else if (this.#opens(at) || BREAKS[operator].has(text)) break;
    }
    return at + 1;
  }

  /** Index behind the last token of the operand that starts behind `index`. */
  operandEnd(index: number, operator: keyof typeof BREAKS): number {
    let at = index + 1;
    for (; at < this.tokens.length; at++) {
      const text = this.text(at);
      if (this.#opens(at)) at = this.partner(at);
      else if (text === ')' || text === ']' || text === '}' || BREAKS[operator].has(text)) break;
    }
    return at;
  }

  /** Index of the bracket around `index`; -1 at the outermost level. */
  enclosing(index: number): number {
    let at = index - 1;
    for (; at >= 0; at--) {
      if (this.#opens(at)) break;
      if (this.partner(at) >= 0) at = this.partner(at);
    }
    return at;
  }

  /** Whether the innermost braces around `index` are those of a class. */
  inClassBody(index: number): boolean {
    let at = this.enclosing(index) - 1;
    while (at >= 0 && this.at(at).kind === 'name' && this.text(at) !== 'class') at--;
    return this.text(at) === 'class';
  }

  #opens(index: number): boolean {
    return this.partner(index) > index;
  }
}
