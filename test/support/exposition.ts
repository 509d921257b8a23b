/**
 * A strict reader of Prometheus' text format 0.0.4: each family once and in one piece, HELP then TYPE then its samples, no
 * sample twice, names, labels, escapes and numbers as the format has them. Throws on anything else.
 */
import assert from 'node:assert/strict';

export type Family = {
  readonly help: string;
  readonly type: string;
  /** By the text before the value: `name{label="value"}`. */
  readonly samples: Map<string, number>;
};

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"';
const HELP_LINE = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\]|\\\\[\\\\n])+)$`);
const TYPE_LINE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE_LINE = new RegExp(`^(${NAME})((?:\\{${LABEL}(?:,${LABEL})*\\})?) (\\S+)$`);
/** What Go's ParseFloat takes: words in any case, and prom-client writes Nan. */
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|NaN|Nan)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'] };

export function parseExposition(text: string): ReadonlyMap<string, Family> {
  assert.ok(text.endsWith('\n'), 'the last line ends');
  const families = new Map<string, Family>();
  let help: RegExpExecArray | null = null;
  let current = '';
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    if (line.startsWith('# HELP')) {
      assert.equal(help, null, `HELP without TYPE before: ${line}`);
      help = HELP_LINE.exec(line);
      assert.ok(help, line);
    } else if (line.startsWith('# TYPE')) {
      const [, name = '', type = ''] = TYPE_LINE.exec(line) ?? assert.fail(line);
      assert.equal(name, help?.[1], `HELP of ${name} goes before`);
      assert.ok(!families.has(name), `${name} comes once`);
      families.set(name, { help: help?.[2] ?? '', type, samples: new Map() });
      current = name;
      help = null;
    } else {
      const [, name = '', labels = '', value = ''] = SAMPLE_LINE.exec(line) ?? assert.fail(line);
      const family = families.get(current) ?? assert.fail(`before any family: ${line}`);
      const names = (SUFFIXES[family.type] ?? ['']).map((suffix) => current + suffix);
      assert.ok(help === null && names.includes(name), `${name} is not of ${current}`);
      assert.match(value, NUMBER);
      assert.ok(!family.samples.has(name + labels), `twice: ${line}`);
      family.samples.set(name + labels, Number(value.replace('Inf', 'Infinity')));
    }
  }
  assert.equal(help, null);
  for (const [name, { type, samples }] of families) if (type === 'histogram') checkHistogram(name, samples);
  return families;
}

/** Buckets of one set of labels ascend, in order, to all that was counted. */
function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const last = new Map<string, { readonly bound: number; readonly count: number }>();
  for (const [sample, count] of samples) {
    if (!sample.startsWith(`${name}_bucket`)) continue;
    const all = [...sample.matchAll(new RegExp(LABEL, 'g'))].map(([label]) => label);
    const le = all.find((label) => label.startsWith('le=')) ?? assert.fail(sample);
    const labels = all.filter((label) => label !== le).join();
    const bound = Number(le.slice(4, -1).replace('Inf', 'Infinity'));
    const before = last.get(labels) ?? { bound: Number.NEGATIVE_INFINITY, count: 0 };
    assert.ok(bound > before.bound && count >= before.count, `buckets ascend: ${sample}`);
    last.set(labels, { bound, count });
  }
  for (const [labels, { bound, count }] of last) {
    const series = labels === '' ? '' : `{${labels}}`;
    assert.equal(bound, Number.POSITIVE_INFINITY, `${name}${series} ends`);
    assert.equal(samples.get(`${name}_count${series}`), count, `${name}${series} counts what is in its buckets`);
    assert.ok(samples.has(`${name}_sum${series}`), `${name}${series} has a sum`);
  }
}
