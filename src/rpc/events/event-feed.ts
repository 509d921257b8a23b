/**
 * What happens in a node, as a stream of server-sent events: `state` once, when a reader comes; then `blocks`,
 * `transactions`, `peers` and `sync`, gathered for a tenth of a second each. Nothing is kept for who is not there.
 *
 * Bounds: those of `event-readers.ts`; what is gathered of a kind (beyond it the newest are only counted, of blocks the oldest).
 */
import type { HeaderEntry } from '#chain';
import type { PeerEvent, StarlingNode } from '#node';
import type { Transaction } from '#primitives';
import type { Clock, TimerHandle } from '#util';
import { workHex } from '../core-io/block-json.ts';
import { amount, type JsonObject, type JsonValue } from '../json/value.ts';
import { writeJson } from '../json/write.ts';
import { BlockNews } from './block-news.ts';
import { type EventReader, EventReaders, eventText } from './event-readers.ts';

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
  readonly #readers: EventReaders;
  readonly #news: BlockNews;
  readonly #watching = new DisposableStack();
  #gathered = nothing();
  #flushTimer: TimerHandle | undefined;
  /** Set while somebody reads: transactions are decoded for who listens to them. */
  #forgetTransactions: (() => void) | undefined;

  constructor(node: WatchedNode, clock: Clock) {
    this.#node = node;
    this.#clock = clock;
    this.#news = new BlockNews(clock);
    this.#readers = new EventReaders(clock, {
      maxReaders: MAX_READERS,
      maxWaitingBytes: MAX_WAITING_BYTES,
      onFirst: () => {
        this.#forgetTransactions = node.onTransaction((tx) => this.#transaction(tx));
      },
      onEmpty: () => this.#forgetTransactions?.(),
    });
    this.#watching.defer(node.onTip((tip) => this.#tip(tip)));
    this.#watching.defer(node.onPeer((event) => this.#peer(event)));
    this.#watching.defer(node.onBlockNews((hash, peer) => this.#news.told(hash, peer)));
    this.#watching.defer(node.onSync((status) => this.#sync(status)));
  }

  [Symbol.dispose](): void {
    this.#watching.dispose();
    this.#flushTimer?.cancel();
    this.#readers[Symbol.dispose]();
  }

  get isFull(): boolean {
    return this.#readers.isFull;
  }

  /** Until the signal aborts, or the reader is dropped. Not to be called when full. */
  add(reader: EventReader, gone: AbortSignal): Promise<void> {
    return this.#readers.add(reader, gone, async () => {
      const state = await this.#state();
      // What was gathered before is in the state.
      this.#flush();
      return eventText('state', writeJson(state));
    });
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

  #tip(tip: HeaderEntry): void {
    if (this.#readers.isEmpty) return;
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
    if (this.#readers.isEmpty) return;
    const { peers } = this.#gathered;
    if (peers.length >= MAX_PEER_EVENTS) this.#gathered.peersLeftOut++;
    else if (event.kind === 'joined') peers.push({ event: 'joined', ...peerJson(event.peer) });
    else peers.push({ event: 'left', id: event.id });
    this.#flushSoon();
  }

  #sync(status: SyncStatus): void {
    if (this.#readers.isEmpty) return;
    this.#gathered.sync = status;
    this.#flushSoon();
  }

  #blockJson({ chainWork, hash, header, height }: HeaderEntry): JsonObject {
    const news = this.#news.of(hash);
    return {
      hash,
      height,
      time: header.time,
      nTx: this.#node.chain.txCount(hash),
      chainwork: workHex(chainWork),
      firstPeer: news?.announcements[0]?.peerId,
      delayMs: news && Math.max(0, this.#clock.now() - news.firstHeardAtMs),
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
      blocks.length > 0 ? event('blocks', { blocks, leftOut: blocksLeftOut }) : '',
      transactions.length > 0 ? event('transactions', { transactions, leftOut: transactionsLeftOut }) : '',
      peers.length > 0 ? event('peers', { peers, leftOut: peersLeftOut }) : '',
      sync === undefined ? '' : event('sync', syncJson(sync)),
    ];
    this.#readers.send(texts.join(''));
  }
}

function event(name: string, data: JsonValue): string {
  return eventText(name, writeJson(data));
}

function peerJson({ address, agent, connectedAt, direction, id, kind, latencyMs }: Peer): JsonObject {
  return { id, address, direction, kind, agent, connectedAt, latencyMs };
}

function syncJson(status: SyncStatus): JsonObject {
  return { ...status };
}
