/** What is built in, by name; tests hold it against the folders below `config/`. */

/** Core's names of chains and ours. */
const NETWORK_OF_CHAIN: Readonly<Record<string, string>> = {
  main: 'mainnet',
  test: 'testnet3',
  testnet4: 'testnet4',
  signet: 'signet',
  regtest: 'regtest',
};

export const BUILT_IN_NAMES: readonly string[] = Object.values(NETWORK_OF_CHAIN);

export const PROFILE_NAMES: readonly string[] = ['mainnet', 'signet', 'regtest', 'low-memory', 'archive', 'seed'];

/** The network of a chain's name in Core; any other name is taken to be ours. */
export function networkOfChain(name: string): string {
  return Object.hasOwn(NETWORK_OF_CHAIN, name) ? (NETWORK_OF_CHAIN[name] ?? name) : name;
}
