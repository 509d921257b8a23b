import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chainSettings } from '../../../src/cli/chain-settings.ts';
import { BUILT_IN_NAMES, PROFILE_NAMES } from '../../../src/cli/config/names.ts';
import { profileFile } from '../../../src/cli/config/profile.ts';
import { mempoolSettings } from '../../../src/cli/mempool-settings.ts';
import type { OptionRow } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';
import { listenAddresses, reachSettings } from '../../../src/cli/reach-settings.ts';
import { checkFile, resolveAll, resolveSettings } from '../../../src/cli/settings.ts';
import {
  activationHeight,
  announcedAddress,
  listenAddress,
  moduleLevel,
  path,
  peerAddress,
  positiveNumber,
  secondsOf,
  socksProxy,
  wholeNumber,
} from '../../../src/cli/values.ts';
import { BUILT_IN_NETWORKS } from '../../../src/consensus/index.ts';
import { badConfig, type ConfigFolder, makeConfigFolder } from './config/config-files.ts';

const PEER = '12D3KooWGRUz1RzyZJzcbsVdVrnBLsSTMF5Wzvz2gFp6xkgbSFQf';
let folder: ConfigFolder;

before(() => {
  folder = makeConfigFolder();
});
after(() => folder.remove());

const configFile = (name: string, text: string): readonly string[] => [folder.write(name, text)];

test('defaults fill what nobody gives', async () => {
  const settings = await resolveSettings('node', {});
  assert.equal(settings.network, 'mainnet');
  assert.equal(settings.maxPeers, 125);
  assert.deepEqual(settings.connect, []);
  assert.equal(settings.datadir, join(homedir(), '.starling'));
  assert.equal(settings.to, undefined);
});

test('a time has a unit', () => {
  for (const [text, seconds] of Object.entries({
    '90s': 90,
    '90min': 5400,
    '24h': 86_400,
    '7 d': 604_800,
    '2w': 1_209_600,
  })) {
    assert.equal(secondsOf(text), seconds);
  }
  for (const text of ['24', '0h', '1.5h', '7days', '101000w', '-1h', ''])
    assert.throws(() => secondsOf(text), badConfig(/7d/));
});

test('a flag goes before a variable, that before the file, the profile and the default', async () => {
  const profile = folder.write('p.toml', 'max-peers = 5\npar = 5\nprune = 5000\ndb-cache = 5\n');
  const config = folder.write('a.toml', `profile = "${profile}"\nmax-peers = 7\npar = 7\nprune = 7000\n`);
  const environment = { STARLING_MAX_PEERS: '8', STARLING_PAR: '8', STARLING_CONFIG: config };
  const { settings, given, notes } = await resolveAll('node', { maxPeers: ['9'] }, environment);
  assert.deepEqual([settings.maxPeers, settings.par, settings.prune, settings.dbCache], [9, 8, 7000, 5]);
  assert.equal(settings.logFormat, 'auto');
  const origins = (['maxPeers', 'par', 'prune', 'dbCache', 'logFormat'] as const).map(
    (name) => given.get(name)?.origin,
  );
  assert.deepEqual(origins, [
    { kind: 'flag', place: '--max-peers' },
    { kind: 'variable', place: 'STARLING_PAR' },
    { kind: 'file', place: `${config}:4` },
    { kind: 'profile', place: `${profile}:4` },
    undefined,
  ]);
  assert.deepEqual(notes, []);
});

test('TOML files: tables of the network in use, lines of keys, lists', async () => {
  const text = `# mine
network = "regtest"
connect = [ # two
  "/ip4/10.0.0.1/tcp/1/p2p/${PEER}",
  "/dns4/node.example/tcp/2/p2p/${PEER}",
]
datadir = """
/max-peers = 3"""
"max-peers" = 5
min-relay-tx-fee = 0.00000123

[regtest]
max-peers = 6
[signet]
max-peers = 7
`;
  const config = [folder.write('b.toml', text)];
  const { settings, given } = await resolveAll('node', { config }, {});
  assert.deepEqual([settings.network, settings.connect.length, settings.maxPeers], ['regtest', 2, 6]);
  assert.equal(settings.minRelayTxFee, 123);
  assert.match(given.get('maxPeers')?.origin.place ?? '', /b\.toml:13$/);
  const onSignet = await resolveAll('node', { config, network: ['signet'] }, {});
  assert.deepEqual([onSignet.settings.maxPeers, onSignet.given.get('maxPeers')?.origin.place.slice(-3)], [7, ':15']);
  const onMain = await resolveAll('node', { config, network: ['mainnet'] }, {});
  assert.deepEqual([onMain.settings.maxPeers, onMain.given.get('maxPeers')?.origin.place.slice(-2)], [5, ':9']);
});

