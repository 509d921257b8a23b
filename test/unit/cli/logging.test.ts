import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSources } from '../../../scripts/source-scan.ts';
import { LogLimit } from '../../../src/cli/log-limit.ts';
import { createLogging, loggingOf } from '../../../src/cli/logging.ts';
import { resolveSettings } from '../../../src/cli/settings.ts';
import { createTerminal } from '../../../src/cli/terminal.ts';
import { LOG_MODULES } from '../../../src/cli/values.ts';
import { systemClock } from '../../../src/util/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

function collect(format: 'human' | 'json', level: 'debug' | 'info' = 'info') {
  const lines: string[] = [];
  return { lines, logging: createLogging({ level, format, print: (line) => lines.push(line) }) };
}

test('human lines: time, level, module, message, fields', () => {
  const { lines, logging } = collect('human');
  logging.log.child('net').info('peer connected', { id: '12D3', count: 3, work: 10n, agent: 'a b', none: undefined });
  logging.log.debug('not shown');
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? '',
    /^\d{4}-\d\d-\d\dT[\d:.]+Z info {2}net: peer connected id=12D3 count=3 work=10 agent="a b"$/,
  );
});

test('json lines carry the same', () => {
  const { lines, logging } = collect('json', 'debug');
  logging.log.child('chain').debug('x', { height: 1 });
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  assert.deepEqual(rest, { level: 'debug', module: 'chain', msg: 'x', height: 1 });
  assert.ok(Math.abs(Date.parse(time) - Date.now()) < 60_000);
});

test('secrets are never written', () => {
  for (const format of ['human', 'json'] as const) {
    const { lines, logging } = collect(format);
    logging.log.info('key', { privateKey: 'S3CR3T', rpcpassword: 'S3CR3T', authToken: 'S3CR3T', walletSeed: 'S3CR3T' });
    assert.equal(lines.length, 1);
    assert.ok(!lines[0]?.includes('S3CR3T'));
    assert.match(lines[0] ?? '', /\[redacted\]/);
  }
});

