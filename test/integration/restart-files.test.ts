/**
 * What a node remembers of the network over a restart, each in a file of its own: `peer.key`, `peers.json`, `bans.json`,
 * `anchors.json`. Losing, damaging or not being able to write one of them costs what is in that one.
 */
import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createNode, loadNetwork, type StarlingNode } from '#node';
import { type Logger, NodeError, nullLogger, systemClock, systemRandom } from '#util';
import { loadPeerKey } from '../../src/net/identity.ts';
import { openJsonFile } from '../../src/net/json-file.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import { addressesOf, statusWhen } from '../support/test-nodes.ts';
import { quietAddress } from './net-support.ts';

/** In the book, and never to be reached. */
const SILENT = '12D3KooWFtBtEhkaibggyh5A6QZ5SN13ngDQ9A3Qv9SFhVmXFPQE';
/** A seed that never answers: who is told of a local address may call local ones. */
const NOBODY = `/ip4/127.0.0.1/tcp/1/p2p/${SILENT}`;
/** Whom modes keep from writing, when root runs this. */
const UNPRIVILEGED = 65_534;
const BANNED = '10.9.8.0/24';
const JSON_FILES = ['peers.json', 'bans.json', 'anchors.json'] as const;
type JsonFileName = (typeof JSON_FILES)[number];

/** What is in a file, as the node that starts with it shows. */
type Memory = {
  readonly peerId: string;
  readonly hasBook: boolean;
  readonly isBanKept: boolean;
  readonly isAnchored: boolean;
};

const stack = new AsyncDisposableStack();
let home: string;
/** The data directory of a node that has met one peer and was stopped. */
let kept: string;
let keptId: string;
/** Where the one peer listens, each time that it is started. */
let listen: readonly string[];
let copies = 0;