test('a network of one’s own has a section by the name of its file', async () => {
  const config = configFile('own.toml', 'network = "./our.json"\n["./our.json"]\nmax-peers = 6\n');
  assert.equal((await resolveSettings('node', { config })).maxPeers, 6);
});

test('JSON files: numbers, lists, objects of networks, and flags of other commands are left alone', async () => {
  const text = JSON.stringify(
    { listen: ['none'], json: true, 'max-peers': 4, signet: { 'max-peers': 8 } },
    undefined,
    1,
  );
  const config = configFile('c.json', text);
  const { settings, given } = await resolveAll('node', { config }, {});
  assert.equal(settings.maxPeers, 4);
  assert.match(given.get('maxPeers')?.origin.place ?? '', /c\.json:6$/);
  assert.deepEqual(settings.listen, ['none']);
  assert.equal(settings.json, false);
  assert.equal((await resolveSettings('info', { config })).json, true);
  const onSignet = await resolveAll('node', { config, network: ['signet'] }, {});
  assert.deepEqual([onSignet.settings.maxPeers, onSignet.given.get('maxPeers')?.origin.place.slice(-2)], [8, ':8']);
});

test('bad files are named with what is wrong in them', async () => {
  const cases: readonly (readonly [name: string, text: string, problem: RegExp])[] = [
    ['bad.toml', 'max-peer = 4', /bad\.toml:1: unknown setting "max-peer" \(did you mean "max-peers"\?\)/],
    ['bad.toml', '\nmax-peers = "many"', /bad\.toml:2: max-peers: "many" does not fit: a whole number from 1 to 1000/],
    ['bad.toml', 'maxconnections = 4', /unknown setting "maxconnections" \(Bitcoin Core's; here it is "max-peers"\)/],
    ['bad.toml', 'wallet = 4', /unknown setting "wallet", which is Bitcoin Core's: there is no wallet/],
    ['bad.toml', 'max-peers = 1\nmax-peers = 2', /bad\.toml:2: not valid TOML/],
    ['bad.toml', 'mine = 2020-01-01', /bad\.toml:1: "mine" must be a text, a number/],
    ['bad.toml', '[sigent]\nmax-peers = 1', /bad\.toml:2: "sigent" is no network \(did you mean "signet"\?\)/],
    ['bad.toml', '[signet]\nnetwork = "signet"', /bad\.toml:2: network does not belong/],
    [
      'bad.toml',
      'max-peers = 0\npar = 99',
      /:1: max-peers: .* \(and 1 more; "starling config check FILE" lists them\)/,
    ],
    ['bad.conf', 'just words', /bad\.conf:1: key=value/],
    ['bad.conf', 'config=other.conf', /unknown setting "config"/],
    ['bad.conf', '{ "max-peers": ', /not valid JSON/],
    ['bad.conf', ' {\n "connect": [{ "a": 1 }] }', /bad\.conf:2: "connect" must be/],
  ];
  for (const [name, text, problem] of cases) {
    await assert.rejects(resolveSettings('node', { config: configFile(name, text) }), badConfig(problem), text);
  }
  const nowhere = `${configFile('a', '')[0]}-none.conf`;
  await assert.rejects(resolveSettings('node', { config: [nowhere] }), badConfig(/cannot read.*none/));
});

test('variables: lists, switches, nothing, names that are nearly ours, names of others', async () => {
  const environment = {
    STARLING_BOOTSTRAP: '/dnsaddr/a.example  /dnsaddr/b.example ',
    STARLING_UPNP: '1',
    STARLING_PAR: '',
    STARLING_SERVICE_HOST: '10.0.0.1',
    PATH: '/bin',
  };
  const { settings, notes } = await resolveAll('node', {}, environment);
  assert.deepEqual(settings.bootstrap, ['/dnsaddr/a.example', '/dnsaddr/b.example']);
  assert.deepEqual([settings.upnp, settings.par], [true, 0]);
  assert.deepEqual(notes, ['STARLING_SERVICE_HOST is no setting: it is not used']);
  await assert.rejects(
    resolveAll('node', {}, { STARLING_DB_CACH: '5' }),
    badConfig(/^STARLING_DB_CACH is no setting \(did you mean "STARLING_DB_CACHE"\?\)$/),
  );
  await assert.rejects(resolveAll('node', {}, { STARLING_PAR: 'x' }), badConfig(/^STARLING_PAR: "x" does not fit/));
});

test('heights of rules have Core’s names and range', () => {
  for (const [text, rule, height] of [
    ['bip34@2', 'bip34', 2],
    ['dersig@3', 'bip66', 3],
    ['cltv@4', 'bip65', 4],
    ['csv@5', 'csv', 5],
    ['segwit@2147483646', 'segwit', 2147483646],
  ] as const) {
    assert.deepEqual(activationHeight(text), { rule, height });
  }
  for (const text of ['segwit', 'segwit@', 'segwit@-1', 'segwit@2147483647', 'taproot@1', '@1']) {
    assert.throws(() => activationHeight(text), badConfig(/name@height/));
  }
  assert.deepEqual(moduleLevel('mempool-sync=warn'), { module: 'mempool-sync', level: 'warn' });
  for (const text of ['net', 'net=loud', '=debug', 'a b=debug', 'net=debug=info']) {
    assert.throws(() => moduleLevel(text), badConfig(/module=level \(one of chain, /), text);
  }
  assert.throws(() => moduleLevel('mempol=debug'), badConfig(/did you mean "mempool"/));
});

test('a command reads what it takes: no file where it has no --config, nothing where it has no flags', async () => {
  const environment = { STARLING_CONFIG: '/nowhere/a.toml', STARLING_NODES: '3', STARLING_SERVICE_HOST: 'x' };
  const devnet = await resolveAll('devnet', {}, environment);
  assert.deepEqual([devnet.settings.nodes, devnet.settings.config], [3, undefined]);
  assert.deepEqual((await resolveAll('psk', {}, environment)).notes, []);
  await assert.rejects(resolveAll('node', {}, environment), badConfig(/cannot read/));
});

test('profiles have names, and name no other', async () => {
  const { network } = await resolveSettings('node', { profile: ['signet'] });
  assert.equal(network, 'signet');
  await assert.rejects(
    resolveSettings('node', { profile: ['lowmemory'] }),
    badConfig(/no profile "lowmemory" \(did you mean "low-memory"\?\)/),
  );
  const profile = configFile('p2.toml', 'profile = "seed"');
  await assert.rejects(resolveSettings('node', { profile }), badConfig(/:1: a profile names no other/));
});

test('what is built in is in config/, each profile is good', async () => {
  const config = new URL('../../../config/', import.meta.url);
  const files = (folderName: string, ending: string): string[] =>
    readdirSync(new URL(folderName, config)).flatMap((file) =>
      file.endsWith(ending) ? [file.slice(0, -ending.length)] : [],
    );
  assert.deepEqual(files('profiles/', '.toml').sort(), [...PROFILE_NAMES].sort());
  assert.deepEqual([...BUILT_IN_NAMES].sort(), [...BUILT_IN_NETWORKS].sort());
  const readme = readFileSync(new URL('profiles/README.md', config), 'utf8');
  for (const name of PROFILE_NAMES) {
    assert.ok(readme.includes(`| \`${name}\` |`), name);
    assert.deepEqual(await checkFile(profileFile(name)), { problems: [], notes: [] });
    const settings = await resolveSettings('node', { profile: [name] });
    assert.ok(chainSettings(settings) && mempoolSettings(settings));
  }
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
