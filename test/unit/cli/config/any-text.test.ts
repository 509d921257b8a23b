/** Whatever a file holds, it is read, or refused in one line: no other failure, and no setting that its parser refuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCoreForm } from '../../../../src/cli/config/core-form.ts';
import { coreLayer } from '../../../../src/cli/config/core-layer.ts';
import { CORE_KEYS } from '../../../../src/cli/config/core-options.ts';
import type { ConfigFile } from '../../../../src/cli/config/entries.ts';
import { readJsonForm } from '../../../../src/cli/config/json-form.ts';
import { FILE_KEYS, type Layer, misfit } from '../../../../src/cli/config/layer.ts';
import { ourLayer } from '../../../../src/cli/config/our-layer.ts';
import { readTomlForm } from '../../../../src/cli/config/toml-form.ts';
import { errorText, NodeError } from '../../../../src/util/index.ts';

const RUNS = { seed: 1, numRuns: 500 };
/** So many settings at least come through: files are not all refused at once. */
const LEAST_GIVEN = 100;

/** The number of settings that came through. */
function check(read: () => ConfigFile, toLayer: (file: ConfigFile) => Layer): number {
  let layer: Layer;
  try {
    layer = toLayer(read());
  } catch (error) {
    assert.ok(error instanceof NodeError && error.code === 'BAD_CONFIG', String(error));
    assert.doesNotMatch(errorText(error), CONTROL);
    return 0;
  }
  for (const line of [...layer.problems, ...layer.notes]) {
    assert.match(line, /^f(:\d+)?: /);
    assert.doesNotMatch(line, CONTROL);
  }
  for (const [name, { texts, origin }] of layer.given) {
    assert.equal(misfit(name, texts), undefined, `${name} ${texts.join()}`);
    assert.match(origin.place, /^f(:\d+)?(, f:\d+)*$/);
  }
  return layer.given.size;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not occur
const CONTROL = /[\x00-\x1f]/;

const key = fc.oneof(fc.constantFrom(...CORE_KEYS, ...FILE_KEYS), fc.string({ maxLength: 12 }));
const value = fc.oneof(
  fc.constantFrom('0', '1', '', '5', '-1', '600', '0.00001', 'true', 'none', '127.0.0.1:9050', 'net', 'segwit@5'),
  fc.constantFrom('/ip4/0.0.0.0/tcp/1', '/dnsaddr/a.example', 'info', 'regtest', 'net=debug', 'socks5://h:1'),
  fc.string({ maxLength: 20 }),
);
const fitting = fc.constantFrom(
  ['db-cache', '5'],
  ['max-peers', '7'],
  ['log-level', 'debug'],
  ['listen', 'none'],
  ['relay', '1'],
  ['max-mempool', '20'],
);
const setting = fc.oneof(fitting, fc.tuple(key, value)).map(([name = '', text = '']) => [name, text] as const);
const network = fc.constantFrom('mainnet', 'regtest', 'signet');

test('lines as of a bitcoin.conf', () => {
  const pair = fc
    .tuple(fc.constantFrom('', '', '', 'no', 'regtest.'), setting)
    .map(([before, [name, text]]) => `${before}${name}=${text}`);
  const line = fc.oneof(
    { weight: 30, arbitrary: pair },
    { weight: 8, arbitrary: fc.constantFrom('[regtest]', '[main]', '[x]', '# comment', '') },
    { weight: 1, arbitrary: fc.constantFrom('[', 'includeconf=more', '-par=1', 'includeconf=') },
    { weight: 1, arbitrary: fc.string({ maxLength: 30 }) },
  );
  const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n'));
  let given = 0;
  fc.assert(
    fc.property(text, text, network, (main, included, chain) => {
      given += check(
        () => readCoreForm(main, 'f', () => included),
        (file) => ({ ...coreLayer(file, chain, 'file'), ...(main.includes('includeconf') ? NOWHERE : {}) }),
      );
    }),
    RUNS,
  );
  assert.ok(given >= LEAST_GIVEN, String(given));
});

/** Included files have places of their own. */
const NOWHERE = { problems: [], notes: [], given: new Map() };

test('objects of any values as JSON, and any text', () => {
  const others = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 });
  const settings = fc.array(setting, { maxLength: 6 }).map((all) => Object.fromEntries(all));
  const objects = fc.oneof(
    settings,
    fc.tuple(settings, others).map(([some, more]) => ({ ...some, ...more })),
  );
  const indented = fc.tuple(objects, fc.nat(2)).map(([object, space]) => JSON.stringify(object, undefined, space));
  let given = 0;
  fc.assert(
    fc.property(fc.oneof(indented, fc.string()), network, (text, chain) => {
      given += check(
        () => readJsonForm(text, 'f'),
        (file) => ourLayer(file, chain, 'file'),
      );
    }),
    RUNS,
  );
  assert.ok(given >= LEAST_GIVEN, String(given));
});

test('entries and tables as TOML, and any text', () => {
  const entry = setting.map(([name, text]) => `${JSON.stringify(name)} = ${JSON.stringify(text)}`);
  const other = fc.constantFrom('[regtest]', '[x]', 'par = 3', 'x = """', '"""', 'max-peers = [ "1",', ']');
  const line = fc.oneof({ weight: 8, arbitrary: entry }, { weight: 1, arbitrary: other });
  const lines = fc.array(line, { maxLength: 8 }).map((all) => all.join('\n'));
  let given = 0;
  fc.assert(
    fc.property(fc.oneof(lines, fc.string()), network, (text, chain) => {
      given += check(
        () => readTomlForm(text, 'f'),
        (file) => ourLayer(file, chain, 'file'),
      );
    }),
    RUNS,
  );
  assert.ok(given >= LEAST_GIVEN, String(given));
});
