/**
 * The newest signed record of peers, to be handed on. Those of peers that we met stand apart from those that others
 * told us of: no flood of made-up peers takes the place of the real. Full: the record longest untouched goes.
 */
import { BoundedMap } from '../bounded-map.ts';
import type { PeerIdText } from '../port.ts';
import { MAX_RECORD_BYTES } from './signed-record.ts';

const MAX_MET = 2048;
const MAX_HEARD = 4096;

type Held = { readonly seq: bigint; readonly bytes: Uint8Array };

export class RecordStore {
  readonly #met = new BoundedMap<PeerIdText, Held>(MAX_MET);
  readonly #heard = new BoundedMap<PeerIdText, Held>(MAX_HEARD);

  /** Keeps a copy. */
  put(id: PeerIdText, seq: bigint, bytes: Uint8Array, from: 'met' | 'heard'): void {
    if (bytes.length > MAX_RECORD_BYTES) return;
    const held = this.#held(id);
    if (held !== undefined && held.seq > seq) return;
    const isMet = from === 'met' || this.#met.get(id) !== undefined;
    this.delete(id);
    (isMet ? this.#met : this.#heard).set(id, { seq, bytes: bytes.slice() });
  }

  get(id: PeerIdText): Uint8Array | undefined {
    return this.#held(id)?.bytes;
  }

  delete(id: PeerIdText): void {
    this.#met.delete(id);
    this.#heard.delete(id);
  }

  #held(id: PeerIdText): Held | undefined {
    return this.#met.get(id) ?? this.#heard.get(id);
  }
}
