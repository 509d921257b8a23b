/**
 * What happens in a node, as a stream of server-sent events: `state` once, when a reader comes; then `blocks`,
 * `transactions`, `peers` and `sync`, gathered for a tenth of a second each. Nothing is kept for who is not there.
 *
 * Bounds: readers; what is gathered of a kind (beyond it the newest are only counted, of blocks the oldest); what waits
 * for one reader: beyond that it is dropped, and learns what it missed from the `state` of its next connection.
 */
import type { HeaderEntry } from '#chain';
import type { PeerEvent, StarlingNode } from '#node';
import type { BlockHash, Transaction } from '#primitives';
import type { Clock, TimerHandle } from '#util';
import { workHex } from '../core-io/block-json.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import { writeJson } from '../json/write.ts';

export type EventReader = {
  readonly write: (text: string) => void;
  /** Written and not sent yet. */
  readonly waitingBytes: () => number;
  /** Ends its connection. */
  readonly drop: () => void;
};

type WatchedNode = Pick<
  StarlingNode,
  'chain' | 'mempool' | 'status' | 'onTip' | 'onTransaction' | 'onPeer' | 'onSync'
> &
  Pick<StarlingNode, 'onBlockNews'> & { readonly peers: Pick<StarlingNode['peers'], 'list'> };

type Peer = Extract<PeerEvent, { readonly kind: 'joined' }>['peer'];
type SyncStatus = Parameters<Parameters<StarlingNode['onSync']>[0]>[0];

const MAX_READERS = 32;
const MAX_WAITING_BYTES = 262_144;
const GATHER_MS = 100;
const MAX_BLOCKS = 100;
const MAX_TRANSACTIONS = 1_000;
const MAX_PEER_EVENTS = 1_000;
/** Blocks of which is known who told of them first. */
const MAX_NEWS = 100;
/** A comment that shows that the connection stands. */
const KEEP_ALIVE_MS = 15_000;

type Gathered = {
  readonly blocks: JsonObject[];
  readonly transactions: JsonObject[];
  readonly peers: JsonObject[];
  blocksLeftOut: number;
  transactionsLeftOut: number;
  peersLeftOut: number;
  sync: SyncStatus | undefined;
};

const nothing = (): Gathered => ({
  blocks: [],
  transactions: [],
  peers: [],
  blocksLeftOut: 0,
  transactionsLeftOut: 0,
  peersLeftOut: 0,
  sync: undefined,
});

export class EventFeed implements Disposable {
  readonly #node: WatchedNode;
  readonly #clock: Clock;
  readonly #readers = new Set<EventReader>();
  /** Who told of a block first, and when, Unix milliseconds. */
  readonly #news = new Map<BlockHash, { readonly peer: string; readonly atMs: number }>();
  readonly #watching = new DisposableStack();
  #gathered = nothing();
  #flushTimer: TimerHandle | undefined;
  #keepAliveTimer: TimerHandle | undefined;
  /** Set while somebody reads: transactions are decoded for who listens to them. */
  #forgetTransactions: (() => void) | undefined;
  /** Readers that are there or about to be. */
  #places = 0;

  constructor(node: WatchedNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
    this.#watching.defer(node.onTip((tip) => this.#tip(tip)));
    this.#watching.defer(node.onPeer((event) => this.#peer(event)));
    this.#watching.defer(node.onBlockNews((hash, peer) => this.#told(hash, peer)));
    this.#watching.defer(node.onSync((status) => this.#sync(status)));
  }

  [Symbol.dispose](): void {
    this.#watching.dispose();
    this.#flushTimer?.cancel();
    this.#keepAliveTimer?.cancel();
    for (const reader of this.#readers) this.#drop(reader);
  }

  get isFull(): boolean {
    return this.#places >= MAX_READERS;
  }

  /** Until the signal aborts, or the reader is dropped. Not to be called when full. */
  async add(reader: EventReader, gone: AbortSignal): Promise<void> {
    this.#places++;
    gone.addEventListener(
      'abort',
      () => {
        this.#places--;
        this.#leave(reader);
      },
      { once: true },
    );
    const state = await this.#state();
    if (gone.aborted) return;
    // What was gathered before is in the state.
    this.#flush();
    this.#readers.add(reader);
    this.#forgetTransactions ??= this.#node.onTransaction((tx) => this.#transaction(tx));
    this.#send([reader], eventText('state', state));
    this.#keepAliveTimer ??= this.#clock.after(KEEP_ALIVE_MS, () => this.#keepAlive());
  }

  #leave(reader: EventReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#forgetTransactions?.();
    this.#forgetTransactions = undefined;
  }

