/** Blocks at once, on chains whose difficulty this process meets (regtest). */
import { expandDescriptor, isRange, parseDescriptor } from '#descriptor';
import { parseTxid, type Transaction } from '#primitives';
import { decodeAddress } from '#script';
import { toHex } from '#util';
import { decodeHexTx } from '../core-io/decode-tx.ts';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { type Args, shown, stringOf } from '../table/args.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

const DEFAULT_MAX_TRIES = 1_000_000;
const MAX_TRIES = param.number('maxtries', 'How many iterations to try.', { default: DEFAULT_MAX_TRIES });
const HASHES = [result.array('', 'hashes of blocks generated', [result.hex('', 'blockhash')])];

export const GENERATE_METHODS: readonly RpcMethod[] = [
  {
    name: 'generatetoaddress',
    category: 'hidden',
    about: 'Mine to a specified address and return the block hashes.',
    params: [
      param.number('nblocks', 'How many blocks are generated.'),
      param.string('address', 'The address to send the newly generated bitcoin to.'),
      MAX_TRIES,
    ],
    results: HASHES,
    examples: [{ cli: '11 "myaddress"', json: '11, "myaddress"' }],
    handler: (call) => {
      const script = addressScript(call, call.args.string('address'));
      if (script === undefined) throw new RpcError(RpcCode.invalidAddressOrKey, 'Error: Invalid address');
      return generate(call, script, call.args.int('nblocks'));
    },
  },
  {
    name: 'generatetodescriptor',
    category: 'hidden',
    about: 'Mine to a specified descriptor and return the block hashes.',
    params: [
      param.number('num_blocks', 'How many blocks are generated.'),
      param.string('descriptor', 'The descriptor to send the newly generated bitcoin to.'),
      MAX_TRIES,
    ],
    results: HASHES,
    examples: [{ cli: '11 "mydesc"', json: '11, "mydesc"' }],
    handler: (call) => {
      const found = descriptorScript(call, call.args.string('descriptor'));
      if ('error' in found) throw new RpcError(RpcCode.invalidAddressOrKey, found.error);
      return generate(call, found.script, call.args.int('num_blocks'));
    },
  },
  {
    name: 'generateblock',
    category: 'hidden',
    about: 'Mine a set of ordered transactions to a specified address or descriptor and return the block hash.',
    params: [
      param.string('output', 'The address or descriptor to send the newly generated bitcoin to.'),
      param.array(
        'transactions',
        'An array of hex strings which are either txids or raw transactions.\nTxids must reference transactions currently in the mempool.\nAll transactions must be valid and in valid order, otherwise the block will be rejected.',
        { inner: [param.hex('rawtx/txid', '', { optional: true })] },
      ),
      param.boolean('submit', 'Whether to submit the block before the RPC call returns or to return it as hex.', {
        default: true,
      }),
    ],
    results: [
      result.object('', '', [
        result.hex('hash', 'hash of generated block'),
        result.hex('hex', 'hex of generated block, only present when submit=false', { optional: true }),
      ]),
    ],
    examples: [{ cli: '"myaddress" \'["rawtx", "mempool_txid"]\'', json: '"myaddress", ["rawtx", "mempool_txid"]' }],
    handler: generateBlock,
  },
];

async function generate(call: RpcCall, script: Uint8Array, count: number): Promise<JsonValue> {
  const { mining } = call.node;
  const hashes: string[] = [];
  let triesLeft = maxTries(call.args);
  while (hashes.length < count && triesLeft > 0) {
    const { block } = mining.template(script);
    const solved = await mining.solve(block, { maxHashes: triesLeft, signal: call.signal });
    if (solved === undefined) break;
    triesLeft -= solved.header.nonce - block.header.nonce;
    await submit(call, solved.raw);
    hashes.push(solved.hash);
  }
  return hashes;
}

function maxTries(args: Args): number {
  return args.int('maxtries', 0);
}

async function submit({ node }: RpcCall, raw: Uint8Array): Promise<void> {
  const submitted = await node.submitBlock(raw);
  if (submitted.kind !== 'rejected') return;
  throw new RpcError(RpcCode.internalError, `ProcessNewBlock, block not accepted: ${submitted.code}`);
}

async function generateBlock(call: RpcCall): Promise<JsonObject> {
  const { args, node, signal } = call;
  const script = outputScript(call, args.string('output'));
  const transactions = args.array('transactions').map((value) => transactionNamed(call, stringOf(value)));
  const block = node.mining.assemble(script, transactions);
  const failure = await node.chain.checkProposal(block);
  if (failure !== undefined) {
    const { code, debug } = failure;
    const text = debug === undefined ? code : `${code}, ${debug}`;
    throw new RpcError(RpcCode.verifyError, `TestBlockValidity failed: ${text}`);
  }
  const solved = await node.mining.solve(block, { maxHashes: DEFAULT_MAX_TRIES, signal });
  if (solved === undefined) throw new RpcError(RpcCode.misc, 'Failed to make block.');
  if (!args.boolean('submit')) return { hash: solved.hash, hex: toHex(solved.raw) };
  await submit(call, solved.raw);
  return { hash: solved.hash };
}

function transactionNamed({ node }: RpcCall, text: string): Transaction {
  if (/^[0-9a-fA-F]{64}$/.test(text)) {
    const txid = parseTxid(text);
    const entry = node.mempool.get(txid);
    if (entry?.txid === txid) return entry.tx;
    throw new RpcError(RpcCode.invalidAddressOrKey, `Transaction ${text} not in mempool.`);
  }
  const tx = decodeHexTx(text);
  if (tx !== undefined) return tx;
  const message = `Transaction decode failed for ${shown(text)}. Make sure the tx has at least one input.`;
  throw new RpcError(RpcCode.deserialization, message);
}

function outputScript(call: RpcCall, text: string): Uint8Array {
  const found = descriptorScript(call, text);
  const script = 'script' in found ? found.script : addressScript(call, text);
  if (script !== undefined) return script;
  throw new RpcError(RpcCode.invalidAddressOrKey, 'Error: Invalid address or descriptor');
}

function addressScript({ node }: RpcCall, address: string): Uint8Array | undefined {
  const decoded = decodeAddress(address, node.chain.params.address);
  return 'scriptPubKey' in decoded ? decoded.scriptPubKey : undefined;
}

/** Core's getScriptFromDescriptor. Of `combo` it takes P2WPKH, or P2PKH for a key that is not compressed. */
function descriptorScript(
  { node }: RpcCall,
  text: string,
): { readonly script: Uint8Array } | { readonly error: string } {
  const parsed = parseDescriptor(text, node.chain.params.address);
  if (parsed.kind === 'invalid') return { error: parsed.error };
  if (isRange(parsed.descriptor)) {
    throw invalidParameter('Ranged descriptor not accepted. Maybe pass through deriveaddresses first?');
  }
  const scripts = expandDescriptor(parsed.descriptor, 0, parsed.secrets)?.scripts;
  const script = scripts?.[scripts.length === 1 ? 0 : scripts.length === 4 ? 2 : 1];
  if (script !== undefined) return { script };
  throw new RpcError(RpcCode.invalidAddressOrKey, 'Cannot derive script without private keys');
}
