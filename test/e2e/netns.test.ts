/**
 * Whole nodes on an internet of network namespaces: routers that masquerade, a partition, loss and delay, IPv6.
 * STARLING_LONG=1 makes the partition one of ten minutes.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Host, NetworkLab, whyNot } from '../support/netns.ts';
import { makeTempDir } from '../support/temp-dir.ts';
import type { NetnsOptions, NetnsState } from './netns-node.ts';

const NODE = fileURLToPath(new URL('./netns-node.ts', import.meta.url));
const DELAY_LINE = fileURLToPath(new URL('../support/delay-line.ts', import.meta.url));
const PORT = 8433;
const LIMIT_MS = 180_000;
/** How long it lasts beyond the time after which the peers are found dead. */
const PARTITION_MS = process.env['STARLING_LONG'] === '1' ? 600_000 : 0;
const skip = whyNot() ?? false;

/** A node in a namespace. */
class LabNode implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly history: NetnsState[] = [];
  #ending: string | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    assert.ok(child.stdout);
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.history.push(JSON.parse(line));
      for (const look of this.#waiting) look();
    });
    child.on('exit', (code) => {
      this.#ending = `ended with ${code}`;
      for (const look of this.#waiting) look();
    });
  }

  get state(): NetnsState | undefined {
    return this.history.at(-1);
  }

  when(what: string, isTrue: (state: NetnsState) => boolean, signal: AbortSignal): Promise<NetnsState> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${what}: ${why}; last ${JSON.stringify(this.state)}`));
      const look = (): void => {
        if (this.state !== undefined && isTrue(this.state)) resolve(this.state);
        else if (this.#ending !== undefined) fail(this.#ending);
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      signal.addEventListener('abort', () => fail('the test ran out of time'), { once: true });
      look();
    });
  }

  mine(count: number): void {
    this.#child.stdin?.write(`${count}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ending !== undefined) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await gone;
  }
}

type Scene = AsyncDisposable & {
  readonly lab: NetworkLab;
  readonly start: (host: Host, options?: Partial<NetnsOptions>) => LabNode;
};

