/** Signed texts: verifymessage, signmessagewithprivkey. */
import { hash160 } from '#crypto';
import { decodeAddress, decodeWif, solver } from '#script';
import { messageHash, recoverCompact, signCompact } from '#signing';
import { equalBytes } from '#util';
import { RpcCode, RpcError } from '../errors.ts';
import type { RpcCall, RpcMethod } from '../table/method.ts';
import { param } from '../table/param.ts';
import { result } from '../table/result.ts';

export const MESSAGE_METHODS: readonly RpcMethod[] = [
  {
    name: 'verifymessage',
    category: 'util',
    about: 'Verify a signed message.',
    params: [
      param.string('address', 'The bitcoin address to use for the signature.'),
      param.string('signature', 'The signature provided by the signer in base 64 encoding (see signmessage).'),
      param.string('message', 'The message that was signed.'),
    ],
    results: [result.boolean('', 'If the signature is verified or not.')],
    examples: [
      {
        cli: '"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX" "signature" "my message"',
        json: '"1D1ZrZNe3JUo7ZycKEYQQiQAWd9y54F4XX", "signature", "my message"',
      },
    ],
    handler: verifyMessage,
  },
  {
    name: 'signmessagewithprivkey',
    category: 'util',
    about: 'Sign a message with the private key of an address',
    params: [
      param.string('privkey', 'The private key to sign the message with.'),
      param.string('message', 'The message to create a signature of.'),
    ],
    results: [result.string('signature', 'The signature of the message encoded in base 64')],
    examples: [{ cli: '"privkey" "my message"', json: '"privkey", "my message"' }],
    handler: signMessageWithPrivKey,
  },
];

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function verifyMessage({ args, node }: RpcCall): boolean {
  const decoded = decodeAddress(args.string('address'), node.chain.params.address);
  if (decoded.kind === 'invalid') throw new RpcError(RpcCode.invalidAddressOrKey, 'Invalid address');
  const { scriptPubKey } = decoded;
  if (solver(scriptPubKey).kind !== 'pubkeyhash') {
    throw new RpcError(RpcCode.typeError, 'Address does not refer to key');
  }
  const text = args.string('signature');
  if (!BASE64.test(text)) throw new RpcError(RpcCode.typeError, 'Malformed base64 encoding');
  const signature = new Uint8Array(Buffer.from(text, 'base64'));
  const key = recoverCompact(messageHash(args.string('message')), signature);
  return key !== undefined && equalBytes(hash160(key), scriptPubKey.subarray(3, 23));
}

function signMessageWithPrivKey({ args, node }: RpcCall): string {
  const key = decodeWif(args.string('privkey'), node.chain.params.address);
  if (key === undefined) throw new RpcError(RpcCode.invalidAddressOrKey, 'Invalid private key');
  return Buffer.from(signCompact(messageHash(args.string('message')), key)).toString('base64');
}
