/** One transaction, as the RPC says it, with what it spends as far as that is known. Bounds: parts, and the length of texts. */
import type { Coin } from '#chain';
import { type MempoolEntry, packageTotals, signalsBip125, withAncestors, withDescendants } from '#mempool';
import type { StarlingNode } from '#node';
import { parseTxid, type Transaction, txidFromBytes } from '#primitives';
import { coreIo, JsonNumber, type JsonObject, type JsonValue } from '#rpc';
import type { TxAnswer } from '../contract.ts';
import { type Answer, found, refused } from '../port.ts';
import { type FoundTx, findInBlock, findTx, type Lookup } from './find-tx.ts';

const TXID = /^[0-9a-fA-F]{64}$/;
const MAX_PARTS = 200;
/** A script or a witness may have megabytes. */
const MAX_TEXT_CHARS = 2_000;
const MAX_RELATIVES = 25;
/** Where a coin of the mempool is said to be (Core's MEMPOOL_HEIGHT). */
const MEMPOOL_HEIGHT = 0x7fff_ffff;

type Body = Omit<TxAnswer, 'tx'> & { readonly tx: JsonObject };

export async function answerTx(lookup: Lookup, txidText: string, blockText: string): Promise<Answer> {
  if (!TXID.test(txidText)) return refused(400, 'A transaction is named by the 64 hex digits of its txid');
  const txid = parseTxid(txidText);
  const { node, bodies } = lookup;
  if (blockText === '') return answerOf(node, await findTx(lookup, txid));
  const block = bodies.find(blockText);
  if (block === undefined) return refused(404, 'No such block is known here');
  const inBlock = await findInBlock(bodies, txid, block);
  return answerOf(node, inBlock ?? { kind: 'nowhere', why: 'Not in this block, or its body is not here' });
}

function answerOf(node: StarlingNode, place: FoundTx): Answer {
  if (place.kind === 'nowhere') return refused(404, place.why);
  const { tx } = place;
  const spent = place.kind === 'mempool' ? coinsOf(node, tx) : place.spent;
  const body: Body = {
    tx: coreIo.txJson(tx, node.chain.params.address, { spent, prevouts: true, hex: false, maxParts: MAX_PARTS }),
    inputCount: tx.inputs.length,
    outputCount: tx.outputs.length,
    feeSats: feeOf(place),
    block: place.kind === 'block' ? blockOf(node, place) : null,
    mempool: place.kind === 'mempool' ? mempoolOf(place.entry) : null,
  };
  return found({ ...body, tx: withShortTexts({ ...body.tx, fee: undefined }) });
}

function feeOf(place: Exclude<FoundTx, { kind: 'nowhere' }>): number | null {
  if (place.kind === 'mempool') return Number(place.entry.fee);
  return place.spent === undefined ? null : Number(coreIo.feeOf(place.tx, place.spent));
}

/** Undefined unless all are known. */
function coinsOf({ chain, mempool }: StarlingNode, tx: Transaction): readonly Coin[] | undefined {
  const coins = tx.inputs.flatMap(({ prevTxid, prevIndex }) => {
    const parent = coreIo.pooledTransaction(mempool, txidFromBytes(prevTxid));
    const output = parent?.outputs[prevIndex];
    if (output !== undefined) return [{ output, height: MEMPOOL_HEIGHT, isCoinbase: false }];
    return chain.getCoin({ txid: prevTxid, index: prevIndex }) ?? [];
  });
  return coins.length === tx.inputs.length ? coins : undefined;
}

function blockOf({ chain }: StarlingNode, { block }: Extract<FoundTx, { kind: 'block' }>): TxAnswer['block'] {
  const { hash, height, header } = block;
  const isActive = chain.activeAt(height)?.hash === hash;
  const confirmations = isActive ? chain.tip().height - height + 1 : 0;
  return { hash, height, timeSeconds: header.time, confirmations };
}

function mempoolOf(entry: MempoolEntry): TxAnswer['mempool'] {
  const ancestors = withAncestors([entry]);
  const idsOf = (entries: ReadonlySet<MempoolEntry>): readonly string[] =>
    Array.from(entries, ({ txid }) => txid).slice(0, MAX_RELATIVES);
  return {
    enteredAtMs: entry.time,
    ancestorCount: ancestors.size,
    descendantCount: packageTotals(withDescendants([entry])).count,
    isReplaceable: [...ancestors].some(signalsBip125),
    depends: idsOf(entry.parents),
    spentBy: idsOf(entry.children),
  };
}

function withShortTexts(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, member && shortened(member)]));
}

function shortened(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.length > MAX_TEXT_CHARS ? `${value.slice(0, MAX_TEXT_CHARS)}…` : value;
  if (typeof value !== 'object' || value === null || value instanceof JsonNumber) return value;
  return Array.isArray(value) ? value.map(shortened) : withShortTexts(value as JsonObject);
}
