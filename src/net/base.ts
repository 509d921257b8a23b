/** What the parts of the network are made from: settings, files, and what is there before libp2p is. */
import { join } from 'node:path';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import type { Clock, Logger, Random } from '#util';
import { openAsmap } from './addrman/asmap.ts';
import { AddressManager } from './addrman/manager.ts';
import { createNetGroups, type NetGroups } from './addrman/net-groups.ts';
import { areStoredAddresses } from './addrman/stored.ts';
import { areStoredBans } from './bans/stored.ts';
import { loadPeerKey } from './identity.ts';
import { type JsonFile, openJsonFile } from './json-file.ts';
import { groupsByText } from './make-slots.ts';
import { idsOf, ManualPeers } from './manual-peers.ts';
import { LocalPeers } from './mdns.ts';
import type { CompleteNetOptions } from './options.ts';
import type { NetHandlers, PeerIdText } from './port.ts';
import { type ConnectionProtector, loadPsk } from './psk.ts';
import { Reputation } from './reputation.ts';

export type NetDeps = { readonly clock: Clock; readonly random: Random; readonly log: Logger };

export type Base = NetDeps & {
  readonly options: CompleteNetOptions;
  readonly handlers: NetHandlers;
  readonly key: PrivateKey;
  readonly protector: ConnectionProtector | undefined;
  readonly local: LocalPeers;
  readonly relays: Set<PeerIdText>;
  readonly self: PeerIdText;
  readonly reputation: Reputation;
  readonly groups: NetGroups;
  readonly groupOf: (address: string) => string | undefined;
  readonly anchorsFile: JsonFile;
  readonly addresses: AddressManager;
  readonly manual: ManualPeers;
  readonly seeds: ReadonlySet<PeerIdText>;
};

/** Reads the files. Throws NodeError. */
export async function openBase(options: CompleteNetOptions, handlers: NetHandlers, deps: NetDeps): Promise<Base> {
  const { clock, random } = deps;
  const log = deps.log.child('net');
  const { dataDir, reach, tuning } = options;
  const file = (name: string, isWhole: (content: unknown) => boolean): JsonFile =>
    openJsonFile(dataDir === undefined ? undefined : join(dataDir, name), log, isWhole);
  const key = await loadPeerKey(dataDir, log);
  const groups = createNetGroups(options.asmapFile === undefined ? undefined : await openAsmap(options.asmapFile));
  const self = peerIdFromPrivateKey(key).toString();
  return {
    clock,
    random,
    log,
    options,
    handlers,
    key,
    protector: reach.pskFile === undefined ? undefined : await loadPsk(reach.pskFile, log),
    local: new LocalPeers(),
    relays: new Set(),
    self,
    reputation: await Reputation.open(clock, log, file('bans.json', areStoredBans), tuning),
    groups,
    groupOf: groupsByText(groups),
    anchorsFile: file('anchors.json', Array.isArray),
    addresses: await AddressManager.open(
      { clock, random, file: file('peers.json', areStoredAddresses), groups },
      options,
    ),
    manual: new ManualPeers(options.connect, self, tuning.backoffFirstMs),
    seeds: idsOf([...options.bootstrap, ...options.seeds]),
  };
}
