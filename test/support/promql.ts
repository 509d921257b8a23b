/**
 * Reads an expression of Prometheus' query language, as far as alerts and dashboards here go: selectors, ranges (Grafana's
 * variable for one too), functions, aggregations, operators and how they match. Throws on what does not parse, on an unknown function, and where a function gets the wrong kind.
 */
import assert from 'node:assert/strict';

export type Matcher = { readonly label: string; readonly operator: string; readonly value: string };

export type Selector = {
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** The function that reads it over a range. */
  readonly over: string | undefined;
};

const TOKEN =
  /\s*(?:([a-zA-Z_:][a-zA-Z0-9_:]*)|(\d+(?:\.\d+)?(?:e\d+)?)(?![\w[])|\[((?:\d+(?:ms|[smhdwy]))+|\$__rate_interval)\]|("(?:[^"\\]|\\.)*")|(=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},]))/y;

const AGGREGATIONS = new Set(['sum', 'min', 'max', 'avg', 'count']);
const OVER_RANGE = new Set([
  ...['rate', 'increase', 'deriv', 'delta', 'changes', 'max_over_time', 'min_over_time', 'avg_over_time'],
]);
const OVER_INSTANT = new Set(['abs', 'clamp_min', 'clamp_max', 'absent', 'round', 'histogram_quantile']);
const OF_NOTHING = new Set(['time']);
const SET_OPERATORS = new Set(['and', 'or', 'unless']);
const OPERATORS = new Set(['+', '-', '*', '/', '%', '^', '==', '!=', '>', '<', '>=', '<=', ...SET_OPERATORS]);

type Token = { readonly kind: 'name' | 'number' | 'range' | 'string' | 'sign'; readonly text: string };

/** Every selector in it. */
export function parseQuery(text: string): readonly Selector[] {
  const parser = new Parser(tokens(text), text);
  parser.expression();
  parser.end();
  return parser.selectors;
}

function tokens(text: string): readonly Token[] {
  const found: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const at = TOKEN.lastIndex;
    const [, name, number, range, string, sign] = TOKEN.exec(text) ?? assert.fail(`at ${at}: ${text}`);
    if (name !== undefined) found.push({ kind: 'name', text: name });
    else if (number !== undefined) found.push({ kind: 'number', text: number });
    else if (range !== undefined) found.push({ kind: 'range', text: range });
    else if (string !== undefined) found.push({ kind: 'string', text: string.slice(1, -1) });
    else found.push({ kind: 'sign', text: sign ?? '' });
  }
  return found;
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  #at = 0;
  readonly selectors: Selector[] = [];

  constructor(list: readonly Token[], text: string) {
    this.#tokens = list;
    this.#text = text;
  }

  expression(): void {
    this.#operand();
    while (OPERATORS.has(this.#next?.text ?? '') && this.#next?.kind !== 'string') {
      this.#at++;
      if (this.#takes('name', 'ignoring') || this.#takes('name', 'on')) this.#labels();
      this.#operand();
    }
  }

  end(): void {
    assert.equal(this.#next, undefined, `too much: ${this.#text}`);
  }

  get #next(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #take(kind: Token['kind'], text?: string): string {
    const token = this.#next;
    assert.ok(token?.kind === kind && (text ?? token.text) === token.text, `${text ?? kind} wanted: ${this.#text}`);
    this.#at++;
    return token.text;
  }

  #takes(kind: Token['kind'], text: string): boolean {
    if (this.#next?.kind !== kind || this.#next.text !== text) return false;
    this.#at++;
    return true;
  }

  #operand(): void {
    if (this.#next?.kind === 'number') {
      this.#at++;
    } else if (this.#takes('sign', '(')) {
      this.expression();
      this.#take('sign', ')');
    } else {
      this.#named(this.#take('name'));
    }
  }

  #named(name: string): void {
    if (AGGREGATIONS.has(name)) {
      if (this.#takes('name', 'by') || this.#takes('name', 'without')) this.#labels();
      this.#arguments();
    } else if (OF_NOTHING.has(name)) {
      this.#take('sign', '(');
      this.#take('sign', ')');
    } else if (this.#next?.text === '(') {
      assert.ok(OVER_RANGE.has(name) || OVER_INSTANT.has(name), `unknown function ${name}: ${this.#text}`);
      if (OVER_RANGE.has(name)) this.#rangeArgument(name);
      else this.#arguments();
    } else {
      assert.ok(!SET_OPERATORS.has(name), `an operand is missing: ${this.#text}`);
      this.#selector(name, undefined);
      assert.notEqual(this.#next?.kind, 'range', `a range that no function takes: ${this.#text}`);
    }
  }

  #labels(): void {
    this.#take('sign', '(');
    do this.#take('name');
    while (this.#takes('sign', ','));
    this.#take('sign', ')');
  }

  #arguments(): void {
    this.#take('sign', '(');
    do this.expression();
    while (this.#takes('sign', ','));
    this.#take('sign', ')');
  }

  #rangeArgument(over: string): void {
    this.#take('sign', '(');
    this.#selector(this.#take('name'), over);
    this.#take('range');
    this.#take('sign', ')');
  }

  #selector(name: string, over: string | undefined): void {
    const matchers: Matcher[] = [];
    if (this.#takes('sign', '{')) {
      do {
        const label = this.#take('name');
        const operator = this.#take('sign');
        assert.ok(['=', '!=', '=~', '!~'].includes(operator), `${operator} between label and value: ${this.#text}`);
        matchers.push({ label, operator, value: this.#take('string') });
      } while (this.#takes('sign', ','));
      this.#take('sign', '}');
    }
    this.selectors.push({ name, matchers, over });
  }
}
