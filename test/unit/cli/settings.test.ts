import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { OptionRow } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';
import { listenAddresses, reachSettings } from '../../../src/cli/reach-settings.ts';
import { resolveSettings } from '../../../src/cli/settings.ts';
import {
  announcedAddress,
  listenAddress,
  path,
  peerAddress,
  positiveNumber,
  socksProxy,
  wholeNumber,
} from '../../../src/cli/values.ts';

const PEER = '12D3KooWGRUz1RzyZJzcbsVdVrnBLsSTMF5Wzvz2gFp6xkgbSFQf';
let folder = '';

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'starling-settings-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function configFile(name: string, text: string): readonly string[] {
  const file = join(folder, name);
  writeFileSync(file, text);
  return [file];
}

const badConfig = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Error && 'code' in error && error.code === 'BAD_CONFIG', String(error));
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /\n/);
  return true;
};

test('defaults fill what nobody gives', async () => {
  const settings = await resolveSettings('node', {});
  assert.equal(settings.network, 'mainnet');
  assert.equal(settings.maxPeers, 125);
  assert.deepEqual(settings.connect, []);
  assert.equal(settings.datadir, join(homedir(), '.starling'));
  assert.equal(settings.to, undefined);
});

test('a flag goes before the file, the file before the default', async () => {
  const config = configFile('a.conf', 'max-peers=7\nlog-level=debug\n');
  const settings = await resolveSettings('node', { config, maxPeers: ['9'] });
  assert.equal(settings.maxPeers, 9);
  assert.equal(settings.logLevel, 'debug');
  assert.equal(settings.logFormat, 'human');
});

test('key=value files: comments, lists, sections of the network in use', async () => {
  const text = `# mine
network=regtest
connect=/ip4/10.0.0.1/tcp/1/p2p/${PEER}   # one
connect=/dns4/node.example/tcp/2/p2p/${PEER}
max-peers = 5

[regtest]
max-peers=6
[signet]
max-peers=7
`;
  const config = configFile('b.conf', text);
  const settings = await resolveSettings('node', { config });
  assert.equal(settings.network, 'regtest');
  assert.equal(settings.connect.length, 2);
  assert.equal(settings.maxPeers, 6);
  assert.equal((await resolveSettings('node', { config, network: ['signet'] })).maxPeers, 7);
  assert.equal((await resolveSettings('node', { config, network: ['mainnet'] })).maxPeers, 5);
});

test('JSON files: numbers, lists, and flags of other commands are left alone', async () => {
  const config = configFile('c.json', JSON.stringify({ 'max-peers': 4, listen: ['none'], json: true }));
  const settings = await resolveSettings('node', { config });
  assert.equal(settings.maxPeers, 4);
  assert.deepEqual(settings.listen, ['none']);
  assert.equal(settings.json, false);
  assert.equal((await resolveSettings('info', { config })).json, true);
});

test('bad files are named with what is wrong in them', async () => {
  const cases: [string, RegExp][] = [
    ['max-peer=4', /unknown setting "max-peer" \(did you mean "max-peers"\?\)/],
    ['max-peers=many', /bad\.conf: max-peers: "many" does not fit: a whole number from 1 to 1000/],
    ['just words', /bad\.conf, line 1: key=value/],
    ['{ "max-peers": ', /not valid JSON/],
    ['{ "connect": { "a": 1 } }', /"connect" must be/],
    ['config=other.conf', /unknown setting "config"/],
  ];
  for (const [text, pattern] of cases) {
    await assert.rejects(resolveSettings('node', { config: configFile('bad.conf', text) }), badConfig(pattern));
  }
  await assert.rejects(
    resolveSettings('node', { config: [join(folder, 'none.conf')] }),
    badConfig(/cannot read.*none/),
  );
});

