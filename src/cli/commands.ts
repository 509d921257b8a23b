/** Every command: what it takes, what help teaches about it, and where it is implemented (loaded when it runs). */
import type { Commands } from './command-row.ts';

export const COMMANDS: Commands = {
  node: {
    summary: 'run a node: find peers, sync, follow the chain',
    args: {},
    details:
      'Connects to peers, checks every block and keeps up with new ones until Ctrl-C stops it (within two seconds; ' +
      'a second Ctrl-C does not wait). It continues where it stopped. It prints the address that others can give ' +
      'to --bootstrap or --connect.',
    examples: [
      ['starling node', 'mainnet, data in ~/.starling'],
      ['starling node --network regtest --bootstrap /ip4/127.0.0.1/tcp/18544/p2p/12D3Koo…', 'join by one known node'],
      ['starling node --network ./our-chain.json --listen none', 'a private chain, no incoming connections'],
      ['starling node --config ./starling.conf --log-format json', 'settings from a file, logs for a machine'],
    ],
    load: async () => (await import('./commands/node.ts')).runNode,
  },
  rpc: {
    summary: 'call a method of a running node',
    args: { '[method]': 'its name; "help" lists all', '[arg...]': 'texts as they are, everything else as JSON' },
    details:
      'Works as bitcoin-cli: texts are printed as they are, everything else as indented JSON; the exit code is that of ' +
      'the error without its sign. It finds the node by its data directory. Flags go before the method.',
    passesOn: true,
    examples: [
      ['starling rpc help', 'all methods'],
      ['starling rpc --network regtest getblockhash 0', 'one call'],
      ['starling rpc --named getblockhash height=0', 'by name'],
      ['starling rpc --rpc-connect 192.0.2.1 --rpc-user me --rpc-password secret uptime', 'a node elsewhere'],
    ],
    load: async () => (await import('./commands/rpc.ts')).runRpc,
  },
  status: {
    summary: 'show what a running node is doing',
    args: {},
    details: 'Asks the node that uses the data directory for its chain, its peers and its mempool.',
    examples: [
      ['starling status', 'a table'],
      ['starling status --network regtest --json', 'what the node answered'],
    ],
    load: async () => (await import('./commands/status.ts')).runStatus,
  },
  peers: {
    summary: 'show the peers of a running node',
    args: {},
    details: 'Asks the node that uses the data directory whom it is connected to.',
    examples: [
      ['starling peers', 'a table'],
      ['starling peers --json', 'what the node answered'],
    ],
    load: async () => (await import('./commands/peers.ts')).runPeers,
  },
  top: {
    summary: 'watch a running node on the whole terminal',
    args: {},
    details:
      'Shows sync, mempool by fee rate, recent blocks, bytes by protocol and peers of the node that uses the data directory, ' +
      'as they change. Keys: q quits, s sorts the peers by another column, r reverses, arrows scroll, ? explains. Without ' +
      'a terminal it prints one frame. Colours are left out where NO_COLOR is set.',
    examples: [
      ['starling top', 'until q'],
      ['starling top --network regtest --once', 'one frame, for scripts'],
    ],
    load: async () => (await import('./commands/top.ts')).runTop,
  },
  ban: {
    summary: 'keep peers out of a running node',
    args: {
      '[action]': 'list (if left out), add, lift or clear',
      '[target]': 'whom: a peer id, an IP address, or a subnet',
    },
    words: ['list', 'add', 'lift', 'clear'],
    details:
      'Asks the node that uses the data directory. Whoever is banned is disconnected, and neither called nor let in until ' +
      'the time is over, also after a restart; "lift" ends one ban, "clear" all. "starling peers --json" shows ids and addresses.',
    examples: [
      ['starling ban', 'who is banned, until when and why'],
      ['starling ban add 192.0.2.0/24 --for 7d --reason "floods us"', 'a subnet, for a week'],
      ['starling ban add 12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf', 'a peer, for a day'],
      ['starling ban lift 192.0.2.0/24', 'before its time'],
    ],
    load: async () => (await import('./commands/ban.ts')).runBan,
  },
  stop: {
    summary: 'stop a running node',
    args: {},
    details: 'Asks the node that uses the data directory to stop in order.',
    examples: [['starling stop --network regtest', 'as Ctrl-C does']],
    load: async () => (await import('./commands/stop.ts')).runStop,
  },
  import: {
    summary: 'check and add blocks from files',
    args: { '<file...>': "Bitcoin Core's blk*.dat files, or raw blocks, in any order" },
    details:
      'Blocks are checked like those of peers. A block whose parent comes later, also in another file, waits for it. ' +
      'At damage it says the offset and the reason; everything before it is kept, and the exit code is 6.',
    examples: [
      ['starling import ~/.bitcoin/blocks/blk*.dat', 'start from what Bitcoin Core has downloaded'],
      ['starling import --network signet --db-cache 2000 blk00000.dat', 'another network, more memory'],
    ],
    load: async () => (await import('./commands/import.ts')).runImport,
  },
  export: {
    summary: 'write blocks to a file that Bitcoin Core can import',
    args: { '<file>': 'the file to write; it must not exist yet' },
    details: 'Writes the blocks of the active chain in height order, framed as in blk*.dat (bitcoind -loadblock=FILE).',
    examples: [
      ['starling export all.dat', 'the whole chain'],
      ['starling export --from 800000 --to 800999 part.dat', 'a thousand blocks'],
    ],
    load: async () => (await import('./commands/export.ts')).runExport,
  },
  info: {
    summary: 'show the tip and the hashes of the coins',
    args: {},
    details:
      "Reads a data directory that no node is using. The hashes are those of Bitcoin Core's gettxoutsetinfo, so " +
      'that the result can be compared figure by figure; computing them reads every coin.',
    examples: [
      ['starling info', 'a table'],
      ['starling info --network testnet4 --json', 'one JSON object'],
    ],
    load: async () => (await import('./commands/info.ts')).runInfo,
  },
  psk: {
    summary: 'make the key of a private network',
    args: { '<file>': 'the file to write; it must not exist yet' },
    details:
      'Nodes that are started with --psk and this file connect to each other and to nobody else. Whoever has the ' +
      'file can join: carry it to the other machines by a way that you trust.',
    examples: [
      ['starling psk swarm.key', 'once'],
      ['starling node --psk swarm.key', 'on each machine'],
    ],
    load: async () => (await import('./commands/psk.ts')).runPsk,
  },
  config: {
    summary: 'show the settings and where each comes from, or check a file of settings',
    args: { '<action>': 'show, or check', '[file]': 'the file to check' },
    words: ['show', 'check'],
    details:
      'Takes the flags of "starling node", and shows what it would run with: flags go before STARLING_… variables, ' +
      'these before the file of --config, that before the profile, that before the defaults. Passwords are not shown. ' +
      '"check" lists everything that is wrong in a file, with its line.',
    examples: [
      ['starling config show --config ./bitcoin.conf', 'what a node takes from a file of Bitcoin Core'],
      ['starling config show --profile low-memory --json', 'one JSON object'],
      ['starling config check ./starling.toml', 'exit code 2 when something is wrong'],
    ],
    load: async () => (await import('./commands/config.ts')).runConfig,
  },
  completions: {
    summary: 'print the completions of a shell',
    args: { '<shell>': 'bash, zsh or fish' },
    words: ['bash', 'zsh', 'fish'],
    details: 'Commands, flags, and the values of flags that take one of a few.',
    examples: [
      ['source <(starling completions bash)', 'in ~/.bashrc'],
      ['source <(starling completions zsh)', 'in ~/.zshrc, below compinit'],
      ['starling completions fish | source', 'in ~/.config/fish/config.fish'],
    ],
    load: async () => (await import('./commands/completions.ts')).completionsRun(COMMANDS),
  },
  manual: {
    summary: 'print the manual: every command, flag and variable',
    args: { '[form]': 'man (a manual page), markdown, or rpc (the JSON-RPC methods); markdown if left out' },
    words: ['man', 'markdown', 'rpc'],
    details: 'The published package has the manual page too: man starling.',
    examples: [
      ['starling manual man > starling.1', 'then: man ./starling.1'],
      ['starling manual', 'Markdown'],
      ['starling manual rpc > rpc.md', 'every JSON-RPC method'],
    ],
    load: async () => (await import('./commands/manual.ts')).manualRun(COMMANDS),
  },
  devnet: {
    summary: 'run a small network of its own on this machine',
    args: {},
    details:
      'Starts a seed, a miner and more nodes as separate processes on loopback, with regtest rules. They are told ' +
      "only the seed's address and find each other by the DHT; then they sync the miner's history and relay its " +
      'blocks and a stream of signed transactions. The table shows each; Ctrl-C stops all.',
    examples: [
      ['starling devnet', 'a seed and five nodes, a block every five seconds'],
      ['starling devnet --nodes 8 --block-interval 2 --tx-rate 10', 'more of everything'],
      ['starling devnet --keep', 'leave the data directories to look at'],
    ],
    load: async () => (await import('./commands/devnet.ts')).runDevnet,
  },
};
