import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '#util';
import { cookiePath, readCookie, removeCookie, writeCookie } from '../../../src/rpc/http/cookie.ts';
import { Credentials } from '../../../src/rpc/http/credentials.ts';
import { allowedSources, endpointText, isAllowedHost, parseEndpoint } from '../../../src/rpc/http/hosts.ts';
import { WorkQueue } from '../../../src/rpc/http/work-queue.ts';
import { DEFAULT_RPC_OPTIONS } from '../../../src/rpc/options.ts';
import { makeTempDir } from '../../support/temp-dir.ts';

const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

test('users log in by password or salted hash, and only so', () => {
  const hmac = createHmac('sha256', 'salt').update('secret').digest('hex');
  const credentials = new Credentials(
    { ...DEFAULT_RPC_OPTIONS, auths: [`alice:salt$${hmac}`] },
    { user: 'bob', password: 'pass:word' },
  );
  assert.equal(credentials.userOf(basic('bob:pass:word')), 'bob');
  assert.equal(credentials.userOf(basic('alice:secret')), 'alice');
  for (const bad of ['bob:secret', 'alice:pass:word', 'alice:', 'bob', ':', '']) {
    assert.equal(credentials.userOf(basic(bad)), undefined, bad);
  }
  assert.equal(credentials.userOf('Bearer x'), undefined);
  assert.equal(credentials.userOf(basic(`bob:${'x'.repeat(5000)}`)), undefined);
  const malformed = { ...DEFAULT_RPC_OPTIONS, auths: ['alice:salt'] };
  assert.throws(() => new Credentials(malformed, { user: '', password: 'x' }), { code: 'BAD_CONFIG' });
});

test('a whitelist says who may call what; entries of one user must all allow it', () => {
  const login = { user: 'bob', password: 'x' };
  const open = new Credentials(DEFAULT_RPC_OPTIONS, login);
  assert.ok(open.mayCallAll('bob', () => []) && open.mayCall('bob', 'stop'));
  const whitelist = ['bob:getblock, getblockhash', 'bob:getblock,stop', 'eve:'];
  const closed = new Credentials({ ...DEFAULT_RPC_OPTIONS, whitelist }, login);
  assert.deepEqual(
    ['getblock', 'getblockhash', 'stop'].map((method) => closed.mayCall('bob', method)),
    [true, false, false],
  );
  assert.ok(closed.mayCallAll('eve', () => []) && !closed.mayCall('eve', 'getblock'));
  assert.ok(!closed.mayCallAll('dave', () => []) && !closed.mayCall('dave', 'getblock'));
  const lenient = new Credentials({ ...DEFAULT_RPC_OPTIONS, whitelist, whitelistDefault: false }, login);
  assert.ok(lenient.mayCallAll('dave', () => []) && lenient.mayCall('dave', 'getblock'));
});

test('the cookie is the owner’s alone, and removed only if it is still ours', async () => {
  await using directory = await makeTempDir();
  const path = cookiePath(directory.path);
  assert.equal(path, join(directory.path, '.cookie'));
  assert.equal(await readCookie(path), undefined);
  const password = await writeCookie(path, seededRandom(1));
  assert.match(password, /^[0-9a-f]{64}$/);
  assert.equal(await readFile(path, 'utf8'), `__cookie__:${password}`);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await writeFile(path, '__cookie__:other');
  await removeCookie(path, password);
  assert.equal(await readCookie(path), '__cookie__:other');
  const next = await writeCookie(path, seededRandom(2));
  await removeCookie(path, next);
  assert.equal(await readCookie(path), undefined);
  await assert.rejects(writeCookie(join(directory.path, 'none', '.cookie'), seededRandom(1)), { code: 'IO' });
});

test('loopback may connect, and who is allowed by IP, netmask or CIDR', () => {
  const allowed = allowedSources(['192.0.2.7', '10.1.0.0/16', '172.16.0.0/255.240.0.0', '2001:db8::/32']);
  for (const good of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '::ffff:127.0.0.1',
    '192.0.2.7',
    '10.1.2.3',
    '172.31.0.1',
    '2001:db8::5',
  ]) {
    assert.ok(allowed(good), good);
  }
  for (const bad of ['192.0.2.8', '10.2.0.1', '172.32.0.1', '2001:db9::1', '::ffff:10.2.0.1', '']) {
    assert.ok(!allowed(bad), bad);
  }
  for (const bad of ['10.0.0.0/33', 'example.org', '10.0.0.0/255.0.255.0', '1.2.3.4/8/8', '::/129']) {
    assert.throws(() => allowedSources([bad]), { code: 'BAD_CONFIG' }, bad);
  }
});

test('a Host that is a name must be allowed', () => {
  for (const good of [undefined, '', '127.0.0.1:8332', '[::1]:8332', 'localhost', 'LOCALHOST:1', 'node.example:80']) {
    assert.ok(isAllowedHost(good, ['Node.example']), good);
  }
  for (const bad of ['evil.example', 'localhost.evil.example:8332', '127.0.0.1.evil.example', '[evil]', 'a:b:c']) {
    assert.ok(!isAllowedHost(bad, ['node.example']), bad);
  }
});

test('addresses to listen on', () => {
  const parse = (text: string): string => endpointText(parseEndpoint(text, 8332));
  assert.equal(parse('127.0.0.1'), '127.0.0.1:8332');
  assert.equal(parse('::1'), '[::1]:8332');
  assert.equal(parse('[::]:1'), '[::]:1');
  assert.equal(parse('localhost:0'), 'localhost:0');
  for (const bad of ['example.org', '1.2.3.4:70000', '', '[x]:1']) {
    assert.throws(() => parse(bad), { code: 'BAD_CONFIG' }, bad);
  }
});

test('the queue runs so many at once, lets so many wait in order, and refuses the rest', async () => {
  const queue = new WorkQueue(2, 2);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const started: number[] = [];
  const runs = gates.map(({ promise }, index) =>
    queue.run(async () => {
      started.push(index);
      await promise;
    }),
  );
  assert.deepEqual(started, [0, 1]);
  assert.equal(runs[4], undefined);
  gates[1]?.reject(new Error('a failed one makes room, too'));
  await assert.rejects(async () => runs[1]);
  gates[0]?.resolve();
  gates[2]?.resolve();
  gates[3]?.resolve();
  await Promise.all([runs[0], runs[2], runs[3]]);
  assert.deepEqual(started, [0, 1, 2, 3]);
  await queue.run(async () => void started.push(9));
  assert.equal(started.at(-1), 9);
});