  #drop(reader: EventReader): void {
    this.#leave(reader);
    reader.drop();
  }

  async #state(): Promise<JsonObject> {
    const { chain, mempool, peers } = this.#node;
    const [list, { sync }] = [await peers.list(), await this.#node.status()];
    const { count, vsize } = mempool.stats();
    return {
      chain: chain.params.chainName,
      tip: this.#blockJson(chain.tip()),
      sync: syncJson(sync),
      mempool: { transactions: count, vsize },
      peers: list.map(peerJson),
    };
  }

  #told(hash: BlockHash, peer: string): void {
    const [oldest] = this.#news.keys();
    if (this.#news.size >= MAX_NEWS && oldest !== undefined) this.#news.delete(oldest);
    this.#news.set(hash, { peer, atMs: this.#clock.now() });
  }

  #tip(tip: HeaderEntry): void {
    if (this.#readers.size === 0) return;
    const { blocks } = this.#gathered;
    if (blocks.length >= MAX_BLOCKS) {
      blocks.shift();
      this.#gathered.blocksLeftOut++;
    }
    blocks.push(this.#blockJson(tip));
    this.#flushSoon();
  }

  #transaction(tx: Transaction): void {
    const { transactions } = this.#gathered;
    if (transactions.length >= MAX_TRANSACTIONS) this.#gathered.transactionsLeftOut++;
    else {
      const entry = this.#node.mempool.get(tx.txid);
      transactions.push({ txid: tx.txid, vsize: entry?.vsize, fee: entry && amount(entry.fee) });
    }
    this.#flushSoon();
  }

  #peer(event: PeerEvent): void {
    if (this.#readers.size === 0) return;
    const { peers } = this.#gathered;
    if (peers.length >= MAX_PEER_EVENTS) this.#gathered.peersLeftOut++;
    else if (event.kind === 'joined') peers.push({ event: 'joined', ...peerJson(event.peer) });
    else peers.push({ event: 'left', id: event.id });
    this.#flushSoon();
  }

  #sync(status: SyncStatus): void {
    if (this.#readers.size === 0) return;
    this.#gathered.sync = status;
    this.#flushSoon();
  }

  #blockJson({ chainWork, hash, header, height }: HeaderEntry): JsonObject {
    const news = this.#news.get(hash);
    return {
      hash,
      height,
      time: header.time,
      nTx: this.#node.chain.txCount(hash),
      chainwork: workHex(chainWork),
      firstPeer: news?.peer,
      delayMs: news && Math.max(0, this.#clock.now() - news.atMs),
    };
  }

  #flushSoon(): void {
    this.#flushTimer ??= this.#clock.after(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    const { blocks, blocksLeftOut, peers, peersLeftOut, sync, transactions, transactionsLeftOut } = this.#gathered;
    this.#gathered = nothing();
    const texts = [
      blocks.length > 0 ? eventText('blocks', { blocks, leftOut: blocksLeftOut }) : '',
      transactions.length > 0 ? eventText('transactions', { transactions, leftOut: transactionsLeftOut }) : '',
      peers.length > 0 ? eventText('peers', { peers, leftOut: peersLeftOut }) : '',
      sync === undefined ? '' : eventText('sync', syncJson(sync)),
    ];
    this.#send(this.#readers, texts.join(''));
  }

  #send(readers: Iterable<EventReader>, text: string): void {
    if (text === '') return;
    for (const reader of readers) {
      if (reader.waitingBytes() <= MAX_WAITING_BYTES) reader.write(text);
      else this.#drop(reader);
    }
  }

  #keepAlive(): void {
    this.#keepAliveTimer = undefined;
    if (this.#readers.size === 0) return;
    this.#send(this.#readers, ':\n\n');
    this.#keepAliveTimer = this.#clock.after(KEEP_ALIVE_MS, () => this.#keepAlive());
  }
}

/** JSON has no line breaks here, so one `data` line holds it. */
function eventText(name: string, data: JsonValue): string {
  return `event: ${name}\ndata: ${writeJson(data)}\n\n`;
}

function peerJson({ address, agent, connectedAt, direction, id, kind, latencyMs }: Peer): JsonObject {
  return { id, address, direction, kind, agent, connectedAt, latencyMs };
}

function syncJson(status: SyncStatus): JsonObject {
  return { ...status };
}
