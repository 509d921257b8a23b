/** BIP157's filters and their headers (Core's rest_block_filter, rest_filter_header). */
import type { StarlingNode } from '#node';
import { type BlockHash, idToBytes, Writer } from '#primitives';
import { concatBytes, toHex, toReversedHex } from '#util';
import {
  activeFrom,
  answerIn,
  badRequest,
  blockHashIn,
  countIn,
  notFound,
  type RestError,
  type RestHandler,
} from './rest-io.ts';

/** BIP158's number of the basic filter. */
const BASIC = 0;

function indexOf({ indexes }: StarlingNode, type: string): { readonly synced: boolean } {
  if (type !== 'basic') throw badRequest(`Unknown filtertype ${type}`);
  const index = indexes.info().find(({ name }) => name === 'basic block filter index');
  if (index === undefined) throw badRequest(`Index is not enabled for filtertype ${type}`);
  return index;
}

function lacking(node: StarlingNode, type: string): RestError {
  return notFound(
    indexOf(node, type).synced
      ? 'Filter not found. This error is unexpected and indicates index corruption.'
      : 'Filter not found. Block filters are still in the process of being indexed.',
  );
}

export const blockFilter: RestHandler = async ({ form, node, param }) => {
  const [type = '', text = '', ...more] = param.split('/');
  if (!param.includes('/') || more.length > 0) {
    throw badRequest('Invalid URI format. Expected /rest/blockfilter/<filtertype>/<blockhash>');
  }
  const hash = blockHashIn(text);
  indexOf(node, type);
  if (node.chain.getHeader(hash) === undefined) throw notFound(`${text} not found`);
  const found = await node.indexes.filter(hash);
  if (found === undefined) {
    if (await wasConnected(node, hash)) throw lacking(node, type);
    throw notFound('Filter not found. Block was not connected to active chain.');
  }
  return answerIn(form, {
    bytes: () => new Writer().u8(BASIC).bytes(idToBytes(hash)).varBytes(found.filter).finish(),
    json: () => ({ filter: toHex(found.filter) }),
  });
};

async function wasConnected({ chain }: StarlingNode, hash: BlockHash): Promise<boolean> {
  const entry = chain.getHeader(hash);
  if (entry !== undefined && chain.activeAt(entry.height)?.hash === hash) return true;
  return (await chain.readUndo(hash)) !== undefined;
}

export const blockFilterHeaders: RestHandler = async ({ form, node, param, query, signal }) => {
  const parts = param.split('/');
  if (parts.length !== 2 && parts.length !== 3) {
    throw badRequest(
      'Invalid URI format. Expected /rest/blockfilterheaders/<filtertype>/<blockhash>.<ext>?count=<count>',
    );
  }
  const [type = ''] = parts;
  const count = countIn(parts.length === 3 ? parts[1] : undefined, query);
  const hash = blockHashIn(parts.at(-1) ?? '');
  indexOf(node, type);
  const found: Uint8Array[] = [];
  for (const entry of activeFrom(node, hash, count)) {
    const filter = await node.indexes.filter(entry.hash);
    signal.throwIfAborted();
    if (filter === undefined) throw lacking(node, type);
    found.push(filter.header);
  }
  return answerIn(form, { bytes: () => concatBytes(...found), json: () => found.map(toReversedHex) });
};