test('text from a peer cannot forge lines or grow without bound', () => {
  const { lines, logging } = collect('human');
  logging.log.info('hello\nforged', { agent: 'x\r\n2026 info forged \x1b[2J\u202e', long: 'y'.repeat(100_000) });
  assert.equal(lines.length, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not occur
  assert.doesNotMatch(lines[0] ?? '', /[\x00-\x1f\u202e]/);
  assert.ok((lines[0] ?? '').length < 1200);
});

test('debug.log gets the lines, and its end is kept when it has grown large', () => {
  const folder = mkdtempSync(join(tmpdir(), 'starling-log-'));
  const file = join(folder, 'debug.log');
  try {
    writeFileSync(file, 'z'.repeat(11_000_001));
    const { logging } = collect('human');
    logging.openFile(folder);
    assert.equal(statSync(file).size, 10_000_000);
    logging.log.info('first line');
    logging.close();
    assert.match(readFileSync(file, 'utf8').slice(10_000_000), /^\S+ info {2}first line\n$/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test(
  'a full disk ends debug.log with one line, and nothing waits for room',
  { skip: !existsSync('/dev/full') },
  async () => {
    await using dir = await makeTempDir();
    symlinkSync('/dev/full', join(dir.path, 'debug.log'));
    const printed: string[] = [];
    const logging = createLogging({ level: 'warn', format: 'human', print: (line) => printed.push(line) });
    logging.openFile(dir.path);
    for (let i = 0; i < 3; i++) logging.log.warn('disk full');
    logging.close();
    assert.equal(printed.filter((line) => line.startsWith('starling: debug.log is not written any more')).length, 1);
  },
);

test('a module has a level of its own, which changes while the program runs', () => {
  const lines: string[] = [];
  const moduleLevels = [{ module: 'net', level: 'debug' }] as const;
  const logging = createLogging({ level: 'info', moduleLevels, format: 'human', print: (line) => lines.push(line) });
  const [net, chain] = [logging.log.child('net'), logging.log.child('chain')];
  const shown = (): string => {
    for (const log of [net, chain, logging.log]) log.debug('x');
    return lines
      .splice(0)
      .map((line) => / (\w*):? ?x$/.exec(line)?.[1])
      .join();
  };
  assert.equal(shown(), 'net');
  logging.setLevel('chain', 'debug');
  assert.deepEqual(logging.levels(), { net: 'debug', chain: 'debug' });
  assert.equal(shown(), 'net,chain');
  logging.setLevel('net', 'silent');
  net.error('not shown');
  assert.equal(shown(), 'chain');
  logging.setLevel(undefined, 'debug');
  assert.equal(shown(), 'chain,debug', 'the last has no module');
  logging.log.child('sync').debug('x');
  assert.equal(lines.splice(0).length, 1, 'a module that logs for the first time has the level of all');
});

test('one kind of line takes a megabyte an hour, and what is left out is told', async () => {
  const lines: string[] = [];
  const clock = createManualClock();
  const print = (line: string): void => void lines.push(line);
  const logging = createLogging({ level: 'info', format: 'json', print, clock });
  const log = logging.log.child('net');
  for (let i = 0; i < 20_000; i++) log.warn('banned', { subject: 'x'.repeat(400) });
  const written = lines.length;
  assert.ok(written > 2_000 && written < 2_700, String(written));
  assert.match(lines.at(-1) ?? '', /so many lines of a kind/);
  log.warn('something else');
  assert.equal(lines.length, written + 1);
  await clock.advance(3_600_000);
  log.warn('banned', { subject: 'y' });
  const [told = '', again = ''] = lines.slice(written + 1);
  const { msg, of, lines: count } = JSON.parse(told);
  assert.deepEqual([msg, of, count], ['lines of a kind were left out', 'net warn banned', 20_000 - (written - 1)]);
  assert.match(again, /"subject":"y"/);
});

test('kinds are bounded: with too many, the others share one budget', () => {
  const limit = new LogLimit(createManualClock());
  const line = { text: 'x'.repeat(500_000) };
  for (let i = 0; i < 1_000; i++) assert.equal(limit.take(`kind ${i}`, line, false), 'write');
  assert.equal(limit.take('one more', line, false), 'write');
  assert.equal(limit.take('another', line, false), 'write');
  assert.equal(limit.take('a third', line, false), 'last');
  assert.equal(limit.take('a fourth', line, false), 'drop');
  assert.equal(limit.take('kind 0', line, true), 'write', 'who asks for debug lines gets more');
});

test('pretty on a terminal, JSON elsewhere and in the file, unless a form is asked for', async () => {
  const shown = async (isTTY: boolean, format: string): Promise<readonly string[]> => {
    await using dir = await makeTempDir();
    const written: string[] = [];
    const terminal = createTerminal({ isTTY, write: (text: string) => written.push(text) }, systemClock, {
      plainIntervalMs: 0,
    });
    const logging = loggingOf(await resolveSettings('node', { logFormat: [format] }), terminal);
    logging.openFile(dir.path);
    logging.log.warn('hello');
    logging.close();
    return [written.join(''), readFileSync(join(dir.path, 'debug.log'), 'utf8')];
  };
  const [json, human] = [/^\{"level":"warn"/, /^\d\S+Z warn {2}hello\n$/];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the marks of a terminal
  const coloured = /^\d\S+Z \x1b\[33mwarn \x1b\[0m hello\n$/;
  for (const [isTTY, format, printed, filed] of [
    [true, 'auto', coloured, json],
    [false, 'auto', json, json],
    [true, 'human', coloured, human],
    [false, 'human', human, human],
    [true, 'json', json, json],
  ] as const) {
    const [out = '', log = ''] = await shown(isTTY, format);
    assert.match(out, printed, `${isTTY} ${format}`);
    assert.match(log, filed, `${isTTY} ${format}`);
  }
});

test('every module that logs can have a level', () => {
  const sources = readSources(fileURLToPath(new URL('../../..', import.meta.url)), ['src']);
  const named = sources.flatMap(({ text }) => [...text.matchAll(/\.child\('([^']+)'\)/g)].map(([, name = '']) => name));
  assert.ok(named.length > 10);
  assert.deepEqual(
    [...new Set(named)].filter((name) => !LOG_MODULES.some((known) => known === name)),
    [],
  );
});

test('the newest 500 lines stay for who looks, and each new one is told to who listens', () => {
  const { logging } = collect('human');
  const { lines } = logging;
  assert.deepEqual(lines.recent(), []);
  for (let at = 0; at < 502; at++) logging.log.child('net').info('peer connected', { at });
  const recent = lines.recent();
  assert.equal(recent.length, 500);
  assert.deepEqual([recent[0]?.number, recent[0]?.text], [2, 'peer connected at=2']);
  const { atMs, ...last } = recent.at(-1) ?? assert.fail();
  assert.deepEqual(last, { number: 501, level: 'info', module: 'net', text: 'peer connected at=501' });
  assert.ok(Math.abs(atMs - Date.now()) < 60_000);
  const heard: number[] = [];
  const stop = lines.listen(({ number, text }) => heard.push(number, text.length));
  logging.log.warn('x'.repeat(5_000), { more: 'y'.repeat(5_000) });
  stop();
  logging.log.info('nobody listens');
  assert.deepEqual(heard, [502, 600]);
  assert.equal(lines.recent().at(-1)?.text, 'nobody listens');
});
