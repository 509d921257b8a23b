/** Blocks and headers from miners. */
import { withReservedValue } from '#mempool';
import type { Block } from '#primitives';
import { decodeHexBlock, decodeHexHeader } from '../core-io/decode-block.ts';
import { RpcCode, RpcError } from '../errors.ts';
import type { JsonValue } from '../json/value.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

export const SUBMIT_BLOCK_METHODS: readonly RpcMethod[] = [
  {
    name: 'submitblock',
    category: 'mining',
    about: 'Attempts to submit new block to network.\nSee https://en.bitcoin.it/wiki/BIP_0022 for full specification.',
    params: [
      param.hex('hexdata', 'the hex-encoded block data to submit'),
      param.string('dummy', 'dummy value, for compatibility with BIP22. This value is ignored.', { hint: 'ignored' }),
    ],
    results: [
      result.none('', '', { when: 'If the block was accepted' }),
      result.string('', 'According to BIP22', { when: 'Otherwise' }),
    ],
    examples: [{ cli: '"mydata"', json: '"mydata"' }],
    handler: submitBlock,
  },
  {
    name: 'submitheader',
    category: 'mining',
    about:
      'Decode the given hexdata as a header and submit it as a candidate chain tip if valid.\nThrows when the header is invalid.',
    params: [param.hex('hexdata', 'the hex-encoded block header data')],
    results: [result.none('', 'None')],
    examples: [{ cli: '"aabbcc"', json: '"aabbcc"' }],
    handler: submitHeader,
  },
];

async function submitBlock({ args, node }: RpcCall): Promise<JsonValue> {
  const { chain } = node;
  const given = decodeHexBlock(args.string('hexdata'));
  if (given === undefined) throw new RpcError(RpcCode.deserialization, 'Block decode failed');
  if (given.transactions[0]?.isCoinbase !== true) {
    throw new RpcError(RpcCode.deserialization, 'Block does not start with a coinbase');
  }
  if (chain.getHeader(given.hash) !== undefined && chain.isInvalid(given.hash)) return 'duplicate-invalid';
  const submitted = await node.submitBlock(completed(node, given).raw);
  if (submitted.kind === 'rejected') return submitted.code;
  if (submitted.kind === 'duplicate') return 'duplicate';
  const entry = chain.getHeader(given.hash);
  // A branch that has not more work: its scripts were not run.
  return entry !== undefined && chain.activeAt(entry.height)?.hash === given.hash ? null : 'inconclusive';
}

function completed({ chain }: RpcCall['node'], block: Block): Block {
  const parent = chain.getHeader(block.header.prevHash);
  const isSegwitActive = parent !== undefined && parent.height + 1 >= chain.params.activation.segwit;
  return isSegwitActive ? withReservedValue(block) : block;
}

function submitHeader({ args, node }: RpcCall): JsonValue {
  const header = decodeHexHeader(args.string('hexdata'));
  if (header === undefined) throw new RpcError(RpcCode.deserialization, 'Block header decode failed');
  if (node.chain.getHeader(header.prevHash) === undefined) {
    throw new RpcError(RpcCode.verifyError, `Must submit previous header (${header.prevHash}) first`);
  }
  const verdict = node.mining.submitHeader(header);
  if (verdict.kind === 'accepted') return null;
  const { code, debug } = verdict.failure;
  throw new RpcError(RpcCode.verifyError, debug === undefined ? code : `${code}, ${debug}`);
}
