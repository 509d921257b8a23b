/** Blocks, their headers and their places (Core's rest_block, rest_headers, rest_blockhash_by_height). */
import { idToBytes } from '#primitives';
import { concatBytes } from '#util';
import { headerJson } from '../core-io/block-json.ts';
import {
  activeFrom,
  answerIn,
  badRequest,
  blockHashIn,
  countIn,
  int32In,
  notFound,
  type RestCall,
  type RestHandler,
} from './rest-io.ts';

const TXIDS = 1;
const WITH_PREVOUTS = 3;

export const block: RestHandler = (call) => blockWith(call, WITH_PREVOUTS);
export const blockWithoutDetails: RestHandler = (call) => blockWith(call, TXIDS);

async function blockWith({ form, node: { chain }, param, rpc }: RestCall, verbosity: number): ReturnType<RestHandler> {
  const hash = blockHashIn(param);
  if (chain.getHeader(hash) === undefined) throw notFound(`${param} not found`);
  const raw = await chain.readBlock(hash);
  if (raw === undefined) {
    const wasHere = chain.txCount(hash) > 0;
    throw notFound(wasHere ? `${param} not available (pruned data)` : `${param} not found`);
  }
  return answerIn(form, { bytes: () => raw, json: () => rpc('getblock', hash, verbosity) });
}

export const headers: RestHandler = ({ form, node, param, query }) => {
  const parts = param.split('/');
  if (parts.length > 2) {
    throw badRequest('Invalid URI format. Expected /rest/headers/<hash>.<ext>?count=<count>');
  }
  const count = countIn(parts.length === 2 ? parts[0] : undefined, query);
  const entries = activeFrom(node, blockHashIn(parts.at(-1) ?? ''), count);
  return answerIn(form, {
    bytes: () => concatBytes(...entries.map(({ header }) => header.raw)),
    json: () => entries.map((entry) => headerJson(node.chain, entry)),
  });
};

/** Core's SAFE_CHARS_DEFAULT. */
const UNSAFE = /[^A-Za-z0-9 .,;\-_/:?@()]/g;

export const blockHashByHeight: RestHandler = ({ form, node: { chain }, param }) => {
  const height = int32In(param);
  if (height === undefined || height < 0) throw badRequest(`Invalid height: ${param.replace(UNSAFE, '')}`);
  const entry = chain.activeAt(height);
  if (entry === undefined) throw notFound('Block height out of range');
  const { hash } = entry;
  return answerIn(form, { bytes: () => idToBytes(hash), hex: () => hash, json: () => ({ blockhash: hash }) });
};
