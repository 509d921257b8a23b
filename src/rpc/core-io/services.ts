/** Service bits as Core shows them: hex digits and names (serviceFlagToStr). */

const NAMES: readonly (readonly [bit: number, name: string])[] = [
  [0, 'NETWORK'],
  [2, 'BLOOM'],
  [3, 'WITNESS'],
  [6, 'COMPACT_FILTERS'],
  [10, 'NETWORK_LIMITED'],
  [11, 'P2P_V2'],
];

const NETWORK = 1n;
const WITNESS = 8n;
const NETWORK_LIMITED = 1024n;
const BITS = 64;

/** What this node offers: all blocks, unless old ones are pruned. */
export function localServices(isPruned: boolean): bigint {
  return WITNESS | NETWORK_LIMITED | (isPruned ? 0n : NETWORK);
}

export function servicesHex(services: bigint): string {
  return services.toString(16).padStart(BITS / 4, '0');
}

export function servicesNames(services: bigint): readonly string[] {
  const names = new Map(NAMES);
  const set = Array.from({ length: BITS }, (_, bit) => bit).filter((bit) => (services & (1n << BigInt(bit))) !== 0n);
  return set.map((bit) => names.get(bit) ?? `UNKNOWN[2^${bit}]`);
}
