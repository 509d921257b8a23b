/** The in-process network, loaded when somebody wants it: libp2p takes half a second, and mostly runs in the worker. */
import type { NetDeps } from './base.ts';
import type { MeteredNet } from './figures.ts';
import type { NetOptions } from './options.ts';
import type { NetHandlers } from './port.ts';

/** Starts the network in this thread. It listens and dials when the promise resolves. Throws NodeError. */
export async function createNet(options: NetOptions, handlers: NetHandlers, deps: NetDeps): Promise<MeteredNet> {
  const inProcess = await import('./net.ts');
  return inProcess.createNet(options, handlers, deps);
}
