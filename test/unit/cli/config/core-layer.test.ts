/** A bitcoin.conf is read as Bitcoin Core reads it; the cases follow its util_ReadConfigStream and its docs. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { after, before, test } from 'node:test';
import { CORE_KEYS, meaningOf } from '../../../../src/cli/config/core-options.ts';
import type { OptionName } from '../../../../src/cli/options.ts';
import { checkFile, type FlagTexts, type Resolved, resolveAll } from '../../../../src/cli/settings.ts';
import { badConfig, type ConfigFolder, makeConfigFolder } from './config-files.ts';

const PEER = '/ip4/10.0.0.1/tcp/1/p2p/12D3KooWGRUz1RzyZJzcbsVdVrnBLsSTMF5Wzvz2gFp6xkgbSFQf';
let folder: ConfigFolder;

before(() => {
  folder = makeConfigFolder();
});
after(() => folder.remove());

function read(text: string, flags: FlagTexts = {}): Promise<Resolved> {
  return resolveAll('node', { config: [folder.write('bitcoin.conf', text)], ...flags }, {});
}

async function settingOf(name: OptionName, text: string, flags: FlagTexts = {}): Promise<unknown> {
  return (await read(text, flags)).settings[name];
}

test('options with a counterpart are honoured under Core’s names', async () => {
  const cases: readonly (readonly [line: string, name: OptionName, value: unknown])[] = [
    ['datadir=/data/core', 'datadir', '/data/core'],
    ['prune=600', 'prune', 600],
    ['dbcache=450', 'dbCache', 450],
    ['par=3', 'par', 3],
    ['par=99', 'par', 16],
    ['par=-1', 'par', Math.max(1, Math.min(16, availableParallelism() - 1))],
    ['par=-1000', 'par', 1],
    ['assumevalid=0', 'assumeValid', 'none'],
    ['minimumchainwork=0x10', 'minimumChainWork', 16n],
    ['reindex=1', 'reindex', true],
    ['rest=1', 'rest', true],
    ['reindex-chainstate=1', 'reindexChainstate', true],
    ['zmqpubrawtx=tcp://127.0.0.1:1\nzmqpubrawtx=ipc:///a', 'zmqpubrawtx', ['tcp://127.0.0.1:1', 'ipc:///a']],
    ['zmqpubsequencehwm=0', 'zmqpubsequencehwm', 0],
    ['fastprune=1', 'fastPrune', true],
    ['checkpoints=0', 'checkpoints', false],
    ['maxmempool=50', 'maxMempool', 50],
    ['mempoolexpiry=24', 'mempoolExpiry', 24],
    ['minrelaytxfee=0.00002', 'minRelayTxFee', 2000],
    ['incrementalrelayfee=0.00003', 'incrementalRelayFee', 3000],
    ['dustrelayfee=0.00001', 'dustRelayFee', 1000],
    ['datacarrier=0', 'dataCarrier', false],
    ['datacarriersize=42', 'dataCarrierSize', 42],
    ['permitbaremultisig=0', 'permitBareMultisig', false],
    ['bytespersigop=10', 'bytesPerSigop', 10],
    ['mempoolfullrbf=0', 'mempoolFullRbf', false],
    ['acceptnonstdtxn=1', 'acceptNonstdTxn', true],
    ['persistmempool=0', 'persistMempool', false],
    ['limitancestorcount=5', 'limitAncestorCount', 5],
    ['limitancestorsize=50', 'limitAncestorSize', 50],
    ['limitdescendantcount=6', 'limitDescendantCount', 6],
    ['limitdescendantsize=60', 'limitDescendantSize', 60],
    ['maxconnections=40', 'maxPeers', 40],
    ['maxuploadtarget=500', 'maxUpload', 500],
    ['maxuploadtarget=5G', 'maxUpload', 5120],
    ['maxuploadtarget=1500k', 'maxUpload', 1],
    ['maxuploadtarget=0', 'maxUpload', 0],
    ['listen=0', 'listen', ['none']],
    ['nolisten=1', 'listen', ['none']],
    ['listen=1', 'listen', []],
    ['listen=/ip4/0.0.0.0/tcp/9000', 'listen', ['/ip4/0.0.0.0/tcp/9000']],
    ['proxy=127.0.0.1:9150', 'proxy', { host: '127.0.0.1', port: 9150, login: undefined }],
    ['proxy=[::1]', 'proxy', { host: '::1', port: 9050, login: undefined }],
    ['noproxy=1', 'proxy', undefined],
    ['upnp=1', 'upnp', true],
    ['asmap=/maps/asn', 'asmap', '/maps/asn'],
    [`addnode=${PEER}`, 'connect', [PEER]],
    [`connect=${PEER}`, 'connect', [PEER]],
    [`seednode=${PEER}`, 'bootstrap', [PEER]],
    ['debug=1', 'logLevel', 'debug'],
    ['loglevel=trace', 'logLevel', 'debug'],
    ['loglevel=validation:debug', 'logModule', [{ module: 'chain', level: 'debug' }]],
    [
      'debug=net\ndebug=mempool',
      'logModule',
      ['net', 'peers', 'mempool'].map((module) => ({ module, level: 'debug' })),
    ],
    ['testactivationheight=segwit@432', 'testActivationHeight', [{ rule: 'segwit', height: 432 }]],
    ['bootstrap=/dnsaddr/seed.example', 'bootstrap', ['/dnsaddr/seed.example']],
    ['relay=1', 'relay', true],
  ];
  for (const [line, name, value] of cases) {
    const { settings, notes } = await read(line);
    assert.deepEqual(settings[name], value, line);
    assert.deepEqual(notes, [], line);
  }
});

test('the chain is chosen above the sections, once', async () => {
  for (const [text, network] of [
    ['', 'mainnet'],
    ['chain=main', 'mainnet'],
    ['chain=test', 'testnet3'],
    ['testnet=1', 'testnet3'],
    ['testnet4=1', 'testnet4'],
    ['signet=1', 'signet'],
    ['regtest=1', 'regtest'],
    ['regtest=0', 'mainnet'],
    ['signet=0\nregtest=1\nchain=regtest', 'regtest'],
    ['network=regtest', 'regtest'],
  ] as const) {
    assert.equal(await settingOf('network', text), network, text);
  }
  assert.equal(await settingOf('network', 'regtest=1', { network: ['signet'] }), 'signet');
  await assert.rejects(read('regtest=1\nsignet=1'), badConfig(/:2: signet says another chain beside regtest of .*:1;/));
  await assert.rejects(
    read('[regtest]\nchain=regtest'),
    badConfig(/:2: chain does not belong into a network's section/),
  );
});

test('comments, spaces, sections and dots are Core’s', async () => {
  const text =
    ' # comment\n\tdbcache = 100 # of coins\r\nregtest=1\n\n[regtest]\nmaxmempool=50\n[test]\nmaxmempool=60\n';
  const { settings } = await read(text);
  assert.deepEqual([settings.dbCache, settings.maxMempool, settings.network], [100, 50, 'regtest']);
  assert.equal(await settingOf('maxMempool', text, { network: ['testnet3'] }), 60);
  assert.equal(await settingOf('maxMempool', text, { network: ['mainnet'] }), 300);
  assert.equal(await settingOf('maxMempool', 'regtest=1\nmaxmempool=9\nregtest.maxmempool=7'), 7);
  assert.equal(await settingOf('maxMempool', 'main.maxmempool=7'), 7);
});

test('of values given twice the first counts, a section before all, lists together', async () => {
  assert.equal(await settingOf('dbCache', 'dbcache=5\ndbcache=6'), 5);
  assert.equal(await settingOf('dbCache', 'regtest=1\ndbcache=5\n[regtest]\ndbcache=6\ndbcache=7'), 6);
  assert.equal(await settingOf('dbCache', 'dbcache=5', { dbCache: ['9'] }), 9);
  const [a, b] = [PEER, PEER.replace('10.0.0.1', '10.0.0.2')];
  assert.deepEqual(await settingOf('bootstrap', `regtest=1\nseednode=${a}\n[regtest]\nseednode=${b}`), [b, a]);
});

test('no before a name takes back', async () => {
  assert.equal(await settingOf('dataCarrier', 'nodatacarrier=1'), false);
  assert.equal(await settingOf('dataCarrier', 'nodatacarrier=0'), true);
  assert.equal(await settingOf('dataCarrier', 'nodatacarrier='), false);
  assert.equal(await settingOf('dbCache', 'dbcache=5\nnodbcache=1\ndbcache=6'), 6);
  assert.deepEqual(await settingOf('bootstrap', `seednode=${PEER}\nnoseednode=1`), []);
  assert.equal(await settingOf('upnp', 'regtest=1\nupnp=1\n[regtest]\nnoupnp=1'), false);
  assert.equal(await settingOf('upnp', 'upnp=1\nnoupnp=1'), false);
  assert.deepEqual(await settingOf('announce', 'announce=/ip4/1.2.3.4/tcp/1\nnoannounce=1'), []);
  assert.equal(await settingOf('assumeValid', 'noassumevalid=1'), 'none');
  await assert.rejects(read('nodatadir=1'), badConfig(/:1: datadir: it cannot be negated; leave it out/));
});

test('some options count outside of mainnet in their section alone', async () => {
  const top = `regtest=1\naddnode=${PEER}\n`;
  const { settings, notes } = await read(top);
  assert.deepEqual(settings.connect, []);
  assert.match(notes.join(), /^\S+:2: addnode counts for mainnet alone here; for regtest it stands in its section$/);
  assert.deepEqual(await settingOf('connect', `${top}[regtest]\naddnode=${PEER}`), [PEER]);
  assert.deepEqual(await settingOf('connect', `addnode=${PEER}`), [PEER]);
});

test('includeconf reads on, relative to the file, and behind it', async () => {
  folder.write('more/a.conf', 'dbcache=7\nmaxmempool=11\nincludeconf=b.conf\n[regtest]\nmempoolexpiry=9\n');
  const text = 'includeconf=more/a.conf\ndbcache=6\nregtest=1\n';
  const { settings, given, notes } = await read(text);
  assert.deepEqual([settings.dbCache, settings.maxMempool, settings.mempoolExpiry], [6, 11, 9]);
  assert.match(given.get('maxMempool')?.origin.place ?? '', /more\/a\.conf:2$/);
  assert.match(notes.join(), /a\.conf:3: includeconf is not followed from an included file/);
  const ofRegtest = 'dbcache=6\n[regtest]\nincludeconf=more/a.conf\n';
  assert.equal(await settingOf('maxMempool', ofRegtest), 300);
  assert.equal(await settingOf('maxMempool', ofRegtest, { network: ['regtest'] }), 11);
  await assert.rejects(read('includeconf=none.conf'), badConfig(/cannot read .*none\.conf/));
  await assert.rejects(read('includeconf='), badConfig(/:1: includeconf names no file/));
});

test('what has no counterpart is told once, by name, with what serves instead, and never its value', async () => {
  const text = 'walletdir=/hunter2\nwalletdir=/x\nport=1\nblocknotify=hunter2\ndebug=rand\nprune=1\nconnect=10.0.0.1\n';
  assert.match((await read('noconnect=1')).notes.join(), /connect is not used: other peers are looked for/);
  const { notes, settings } = await read(text);
  assert.deepEqual(
    notes.map((note) => note.replace(/^\S+:(\d+): /, '$1 ')),
    [
      '1 walletdir is not used: there is no wallet in the node',
      '3 port is not used: use --listen /ip4/ADDRESS/tcp/PORT',
      '4 blocknotify is not used: no commands are run; programs listen to --zmqpub…, or to the RPC server’s /events',
      '5 debug is not used: no lines are of that category; --log-module names a module',
      '6 prune is not used: there is no pruning by hand; give the size to stay below, in MiB',
      '7 connect is not used: peers are multiaddrs: use --connect',
    ],
  );
  assert.equal(settings.prune, 0);
  assert.doesNotMatch(notes.join(), /hunter2/);
});

test('what must not be passed over is refused', async () => {
  for (const [text, pattern] of [
    ['onlynet=onion', /:1: onlynet: only IP addresses are dialled here; .* proxy=/],
    ['signetchallenge=51', /:1: signetchallenge: a network file holds it/],
    ['conf=x', /:1: conf: a configuration file is named on the command line/],
    ['proxy=unix:/run/tor', /:1: proxy: the address and port of a SOCKS5 server/],
    ['upnp=true', /:1: upnp: 0 or 1 \(Bitcoin Core takes words as 0\) is expected/],
    ['dbcache=lots', /:1: dbcache: "lots" does not fit/],
    ['maxuploadtarget=5X', /:1: maxuploadtarget: a number of MiB/],
    ['dbcache=1\ndb-cache=5', /:1: dbcache: "1" does not fit/],
    ['dbcache=4\ndb-cache=5', /:2: db-cache says anew what .*:1 says; keep one of them/],
    ['dbcach=4', /:1: unknown setting "dbcach" \(did you mean "dbcache"\?\)/],
    ['nodbcach=4', /:1: unknown setting "nodbcach"/],
    ['[regtest]\ndbcach=4', /:2: unknown setting "dbcach"/],
    ['-dbcache=4', /:1: options in a configuration file are written without a leading -/],
    ['upnp', /:1: key=value is expected/],
    ['noupnp', /:1: key=value is expected; to negate the option, write noupnp=1/],
    ['rpcpassword=a#b', /:1: a # in the line of rpcpassword could be part of it/],
  ] as const) {
    await assert.rejects(read(text), badConfig(pattern), text);
  }
});

test('a name in brackets that is no network is told', async () => {
  const { notes } = await read('[sigent]\ndbcache=5\ndbcache=6');
  assert.match(notes.join('|'), /^\S+:2: "sigent" is no network \(did you mean "signet"\?\)$/);
});

test('a check lists everything, of every section', async () => {
  const file = folder.write(
    'bad.conf',
    'dbcach=1\nregtest=1\nwallet=w\n[signet]\ndbcache=x\n[regtest]\npar=x\nport=1\n',
  );
  const { problems, notes } = await checkFile(file);
  assert.deepEqual(
    problems.map((line) => line.replace(`${file}:`, '')),
    [
      '1: unknown setting "dbcach" (did you mean "dbcache"?)',
      '7: par: a whole number is expected',
      '5: dbcache: "x" does not fit: a whole number from 4 to 65536 is expected',
    ],
  );
  assert.deepEqual(notes.length, 2);
});

test('every name of Core has a meaning', () => {
  for (const key of CORE_KEYS) {
    if (['chain', 'includeconf', 'testnet', 'testnet4', 'signet', 'regtest', 'network'].includes(key)) continue;
    assert.ok(meaningOf(key), key);
  }
  assert.equal(meaningOf('toString'), undefined);
});
