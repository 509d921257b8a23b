/** The operator's calls across the thread border: one message for all of them, since each is one question and one answer. */
import type { OperatorPeers } from '../operator-port.ts';

export type OperatorCallName = keyof OperatorPeers;

export type OperatorCall = {
  [Name in OperatorCallName]: { readonly name: Name; readonly args: Parameters<OperatorPeers[Name]> };
}[OperatorCallName];

/** What `perform` answers on the other side. */
export type AskOperator = (call: OperatorCall) => Promise<unknown>;

/** The network's side. */
export function perform(peers: OperatorPeers, { name, args }: OperatorCall): Promise<unknown> {
  const operation = peers[name] as (...args: OperatorCall['args']) => Promise<unknown>;
  return operation(...args);
}

/** The node's side. */
export function operatorPeersOver(ask: AskOperator): OperatorPeers {
  const call = <Name extends OperatorCallName>(name: Name) =>
    ((...args: Parameters<OperatorPeers[Name]>) => ask({ name, args } as OperatorCall)) as OperatorPeers[Name];
  return {
    list: call('list'),
    added: call('added'),
    add: call('add'),
    remove: call('remove'),
    tryOnce: call('tryOnce'),
    disconnect: call('disconnect'),
    ban: call('ban'),
    unban: call('unban'),
    bans: call('bans'),
    clearBans: call('clearBans'),
    setActive: call('setActive'),
    pingAll: call('pingAll'),
    totals: call('totals'),
    addresses: call('addresses'),
  };
}
