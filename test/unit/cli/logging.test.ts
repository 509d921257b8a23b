import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogging } from '../../../src/cli/logging.ts';
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
