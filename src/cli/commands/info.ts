/** `starling info`: the tip and the coins, with the names and formats of Bitcoin Core's gettxoutsetinfo. */
import process from 'node:process';
import { type ChainReader, MANUAL_PRUNE_BYTES } from '#chain';
import { formatCoins } from '#primitives';
import { systemClock } from '#util';
import { ExitCode } from '../exit-codes.ts';
import { bytes, grouped, table } from '../format.ts';
import { loggingOf } from '../logging.ts';
import { openExistingChain } from '../open-existing.ts';
import type { Settings } from '../options.ts';
import { listenForStop } from '../stop.ts';
import { createTerminal } from '../terminal.ts';

/** Name to value as JSON text: numbers stay exact (amounts have eight decimals, as Core prints them). */
type Info = Readonly<Record<string, string>>;

export async function runInfo(settings: Settings): Promise<ExitCode> {
  using stop = listenForStop();
  const terminal = createTerminal(process.stderr, systemClock, { plainIntervalMs: 0 });
  const level = settings.logLevel === 'info' ? 'warn' : settings.logLevel;
  const logging = loggingOf(settings, terminal, level);
  await using chain = await openExistingChain(settings, { log: logging.log, terminal, signal: stop.signal });
  const stats = await chain.utxoStats({ signal: stop.signal });
  const sizeOnDisk = await chain.sizeOnDisk();
  const { chainWork } = chain.tip();
  const info: Info = {
    network: JSON.stringify(chain.params.name),
    height: String(stats.height),
    bestblock: JSON.stringify(stats.bestBlock),
    chainwork: JSON.stringify(chainWork.toString(16).padStart(64, '0')),
    txouts: String(stats.txouts),
    total_amount: formatCoins(stats.totalAmount),
    hash_serialized_3: JSON.stringify(stats.hashSerialized3),
    muhash: JSON.stringify(stats.muhash),
    size_on_disk: String(sizeOnDisk),
    ...pruneInfo(chain),
  };
  process.stdout.write(settings.json ? jsonText(info) : humanText(info, { ...stats, sizeOnDisk }));
  return ExitCode.ok;
}

/** With the names of Core's getblockchaininfo. */
function pruneInfo(chain: ChainReader): Info {
  const target = chain.pruneTargetBytes();
  if (target === undefined) return { pruned: 'false' };
  const isAutomatic = target !== MANUAL_PRUNE_BYTES;
  return {
    pruned: 'true',
    pruneheight: String(chain.lowestStoredHeight()),
    ...(isAutomatic && { prune_target_size: String(target) }),
  };
}

function jsonText(info: Info): string {
  return `{\n${Object.entries(info)
    .map(([name, value]) => `  ${JSON.stringify(name)}: ${value}`)
    .join(',\n')}\n}\n`;
}

function humanText(info: Info, stats: { height: number; txouts: number; sizeOnDisk: number }): string {
  const shown: Readonly<Record<string, string>> = {
    height: grouped(stats.height),
    txouts: grouped(stats.txouts),
    size_on_disk: bytes(stats.sizeOnDisk),
  };
  const rows = Object.entries(info).map(([name, value]) => [name, shown[name] ?? value.replaceAll('"', '')]);
  return `${table(['left', 'left'], rows).join('\n')}\n`;
}
