/** `starling psk`: makes the key of a private network, in the form that every libp2p reads. */
import { open } from 'node:fs/promises';
import process from 'node:process';
import { errorText, NodeError, systemRandom, toHex } from '#util';
import { ExitCode } from '../exit-codes.ts';
import type { Settings } from '../options.ts';
import { path } from '../values.ts';

const KEY_BYTES = 32;

export async function runPsk(_settings: Settings, [given = '']: readonly string[]): Promise<ExitCode> {
  const file = path(given);
  const text = `/key/swarm/psk/1.0.0/\n/base16/\n${toHex(systemRandom.bytes(KEY_BYTES))}\n`;
  try {
    // Never over another key: the network that it opens would be lost.
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    throw new NodeError('IO', `cannot write the key to ${file}: ${errorText(error)}`, { cause: error });
  }
  process.stdout.write(`${file} opens the private network: give it to its nodes, start each with --psk ${file}\n`);
  return ExitCode.ok;
}