test('bad flag values name the flag and what fits', async () => {
  await assert.rejects(resolveSettings('node', { maxPeers: ['0'] }), badConfig(/^--max-peers: "0" does not fit/));
  await assert.rejects(resolveSettings('node', { logLevel: ['loud'] }), badConfig(/one of debug, info/));
  await assert.rejects(resolveSettings('node', { connect: ['localhost:8333'] }), badConfig(/^--connect: .*\/p2p\//));
  await assert.rejects(resolveSettings('node', { network: ['x'.repeat(5000), ' '] }), badConfig(/^--network: " "/));
});

test('values', () => {
  assert.equal(wholeNumber(1, 10)('10'), 10);
  for (const text of ['', '-1', '1.5', '0x2', '1e3', ' 1', '11', '9'.repeat(400)]) {
    assert.throws(() => wholeNumber(1, 10)(text), text);
  }
  assert.equal(positiveNumber(0, 100)('0.5'), 0.5);
  assert.throws(() => positiveNumber(0, 100)('101'));
  assert.equal(path('~/x'), join(homedir(), 'x'));
  assert.equal(path('/a/../b'), '/b');
});

test('multiaddrs', () => {
  for (const text of ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/8433', 'none']) assert.equal(listenAddress(text), text);
  for (const text of [
    '/ip4/0.0.0.0',
    '/ip4/0.0.0.0/tcp/65536',
    '/ip4/1.2.3.4/udp/1',
    `/ip4/1.2.3.4/tcp/1/p2p/${PEER}`,
  ]) {
    assert.throws(() => listenAddress(text), text);
  }
  for (const host of ['/ip4/1.2.3.4/tcp/5', '/ip6/2001:db8::1/tcp/5', '/dns/a.example/tcp/5', '/dnsaddr/a.example']) {
    assert.equal(peerAddress(`${host}/p2p/${PEER}`), `${host}/p2p/${PEER}`);
  }
  for (const text of [
    '',
    PEER,
    '/ip4/1.2.3.4/tcp/5',
    `/ip4/1.2.3.4/tcp/0/p2p/${PEER}`,
    '/ip4/1.2.3.4/tcp/5/p2p/0OIl',
  ]) {
    assert.throws(() => peerAddress(text), text);
  }
});

test('each row of the table is complete and its default text parses', () => {
  for (const [name, row] of Object.entries<OptionRow<unknown>>(OPTIONS)) {
    assert.equal(
      row.flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()),
      name,
    );
    assert.ok(row.commands.length > 0 && row.help.length > 0);
    if (typeof row.default === 'number') assert.equal(row.parse([String(row.default)]), row.default);
    if (typeof row.default === 'boolean') assert.equal(row.parse(['1']), true);
  }
});

test('a proxy is a socks5 url, and its password is in no message', () => {
  assert.deepEqual(socksProxy('socks5://127.0.0.1:9050'), { host: '127.0.0.1', port: 9050, login: undefined });
  assert.deepEqual(socksProxy('socks5h://a%40b:c%3Ad@[::1]:1080/'), {
    host: '::1',
    port: 1080,
    login: { user: 'a@b', password: 'c:d' },
  });
  const bad = [
    '',
    '127.0.0.1:9050',
    'http://a:secret@h:1',
    'socks5://a:secret@h',
    'socks5://a:secret@h:1/x',
    'socks5://u@h:1',
  ];
  for (const text of bad) {
    assert.throws(
      () => socksProxy(text),
      (error: unknown) => badConfig(/./)(error) && !String(error).includes('secret'),
    );
  }
  assert.throws(() => socksProxy(`socks5://u:${'x'.repeat(256)}@h:1`), badConfig(/255/));
});

test('behind a proxy nobody is let in unless asked for', async () => {
  const anywhere = '/ip4/0.0.0.0/tcp/8433';
  const settings = await resolveSettings('node', {});
  assert.deepEqual(listenAddresses(settings, anywhere), [anywhere]);
  const proxied = await resolveSettings('node', { proxy: ['socks5://127.0.0.1:9050'] });
  assert.deepEqual(listenAddresses(proxied, anywhere), []);
  assert.deepEqual(listenAddresses({ ...proxied, listen: [anywhere] }, '/ip4/1.2.3.4/tcp/1'), [anywhere]);
  assert.deepEqual(listenAddresses({ ...settings, listen: ['none'] }, anywhere), []);
  assert.equal(reachSettings(proxied).proxy?.port, 9050);
});

test('WebSockets and relays have their places in addresses', () => {
  const relayed = `/ip4/1.2.3.4/tcp/1/p2p/${PEER}/p2p-circuit/p2p/${PEER}`;
  for (const text of ['/ip4/0.0.0.0/tcp/0/ws', '/p2p-circuit']) assert.equal(listenAddress(text), text);
  for (const text of ['/ip4/0.0.0.0/tcp/1/tls/ws', `/ip4/0.0.0.0/tcp/1/p2p/${PEER}/p2p-circuit`]) {
    assert.throws(() => listenAddress(text), badConfig(/none/));
  }
  for (const text of [relayed, `/ip4/1.2.3.4/tcp/1/ws/p2p/${PEER}`, `/dns4/a.example/tcp/443/tls/ws/p2p/${PEER}`]) {
    assert.equal(peerAddress(text), text);
  }
  assert.throws(() => peerAddress(`/ip4/1.2.3.4/tcp/1/p2p/${PEER}/p2p-circuit`), badConfig(/peer id/));
  assert.equal(announcedAddress('/dns4/a.example/tcp/443/tls/ws'), '/dns4/a.example/tcp/443/tls/ws');
  for (const text of ['/ip4/1.2.3.4/tcp/0', relayed, 'none'])
    assert.throws(() => announcedAddress(text), badConfig(/./));
});
