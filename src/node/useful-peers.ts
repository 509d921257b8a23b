/** Tells the network what peers are good for, of each once a second at most: Core reckons in seconds too. */
import type { Net, PeerIdText, Usefulness } from '#net';
import type { Clock } from '#util';

const INTERVAL_MS = 1_000;
/** Beyond it all are forgotten: some are then told of once more. */
const MAX_NOTED = 1_024;

export type NoteUseful = (peer: PeerIdText, what: Usefulness) => void;

export function createUsefulNotes(net: Pick<Net, 'noteUseful'>, clock: Clock): NoteUseful {
  const notedMs = new Map<string, number>();
  return (peer, what) => {
    const key = `${what} ${peer}`;
    const now = clock.monotonicMs();
    if (now - (notedMs.get(key) ?? Number.NEGATIVE_INFINITY) < INTERVAL_MS) return;
    if (notedMs.size >= MAX_NOTED) notedMs.clear();
    notedMs.set(key, now);
    net.noteUseful(peer, what);
  };
}
