/**
 * What of a node's life is published, and in which order: Core's CZMQNotificationInterface. Each event is told to the publishers
 * in the order of their topics.
 *
 * Of a reorganisation `D` comes before, and `C` after, what the mempool makes of it. A long one comes in several steps: the blocks
 * that it connects wait until the mempool has followed, MAX_HELD_BLOCKS of them; the oldest go first.
 */
import type { ChainChange, ConnectedBlock } from '#chain';
import type { StarlingNode } from '#node';
import type { Block, Transaction } from '#primitives';
import { fromHex } from '#util';
import type { Publisher, ZmqTopic } from './publisher.ts';
import { TipSteps } from './tip-steps.ts';

export type WatchedNode = Pick<StarlingNode, 'chain' | 'isInitialDownload' | 'onChainChanging' | 'onChainChanged'> & {
  readonly mempool: Pick<StarlingNode['mempool'], 'observe' | 'syncedTip'>;
};

type Label = 'C' | 'D' | 'A' | 'R';

const MAX_HELD_BLOCKS = 16;

export class Notifier implements Disposable {
  readonly #node: WatchedNode;
  readonly #tips: TipSteps;
  readonly #watching = new DisposableStack();
  readonly #ofBlocks: readonly Publisher[];
  readonly #ofTransactions: readonly Publisher[];
  readonly #sequences: readonly Publisher[];
  #held: ConnectedBlock[] = [];
  #hasEnded = false;

  /** `publishers`: in the order of their topics. */
  constructor(node: WatchedNode, publishers: readonly Publisher[]) {
    const of = (...topics: readonly ZmqTopic[]) => publishers.filter(({ topic }) => topics.includes(topic));
    this.#node = node;
    this.#tips = new TipSteps(node.chain.tip());
    this.#ofBlocks = of('hashblock', 'rawblock');
    this.#ofTransactions = of('hashtx', 'rawtx');
    this.#sequences = of('sequence');
    this.#watching.defer(node.onChainChanging((change) => this.#changing(change)));
    this.#watching.defer(node.onChainChanged((change) => this.#changed(change)));
    node.mempool.observe({
      entered: (entry, _how, sequence) => {
        if (this.#hasEnded) return;
        this.#transaction(entry);
        this.#event(entry.txid, 'A', sequence);
      },
      left: ({ txid }, reason, sequence) => {
        if (!this.#hasEnded && reason !== 'block') this.#event(txid, 'R', sequence);
      },
    });
  }

  [Symbol.dispose](): void {
    this.#hasEnded = true;
    this.#watching.dispose();
    this.#held = [];
  }

  /** Before the mempool hears of it. */
  #changing({ disconnected }: ChainChange): void {
    const lowest = disconnected.at(-1);
    if (lowest === undefined) return;
    // The branch failed before it had the work of what was left.
    for (const each of this.#held.splice(0)) this.#connected(each);
    for (const { block, entry } of disconnected) {
      this.#transactions(block);
      this.#event(entry.hash, 'D');
    }
    const { chain } = this.#node;
    const fork = chain.getHeader(lowest.entry.header.prevHash);
    const down = [...disconnected.map(({ entry }) => entry), ...(fork === undefined ? [] : [fork])];
    this.#tips.left(down, ({ hash }) => chain.isInvalid(hash));
  }

  #changed({ connected, isSettled }: ChainChange): void {
    this.#held.push(...connected);
    // Until a reorganisation has the work of what it left, the mempool stands still, and no block is a new tip.
    const isFollowed = this.#node.mempool.syncedTip() !== undefined;
    const ready = this.#held.splice(0, Math.max(0, this.#held.length - (isFollowed ? 0 : MAX_HELD_BLOCKS)));
    const last = ready.at(-1);
    for (const each of ready) {
      this.#connected(each);
      if (isFollowed && this.#tips.reaches(each.entry, isSettled && each === last)) this.#tip(each);
    }
  }

  #connected({ block, entry }: ConnectedBlock): void {
    this.#transactions(block);
    this.#event(entry.hash, 'C');
  }

  #tip({ block, entry }: ConnectedBlock): void {
    if (this.#node.isInitialDownload()) return;
    for (const each of this.#ofBlocks) {
      each.publish(() => (each.topic === 'rawblock' ? block.raw : fromHex(entry.hash)));
    }
  }

  #transactions(block: Block): void {
    if (this.#ofTransactions.length === 0) return;
    for (const tx of block.transactions) this.#transaction(tx);
  }

  /** Its bytes are made when they are asked for, and only then. */
  #transaction(tx: Pick<Transaction, 'raw' | 'txid'>): void {
    for (const each of this.#ofTransactions) {
      each.publish(() => (each.topic === 'rawtx' ? tx.raw : fromHex(tx.txid)));
    }
  }

  /** `sequence`: of the mempool, for what happens in it. */
  #event(hash: string, label: Label, sequence?: number): void {
    for (const each of this.#sequences) each.publish(() => sequenceBody(hash, label, sequence));
  }
}

/** The hash as it is shown, that is in reverse; the label; of mempool events 8 octets, little-endian. */
function sequenceBody(hash: string, label: Label, sequence: number | undefined): Buffer {
  const body = Buffer.alloc(sequence === undefined ? 33 : 41);
  body.write(hash, 'hex');
  body.write(label, 32, 'latin1');
  if (sequence !== undefined) body.writeBigUInt64LE(BigInt(sequence), 33);
  return body;
}
