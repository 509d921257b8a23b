/** A network under attack whose log tells what it charges for. */
import { createNet, type NetDeps, type NetHandlers, type NetOptions } from '#net';
import type { Clock } from '#util';
import { TestPeer } from '../compliance/net.ts';
import { deps, inProcess, netOptions } from './net-support.ts';

export type Victim = { readonly victim: TestPeer; readonly offences: string[] };

export async function startVictim(changed: Partial<NetOptions> = {}, clock: Clock = deps.clock): Promise<Victim> {
  const offences: string[] = [];
  const log: NetDeps['log'] = {
    ...deps.log,
    debug: (message, fields) => {
      if (message === 'offence') offences.push(String(fields?.['offence']));
    },
    child: () => log,
  };
  const harness = {
    ...inProcess,
    create: (_setup: unknown, handlers: NetHandlers) =>
      createNet(netOptions(changed), handlers, { ...deps, clock, log }),
  };
  return { victim: await TestPeer.start(harness, 'victim'), offences };
}
