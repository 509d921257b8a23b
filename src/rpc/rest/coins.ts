/** Unspent outputs by their outpoints, in the path or as BIP64's message in the body (Core's rest_getutxos). */
import type { OutPoint } from '#chain';
import type { StarlingNode } from '#node';
import { DecodeError, idToBytes, Reader, type TxOutput, txidFromBytes, Writer, writeTxOutput } from '#primitives';
import { fromHex, fromReversedHex } from '#util';
import { scriptPubKeyJson } from '../core-io/script-json.ts';
import { pooledTransaction } from '../core-io/spent-outputs.ts';
import { isHex } from '../json/hex.ts';
import { amount, type JsonObject } from '../json/value.ts';
import { answerIn, badRequest, int32In, type RestForm, type RestHandler } from './rest-io.ts';

/** Core's MAX_GETUTXOS_OUTPOINTS. */
const MAX_OUTPOINTS = 15;
const HASH_BYTES = 32;
const OUTPOINT_BYTES = HASH_BYTES + 4;
/** Core's MEMPOOL_HEIGHT: the output is in no block yet. */
const MEMPOOL_HEIGHT = 0x7fff_ffff;

type Wanted = { readonly checksMempool: boolean; readonly outpoints: readonly OutPoint[] };
type Found = { readonly output: TxOutput; readonly height: number };

export const getUtxos: RestHandler = ({ body, form, node, param }) => {
  const inPath = wantedInPath(param);
  if (inPath === undefined && body.length === 0) throw badRequest('Error: empty request');
  const { checksMempool, outpoints } = wantedOf(form, inPath, body);
  checkCount(outpoints.length);
  const found = outpoints.map((each) => findCoin(node, each, checksMempool));
  const { hash, height } = node.chain.tip();
  return answerIn(form, {
    bytes: () => {
      const writer = new Writer().i32(height).bytes(idToBytes(hash)).varBytes(bitmapOf(found));
      return writeCoins(writer, found.filter(isFound));
    },
    json: () => ({
      chainHeight: height,
      chaintipHash: hash,
      bitmap: found.map((coin) => (coin === undefined ? '0' : '1')).join(''),
      utxos: found.filter(isFound).map((coin) => coinJson(node, coin)),
    }),
  });
};

function checkCount(count: number): void {
  if (count <= MAX_OUTPOINTS) return;
  throw badRequest(`Error: max outpoints exceeded (max: ${MAX_OUTPOINTS}, tried: ${count})`);
}

/** `/checkmempool/txid-n/txid-n`; undefined where the path says nothing. */
function wantedInPath(param: string): Wanted | undefined {
  if (param.length <= 1) return undefined;
  const parts = param.slice(1).split('/');
  const checksMempool = parts[0] === 'checkmempool';
  const outpoints = parts.slice(checksMempool ? 1 : 0).map(outpointIn);
  if (outpoints.length === 0) throw badRequest('Error: empty request');
  return { checksMempool, outpoints };
}

/** As Core 27, a txid of fewer digits stands for the number that they write. */
function outpointIn(part: string): OutPoint {
  const dash = part.indexOf('-');
  const txid = dash === -1 ? part : part.slice(0, dash);
  const index = int32In(part.slice(dash + 1));
  if (index === undefined || !isHex(txid)) throw badRequest('Parse error');
  const digits = 2 * HASH_BYTES;
  return { txid: fromReversedHex(txid.slice(-digits).padStart(digits, '0')), index: index >>> 0 };
}

function wantedOf(form: RestForm | undefined, inPath: Wanted | undefined, body: Uint8Array): Wanted {
  const isRead = form === 'bin' || form === 'hex';
  const message = form === 'hex' ? bytesOfHex(body) : body;
  if (isRead && message.length > 0) {
    if (inPath === undefined) return wantedInBody(message);
    throw badRequest('Combination of URI scheme inputs and raw post data is not allowed');
  }
  if (form === 'json' && inPath === undefined) throw badRequest('Error: empty request');
  return inPath ?? { checksMempool: false, outpoints: [] };
}

/** Core's ParseHex: nothing of what is not hex throughout. */
function bytesOfHex(body: Uint8Array): Uint8Array {
  const text = Buffer.from(body).toString('latin1').replace(/\s/g, '');
  return isHex(text) ? fromHex(text) : new Uint8Array();
}

/** What comes behind the outpoints is passed over, as in Core. */
function wantedInBody(message: Uint8Array): Wanted {
  try {
    const reader = new Reader(message);
    const checksMempool = reader.u8() !== 0;
    const count = reader.count(OUTPOINT_BYTES);
    checkCount(count);
    const outpoints = Array.from({ length: count }, () => ({ txid: reader.take(HASH_BYTES), index: reader.u32() }));
    return { checksMempool, outpoints };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest('Parse error');
    throw error;
  }
}

/** With the mempool: its outputs too, and nothing that it spends. */
function findCoin(node: StarlingNode, outpoint: OutPoint, checksMempool: boolean): Found | undefined {
  const { chain, mempool } = node;
  const { txid, index } = outpoint;
  if (checksMempool) {
    if (mempool.spender(txid, index) !== undefined) return undefined;
    const pooled = pooledTransaction(mempool, txidFromBytes(txid));
    if (pooled !== undefined) {
      const output = pooled.outputs[index];
      return output && { output, height: MEMPOOL_HEIGHT };
    }
  }
  return chain.getCoin(outpoint);
}

function isFound(coin: Found | undefined): coin is Found {
  return coin !== undefined;
}

function bitmapOf(found: readonly (Found | undefined)[]): Uint8Array {
  const bitmap = Buffer.alloc(Math.ceil(found.length / 8));
  for (const [at, coin] of found.entries()) {
    if (coin !== undefined) bitmap.writeUInt8(bitmap.readUInt8(at >> 3) | (1 << (at & 7)), at >> 3);
  }
  return bitmap;
}

/** Core's CCoin: an unused version, the height, the output. */
function writeCoins(writer: Writer, coins: readonly Found[]): Uint8Array {
  writer.compactSize(coins.length);
  for (const { height, output } of coins) writeTxOutput(writer.u32(0).u32(height), output);
  return writer.finish();
}

function coinJson({ chain }: StarlingNode, { height, output }: Found): JsonObject {
  return {
    height,
    value: amount(output.value),
    scriptPubKey: scriptPubKeyJson(output.scriptPubKey, chain.params.address),
  };
}