/** Keeps what is warned of. */
function listening(warnings: string[]): Logger {
  const log: Logger = {
    ...nullLogger,
    child: () => log,
    warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.['file'])}`),
  };
  return log;
}

async function startAt(datadir: string, log: Logger, bootstrap: readonly string[]): Promise<StarlingNode> {
  const options = {
    datadir,
    bootstrap,
    listen: [],
    connect: [],
    maxPeers: 20,
    dbCacheBytes: 1 << 20,
    scriptThreads: 1,
  };
  // Eight outbound peers: with fewer there are no block-only ones, and so no anchors.
  const all = { params: await loadNetwork('regtest'), targetOutbound: 8, netThread: 'main' as const, ...options };
  return createNode(all, { clock: systemClock, random: systemRandom, log });
}

function filesOf(datadir: string): string {
  return join(datadir, 'regtest', 'libp2p');
}

async function memoryOf(node: StarlingNode): Promise<Memory> {
  // Whoever is an anchor is called first, for blocks alone; whom the book alone knows becomes a full-relay peer.
  const { net } = await statusWhen(node, (status) => status.net.peers.length > 0);
  const bans = await node.peers.bans();
  return {
    peerId: net.peerId,
    hasBook: (await node.peers.addresses(0)).some(({ id }) => id === SILENT),
    isBanKept: bans.some(({ address, reason }) => address === BANNED && reason === 'kept'),
    isAnchored: net.peers[0]?.kind === 'block-only',
  };
}

/** Starts a node with a copy of what was kept, changed by `damage`. Gives what it knows, what it warned of, and where it is. */
async function restartAfter(
  damage: (files: string) => Promise<unknown>,
): Promise<Memory & { readonly warnings: readonly string[]; readonly files: string }> {
  copies += 1;
  const datadir = join(home, `copy-${copies}`);
  const files = filesOf(datadir);
  await cp(filesOf(kept), files, { recursive: true });
  await damage(files);
  const warnings: string[] = [];
  // A new one for each, since who says hello too often is told to wait.
  await using _peer = await startPeer();
  const node = await startAt(datadir, listening(warnings), [NOBODY]);
  try {
    return { ...(await memoryOf(node)), warnings, files };
  } finally {
    await node[Symbol.asyncDispose]();
  }
}

function all(): Memory {
  return { peerId: keptId, hasBook: true, isBanKept: true, isAnchored: true };
}

const LOST: Readonly<Record<JsonFileName, Partial<Memory>>> = {
  'peers.json': { hasBook: false },
  'bans.json': { isBanKept: false },
  'anchors.json': { isAnchored: false },
};

function remembered({ peerId, hasBook, isBanKept, isAnchored }: Memory): Memory {
  return { peerId, hasBook, isBanKept, isAnchored };
}

suite('restart', { timeout: 240_000 }, () => {
  before(async () => {
    const directory = stack.use(await makeTempDir());
    home = directory.path;
    kept = join(home, 'kept');
    listen = [await quietAddress()];
    await using peer = await startPeer();
    const bootstrap = await addressesOf(peer);
    const node = await startAt(kept, nullLogger, bootstrap);
    await statusWhen(node, ({ net }) => net.peers.length > 0);
    assert.equal(await node.peers.ban(BANNED, { reason: 'kept' }), 'banned');
    keptId = (await node.status()).net.peerId;
    await node[Symbol.asyncDispose]();
    await remember(join(filesOf(kept), 'peers.json'), SILENT);
    const [address = ''] = bootstrap;
    const [text, id] = address.split('/p2p/');
    await writeFile(join(filesOf(kept), 'anchors.json'), JSON.stringify([{ id, address: text }]));
  });
  after(() => stack.disposeAsync());

  test('keeps identity, book, bans and anchors, again and again, and nobody else may read them', async () => {
    const { warnings, files, ...memory } = await restartAfter(async () => {});
    assert.deepEqual(memory, all());
    assert.deepEqual(warnings, []);
    assert.deepEqual((await readdir(files)).sort(), ['anchors.json', 'bans.json', 'peer.key', 'peers.json']);
    for (const name of await readdir(files)) assert.equal((await stat(join(files, name))).mode & 0o777, 0o600, name);
    await using _peer = await startPeer();
    const again = await startAt(join(files, '..', '..'), nullLogger, [NOBODY]);
    try {
      assert.deepEqual(await memoryOf(again), all());
    } finally {
      await again[Symbol.asyncDispose]();
    }
  });

  for (const name of JSON_FILES) {
    test(`without ${name} nothing else is lost`, async () => {
      const { warnings, ...memory } = await restartAfter((files) => rm(join(files, name)));
      assert.deepEqual(remembered(memory), { ...all(), ...LOST[name] });
      assert.deepEqual(warnings, []);
    });

    const damages: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
      cut: async (path) => truncate(path, (await stat(path)).size / 2),
      empty: (path) => truncate(path, 0),
      'of another form': (path) => writeFile(path, '{"version":0}'),
      'full of zero bytes': async (path) => writeFile(path, Buffer.alloc((await stat(path)).size)),
    };
    for (const [what, damage] of Object.entries(damages)) {
      test(`${name}, ${what}, is set aside, told of, and costs nothing else`, async () => {
        const { warnings, files, ...memory } = await restartAfter((folder) => damage(join(folder, name)));
        assert.deepEqual(memory, { ...all(), ...LOST[name] });
        assert.deepEqual(warnings, [`a damaged file was set aside: ${join(files, name)}`]);
        assert.ok((await readdir(files)).includes(`${name}.damaged`));
        JSON.parse(await readFile(join(files, name), 'utf8'));
      });
    }

    test(`${name} that cannot be written is told of, and is read all the same`, async () => {
      // Whoever runs this may be root, whom no mode keeps from writing; a folder in the way does.
      const { warnings, files, ...memory } = await restartAfter((folder) => mkdir(join(folder, `${name}.new`)));
      assert.deepEqual(memory, all());
      const expected = `cannot write; the next start will not know what is new: ${join(files, name)}`;
      assert.ok(warnings.length > 0 && warnings.every((warning) => warning === expected), warnings.join('\n'));
    });
  }

  test('without its key a node is another one that knows what it knew', async () => {
    const { warnings, files, ...memory } = await restartAfter((folder) => rm(join(folder, 'peer.key')));
    assert.notEqual(memory.peerId, keptId);
    assert.deepEqual({ ...memory, peerId: keptId }, all());
    assert.deepEqual(warnings, []);
    assert.equal((await stat(join(files, 'peer.key'))).mode & 0o777, 0o600);
  });

  test('a damaged key is refused, and no file is touched', async () => {
    const damages: readonly ((path: string) => Promise<unknown>)[] = [
      (path) => truncate(path, 0),
      (path) => truncate(path, 40),
      async (path) => writeFile(path, Buffer.alloc((await stat(path)).size)),
    ];
    for (const damage of damages) {
      const untouched = new Map<string, Buffer>();
      const start = restartAfter(async (files) => {
        await damage(join(files, 'peer.key'));
        for (const name of await readdir(files)) untouched.set(join(files, name), await readFile(join(files, name)));
      });
      await assert.rejects(start, (error) => {
        assert.ok(error instanceof NodeError && error.code === 'CORRUPT_DATA');
        assert.match(error.message, /peer\.key is damaged; restore it, or delete it/);
        return true;
      });
      assert.equal(untouched.size, 4);
      for (const [path, bytes] of untouched) assert.ok((await readFile(path)).equals(bytes), path);
    }
  });

  test('in a folder where nobody may write, files are read, and what cannot be kept is told of', async () => {
    const files = join(home, 'sealed');
    await cp(filesOf(kept), files, { recursive: true });
    await rm(join(files, 'peer.key'));
    await writeFile(join(files, 'anchors.json'), 'damaged');
    await chmod(home, 0o711);
    for (const name of await readdir(files)) await chmod(join(files, name), 0o444);
    await chmod(files, 0o555);
    const warnings: string[] = [];
    const log = listening(warnings);
    const become = process.geteuid?.() === 0 ? process.seteuid : undefined;
    become?.(UNPRIVILEGED);
    try {
      await assert.rejects(loadPeerKey(files, log), { code: 'IO', message: /cannot write the peer key .*EACCES/ });
      const bans = openJsonFile(join(files, 'bans.json'), log);
      assert.ok(await bans.read());
      await bans.write([]);
      assert.equal(await openJsonFile(join(files, 'anchors.json'), log).read(), undefined);
    } finally {
      become?.(0);
      await chmod(files, 0o755);
    }
    assert.deepEqual(warnings, [
      `cannot write; the next start will not know what is new: ${join(files, 'bans.json')}`,
      `a damaged file cannot be set aside: ${join(files, 'anchors.json')}`,
    ]);
  });

  test('a key that cannot be written stops the start, with its path', async () => {
    const start = restartAfter(async (files) => {
      await rm(join(files, 'peer.key'));
      await mkdir(join(files, 'peer.key.new'));
    });
    await assert.rejects(start, (error) => {
      assert.ok(error instanceof NodeError && error.code === 'IO');
      assert.match(error.message, /cannot write the peer key .*peer\.key: /);
      return true;
    });
  });
});

/** Adds one to those that were heard of. */
async function remember(path: string, id: string): Promise<void> {
  const book = JSON.parse(await readFile(path, 'utf8')) as { readonly entries: unknown[][] };
  const [[, , , sources, ...times] = []] = book.entries;
  book.entries.push([id, '/ip4/127.0.0.1/tcp/2', 0, sources, ...times]);
  await writeFile(path, JSON.stringify(book));
}

/** The one that is met: a node that others can call. */
async function startPeer(): Promise<StarlingNode> {
  const options = { datadir: join(home, 'peer'), bootstrap: [], listen, connect: [], maxPeers: 20 };
  const rest = { targetOutbound: 0, dbCacheBytes: 1 << 20, scriptThreads: 1, netThread: 'main' as const };
  const deps = { clock: systemClock, random: systemRandom, log: nullLogger };
  return createNode({ params: await loadNetwork('regtest'), ...options, ...rest }, deps);
}
