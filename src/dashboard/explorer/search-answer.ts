/** Which block, transaction or peer a text means. */
import { parseTxid } from '#primitives';
import { decodeAddress } from '#script';
import type { SearchAnswer } from '../contract.ts';
import { type Answer, found, refused } from '../port.ts';
import { findTx, type Lookup } from './find-tx.ts';

const MAX_CHARS = 200;
const HEX_ID = /^[0-9a-fA-F]{64}$/;
const HEIGHT = /^\d{1,9}$/;

export async function answerSearch(lookup: Lookup, given: string): Promise<Answer> {
  const text = given.trim();
  if (text === '' || text.length > MAX_CHARS) {
    return refused(400, 'Search for a height, a block hash, a txid or a peer id');
  }
  return found(await meaningOf(lookup, text));
}

async function meaningOf(lookup: Lookup, text: string): Promise<SearchAnswer> {
  const { node, bodies } = lookup;
  const block = bodies.find(text);
  if (block !== undefined) return { kind: 'block', hash: block.hash, height: block.height };
  if (HEIGHT.test(text)) return nothing(`The chain reaches block ${node.chain.tip().height} here`);
  if (HEX_ID.test(text)) {
    const txid = parseTxid(text);
    const place = await findTx(lookup, txid);
    return place.kind === 'nowhere'
      ? nothing(`No block has this hash. As a transaction: ${place.why}`)
      : { kind: 'tx', txid };
  }
  if ((await node.peers.list()).some(({ id }) => id === text)) return { kind: 'peer', id: text };
  if (decodeAddress(text, node.chain.params.address).kind !== 'invalid') {
    return nothing('Addresses are not indexed; the RPC call scantxoutset finds what one has now');
  }
  return nothing('No block, transaction or connected peer has this name');
}

function nothing(reason: string): SearchAnswer {
  return { kind: 'nothing', reason };
}
