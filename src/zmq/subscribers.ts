/** All subscribers of a node, at whatever socket: how many there may be, and how much may wait for them. */
import type { Subscriber } from './subscriber.ts';

const MAX_SUBSCRIBERS = 32;
/** For one of them. Some ten full blocks. */
const MAX_WAITING_BYTES = 32 << 20;
/** For all together; beyond it each may have one message. */
const MAX_WAITING_BYTES_OF_ALL = 128 << 20;

export class Subscribers {
  readonly #all = new Set<Subscriber>();

  get hasRoom(): boolean {
    return this.#all.size < MAX_SUBSCRIBERS;
  }

  /** Of all of them. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const each of this.#all) bytes += each.waitingBytes;
    return bytes;
  }

  add(subscriber: Subscriber): void {
    this.#all.add(subscriber);
  }

  remove(subscriber: Subscriber): void {
    this.#all.delete(subscriber);
  }

  /** Who keeps up is not held back by those who do not. */
  mayWait({ waitingBytes }: Subscriber, bytes: number): boolean {
    if (waitingBytes === 0) return true;
    if (waitingBytes + bytes > MAX_WAITING_BYTES) return false;
    return this.waitingBytes + bytes <= MAX_WAITING_BYTES_OF_ALL;
  }
}
