/** Networks over real loopback TCP for the integration tests. */
import { createServer } from 'node:net';
import { createNet, createWorkerNet, type NetHandlers, type NetOptions } from '#net';
import { nullLogger, systemClock, systemRandom } from '#util';
import { type NetHarness, type NetSetup, TestPeer } from '../compliance/net.ts';

/** First bytes of regtest's genesis hash. */
export const NETWORK = '0f9188f1';
/** Nothing here takes that long unless it hangs. */
const PATIENCE_MS = 60_000;

export function netOptions(setup: Partial<NetOptions> = {}): NetOptions {
  return {
    network: NETWORK,
    dataDir: undefined,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    seeds: [],
    connect: [],
    maxPeers: 16,
    targetOutbound: 4,
    userAgent: 'test',
    ...setup,
  };
}

export const deps = { clock: systemClock, random: systemRandom, log: nullLogger };

/** Below what systems hand out by themselves: nobody else takes such a port while a test that listens on it restarts. */
const QUIET_PORTS = { from: 20_000, to: 30_000 };

/** A multiaddr to listen on, now and again after a stop. */
export async function quietAddress(): Promise<string> {
  for (;;) {
    const port = QUIET_PORTS.from + systemRandom.below(QUIET_PORTS.to - QUIET_PORTS.from);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return `/ip4/127.0.0.1/tcp/${port}`;
  }
}

/** Rejects with a readable error when the promise does not settle. */
export async function within<T>(promise: Promise<T>, what = 'the test'): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function harness(create: typeof createNet): NetHarness {
  return {
    create: (setup: NetSetup, handlers: NetHandlers) => {
      const { name, ...options } = setup;
      return create(netOptions({ ...options, userAgent: name }), handlers, deps);
    },
    until: (promise) => within(promise),
  };
}

export const inProcess = harness(createNet);

/** A thread takes a second of CPU to start: the third peer of a test does without, and two tests run at once. */
export const inWorker: NetHarness = {
  ...harness(createWorkerNet),
  create: (setup, handlers) => (setup.name === 'c' ? inProcess : harness(createWorkerNet)).create(setup, handlers),
  concurrency: 2,
};

/** A peer with options that the compliance harness has not. */
export function startPeer(changed: Partial<NetOptions>): Promise<TestPeer> {
  const create = (_setup: unknown, handlers: NetHandlers) => createNet(netOptions(changed), handlers, deps);
  return TestPeer.start({ ...inProcess, create }, 'peer');
}

/** Looks again each few milliseconds: for what gives no event to us. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}
