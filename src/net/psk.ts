/**
 * The key of a private network: a swarm key file as go-ipfs made them (libp2p specs, pnet/Private-Networks-PSK-V1).
 * Whoever lacks it gets no further than 24 random bytes. The key is a secret: it is never logged, and no message shows it.
 */
import { open } from 'node:fs/promises';
import { preSharedKey } from '@libp2p/pnet';
import { errorText, type Logger, NodeError } from '#util';

/** Two lines of head, 64 digits, line ends. */
const MAX_FILE_BYTES = 256;
const HEAD = '/key/swarm/psk/1.0.0/';
const EXAMPLE = `${HEAD}, then /base16/, then 64 hex digits, a line each; "starling psk FILE" makes one`;

export type ConnectionProtector = ReturnType<typeof preSharedKey>;

/** Throws NodeError: `IO` if the file cannot be read, `BAD_CONFIG` if it holds no key. */
export async function loadPsk(path: string, log: Logger): Promise<ConnectionProtector> {
  const { text, mode } = await readHead(path);
  if ((mode & 0o077) !== 0) {
    log.warn('others can read the key of the private network; chmod 600 keeps it secret', { file: path });
  }
  const lines = text.trimEnd().split(/\r?\n/);
  const [head, encoding, digits = ''] = lines;
  if (head !== HEAD) throw unfit(path, `its first line is not ${HEAD}`);
  if (encoding !== '/base16/') throw unfit(path, 'its second line is not /base16/');
  if (lines.length !== 3 || !/^[0-9a-fA-F]{64}$/.test(digits)) throw unfit(path, 'its third line is not 64 hex digits');
  return preSharedKey({ psk: Buffer.from([HEAD, '/base16/', digits.toLowerCase()].join('\n')) });
}

async function readHead(path: string): Promise<{ readonly text: string; readonly mode: number }> {
  try {
    await using file = await open(path, 'r');
    const { mode } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FILE_BYTES), 0, MAX_FILE_BYTES, 0);
    return { text: buffer.toString('latin1', 0, bytesRead), mode };
  } catch (error) {
    throw new NodeError('IO', `cannot read the key of the private network: ${errorText(error)}`, { cause: error });
  }
}

function unfit(path: string, why: string): NodeError {
  return new NodeError('BAD_CONFIG', `${path} is no key of a private network: ${why}. Expected: ${EXAMPLE}`);
}
