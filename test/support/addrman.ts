/** An address manager over a file in memory, and addresses for it by the number. */
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import type { AddressSource, PeerAddress } from '../../src/net/addrman/entry.ts';
import { AddressManager, type AddressManagerOptions } from '../../src/net/addrman/manager.ts';
import { createNetGroups, type NetGroups } from '../../src/net/addrman/net-groups.ts';
import type { SourceKind } from '../../src/net/port.ts';
import { seededRandom } from '../../src/util/index.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';

export const groups = createNetGroups();

/** A file that holds a value as a real one would: through JSON. */
export type MemoryFile = {
  content: unknown;
  writes: number;
  readonly read: () => Promise<unknown>;
  readonly write: (value: unknown) => Promise<void>;
};

export function memoryFile(content?: unknown): MemoryFile {
  const file: MemoryFile = {
    content,
    writes: 0,
    read: async () => file.content,
    write: async (value) => {
      file.content = JSON.parse(JSON.stringify(value));
      file.writes += 1;
    },
  };
  return file;
}

export type AddressManagerScene = {
  readonly manager: AddressManager;
  readonly file: MemoryFile;
  readonly clock: ManualClock;
};

export type SceneOptions = Partial<AddressManagerOptions> & {
  readonly clock?: ManualClock;
  readonly file?: MemoryFile;
  readonly seed?: number;
  readonly netGroups?: NetGroups;
};

/** 2023, so that the past is long. */
export const START_MS = 1_700_000_000_000;

export async function openAddressManager(options: SceneOptions = {}): Promise<AddressManagerScene> {
  const { clock = createManualClock(START_MS), file = memoryFile(), seed = 1, netGroups = groups } = options;
  const { allowPrivateAddresses = false } = options;
  const deps = { clock, random: seededRandom(seed), file, groups: netGroups };
  return { manager: await AddressManager.open(deps, { allowPrivateAddresses }), file, clock };
}

/** Address `n` of a /16: `20.0` and on. */
export function addressIn(group: number, n: number): Multiaddr {
  return multiaddr(`/ip4/${20 + (group >> 8)}.${group & 0xff}.${(n >> 8) & 0xff}.${n & 0xff}/tcp/${8333 + (n >> 16)}`);
}

export function peerIn(group: number, n: number): PeerAddress {
  return { id: `peer-${group}-${n}`, address: addressIn(group, n).toString() };
}

export function source(group: string, kind: SourceKind = 'dht'): AddressSource {
  return { kind, group };
}

/** Tells the manager of a peer. */
export function tell(manager: AddressManager, { id, address }: PeerAddress, from: AddressSource): number {
  return manager.add(id, [multiaddr(address)], from);
}

/** In which table each address stands, by peer id, as the file says. */
export async function tablesOf({ manager, file }: AddressManagerScene): Promise<Map<string, 'new' | 'tried'>> {
  await manager.save();
  const { entries } = file.content as { readonly entries: readonly [string, string, number][] };
  return new Map(entries.map(([id, , isTried]) => [id, isTried === 1 ? 'tried' : 'new']));
}