async function openScene(): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const dir = stack.use(await makeTempDir());
  const lab = stack.use(new NetworkLab());
  const start: Scene['start'] = (host, changed = {}) => {
    const options: NetnsOptions = {
      datadir: join(dir.path, host.name),
      listen: [`/ip4/0.0.0.0/tcp/${PORT}`],
      bootstrap: [],
      connect: [],
      targetOutbound: 4,
      isRelay: false,
      ...changed,
    };
    return stack.use(new LabNode(lab.start(host, process.execPath, [NODE, JSON.stringify(options)])));
  };
  return { lab, start, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function idOf(node: LabNode, { signal }: TestContext): Promise<string> {
  const { addresses } = await node.when('start', ({ addresses }) => addresses.length > 0, signal);
  return addresses[0]?.split('/').at(-1) ?? '';
}

async function addressOf(node: LabNode, host: Host, t: TestContext): Promise<string> {
  return `/ip4/${host.ip4}/tcp/${PORT}/p2p/${await idOf(node, t)}`;
}

suite('network namespaces', { skip }, () => {
  test('behind routers: a relay brings nodes together, DCUtR makes it direct', { timeout: LIMIT_MS }, async (t) => {
    await using scene = await openScene();
    const { lab, start } = scene;
    const [relayHost, publicHost] = [lab.host('relay'), lab.host('pub')];
    const relay = start(relayHost, { isRelay: true, targetOutbound: 0 });
    const atRelay = await addressOf(relay, relayHost, t);
    const open = start(publicHost, { bootstrap: [atRelay] });
    // Each dials the other back, over a second connection, and neither loses the first by it.
    await Promise.all([relay, open].map((node) => node.when('verified', (s) => s.reachability === 'direct', t.signal)));
    const hidden = start(lab.hostBehindNat('b'), {
      listen: [`/ip4/0.0.0.0/tcp/${PORT}`, '/p2p-circuit'],
      connect: [atRelay],
      targetOutbound: 0,
    });
    const { addresses } = await hidden.when('reservation', (s) => s.reachability === 'relayed', t.signal);
    const relayed = addresses[0] ?? '';
    assert.match(relayed, /^\/ip4\/11\.1\.0\.2\/tcp\/8433\/p2p\/\w+\/p2p-circuit\/p2p\/\w+$/);
    const hiddenId = relayed.split('/').at(-1) ?? '';

    const caller = start(lab.host('caller'), { bootstrap: [atRelay], connect: [relayed], targetOutbound: 1 });
    // Nobody can call the hidden one: either DCUtR made it direct, or the DHT told it of the caller first.
    const { upgraded } = await caller.when('direct', ({ peers }) => peers[hiddenId] === 'direct', t.signal);
    t.diagnostic(`direct ${upgraded > 0 ? 'after the relay, by DCUtR' : 'at once'}`);

    // Neither can be called: both call at one moment, from the ports that they listen on.
    const other = start(lab.hostBehindNat('c'), { connect: [relayed], targetOutbound: 0 });
    const punched = await other.when('hole punched', ({ peers }) => peers[hiddenId] === 'direct', t.signal);
    assert.ok(punched.upgraded > 0 && punched.reachability !== 'direct');
    open.mine(5);
    const at5 = ({ height }: NetnsState): boolean => height === 5;
    await Promise.all([relay, open, hidden, caller, other].map((node) => node.when('sync', at5, t.signal)));
  });

  test('a partition heals within a minute', { timeout: LIMIT_MS + PARTITION_MS }, async (t) => {
    await using scene = await openScene();
    const { lab, start } = scene;
    const hosts = [lab.host('a'), lab.host('b'), lab.host('c')] as const;
    const a = start(hosts[0]);
    const bootstrap = [await addressOf(a, hosts[0], t)];
    const [b, c] = [start(hosts[1], { bootstrap }), start(hosts[2], { bootstrap })];
    a.mine(3);
    await Promise.all([a, b, c].map((node) => node.when('sync', ({ height }) => height === 3, t.signal)));
    lab.cutOff(hosts[2]);
    a.mine(4);
    c.mine(2);
    await Promise.all([
      b.when('the larger part goes on', ({ height }) => height === 7, t.signal),
      c.when('the smaller part too', ({ height }) => height === 5, t.signal),
      // Nothing tells it: the peers are found dead.
      c.when('alone', ({ peers }) => Object.keys(peers).length === 0, t.signal),
    ]);
    await rest(PARTITION_MS, undefined, { signal: t.signal });
    lab.heal();
    const healedMs = performance.now();
    const tip = a.state?.tip;
    await c.when('one chain', (state) => state.tip === tip, t.signal);
    const tookMs = Math.round(performance.now() - healedMs);
    t.diagnostic(`one chain again after ${tookMs} ms`);
    assert.ok(tookMs < 60_000);
  });

  test('a way of 300 ms on which 2 of 100 packets are lost', { timeout: LIMIT_MS }, async (t) => {
    await using scene = await openScene();
    const { lab, start } = scene;
    const hosts = [lab.host('a'), lab.host('b')] as const;
    const a = start(hosts[0]);
    const id = await idOf(a, t);
    // A program in the middle is late; there is no other way around it. Not every kernel has netem.
    const line = lab.start(lab.router, process.execPath, [DELAY_LINE, '9000', hosts[0].ip4, String(PORT), '150']);
    const gone = once(line, 'exit');
    assert.ok(line.stdout && line.stdin);
    await once(line.stdout, 'data');
    lab.cutOff(hosts[0]);
    lab.lose(2);
    a.mine(300);
    await a.when('mined', ({ height }) => height === 300, t.signal);
    const b = start(hosts[1], { connect: [`/ip4/${lab.router.ip4}/tcp/9000/p2p/${id}`] });
    await b.when('sync', ({ height }) => height === 300, t.signal);
    a.mine(2);
    await b.when('relay', ({ height }) => height === 302, t.signal);
    b.mine(2);
    await a.when('relay back', ({ height }) => height === 304, t.signal);
    assert.ok(
      b.history.slice(b.history.findIndex(({ height }) => height === 300)).every(({ peers }) => peers[id] === 'direct'),
      'the connection stays',
    );
    line.stdin.end();
    await gone;
  });

  test('IPv6 alone', { timeout: LIMIT_MS }, async (t) => {
    await using scene = await openScene();
    const { lab, start } = scene;
    const hosts = [lab.host('a'), lab.host('b')] as const;
    const listen = [`/ip6/::/tcp/${PORT}`];
    const a = start(hosts[0], { listen });
    const bootstrap = [`/ip6/${hosts[0].ip6}/tcp/${PORT}/p2p/${await idOf(a, t)}`];
    const b = start(hosts[1], { listen, bootstrap });
    b.mine(3);
    await a.when('sync', ({ height }) => height === 3, t.signal);
    await a.when('verified', ({ reachability }) => reachability === 'direct', t.signal);
    assert.match(a.state?.addresses[0] ?? '', /^\/ip6\/2a11::2\/tcp\/8433/);
  });
});
