/**
 * The network for those who must exist before it: the network calls its handlers from the moment it starts, and the
 * handlers call the network. Calls before the start are bugs and throw.
 */
import type { Net } from '#net';
import { assert } from '#util';

export type NetCalls = Pick<
  Net,
  'charge' | 'confirmPeer' | 'disconnect' | 'noteChain' | 'noteUseful' | 'publish' | 'request'
>;

export type LateNet = {
  readonly calls: NetCalls;
  /** Runs `then` once the network has started; in the order of the calls. */
  readonly whenStarted: (then: () => void) => void;
  readonly start: (net: NetCalls) => void;
};

export function createLateNet(): LateNet {
  const started = Promise.withResolvers<void>();
  const box: { net?: NetCalls } = {};
  const net = (): NetCalls => {
    assert(box.net !== undefined, 'the network has started');
    return box.net;
  };
  return {
    calls: {
      charge: (...args) => net().charge(...args),
      confirmPeer: (...args) => net().confirmPeer(...args),
      disconnect: (...args) => net().disconnect(...args),
      noteChain: (...args) => net().noteChain(...args),
      noteUseful: (...args) => net().noteUseful(...args),
      publish: (...args) => net().publish(...args),
      request: (...args) => net().request(...args),
    },
    whenStarted: (then) => void started.promise.then(then),
    start: (real) => {
      box.net = real;
      started.resolve();
    },
  };
}
