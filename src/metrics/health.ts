/** Whether a node is of use to who asks it, and if not, why. */
import type { NodeStatus } from '#node';

/** Undefined when the node is at the tip of its chain and has peers. */
export function whyNotReady({ net, sync }: Pick<NodeStatus, 'net' | 'sync'>): string | undefined {
  if (!net.isActive) return 'the network is switched off';
  if (net.peers.length === 0) return 'no peer is connected';
  if (sync.phase === 'at-tip') return undefined;
  const what = `${sync.phase}: block ${sync.height} of ${sync.headerHeight}`;
  return sync.reason === '' ? what : `${what}, ${sync.reason}`;
}
