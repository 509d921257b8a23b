/** Unsigned transactions from what createrawtransaction and createpsbt take (Core's ConstructTransaction). */
import { idToBytes, parseTxid, Transaction, type TxInput, type TxOutput } from '#primitives';
import { type AddressPrefixes, decodeAddress, Op, pushData } from '#script';
import { concatBytes, toHex } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { repeatedKey } from '../json/repeated-keys.ts';
import { isObject, type JsonInput, type JsonInputObject } from '../json/value.ts';
import { type Args, amountOf, arrayOf, bytesOf, hashOf, intOf, objectOf, shown } from '../table/args.ts';

const VERSION = 2;
const LOCKTIME_MAX = 0xffffffff;
const SEQUENCE_FINAL = 0xffffffff;
const MAX_SEQUENCE_NONFINAL = SEQUENCE_FINAL - 1;
/** BIP125: up to here it may be replaced. */
const MAX_BIP125_RBF_SEQUENCE = SEQUENCE_FINAL - 2;

/** Of the parameters inputs, outputs, locktime and replaceable. */
export function constructTransaction(args: Args, prefixes: AddressPrefixes): Transaction {
  const lockTime = intOf(args.value('locktime'), Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (lockTime < 0 || lockTime > LOCKTIME_MAX) throw invalidParameter('Invalid parameter, locktime out of range');
  const replaceable = args.has('replaceable') ? args.boolean('replaceable') : undefined;
  const inputs = args.array('inputs').map((input) => readInput(objectOf(input), lockTime, replaceable));
  const outputs = readOutputs(args.value('outputs'), prefixes);
  const signals = inputs.some(({ sequence }) => sequence <= MAX_BIP125_RBF_SEQUENCE);
  if (replaceable === true && inputs.length > 0 && !signals) {
    throw invalidParameter('Invalid parameter combination: Sequence number(s) contradict replaceable option');
  }
  return Transaction.fromFields({ version: VERSION, inputs, outputs, lockTime });
}

function readInput(given: JsonInputObject, lockTime: number, replaceable: boolean | undefined): TxInput {
  const txid = parseTxid(hashOf(given['txid'] ?? null, 'txid'));
  const vout = given['vout'] ?? null;
  if (typeof vout !== 'number' && typeof vout !== 'bigint') {
    throw invalidParameter('Invalid parameter, missing vout key');
  }
  const prevIndex = intOf(vout);
  if (prevIndex < 0) throw invalidParameter('Invalid parameter, vout cannot be negative');
  const sequence = readSequence(given['sequence'] ?? null) ?? defaultSequence(lockTime, replaceable);
  return { prevTxid: idToBytes(txid), prevIndex, scriptSig: new Uint8Array(0), sequence, witness: [] };
}

function defaultSequence(lockTime: number, replaceable = true): number {
  if (replaceable) return MAX_BIP125_RBF_SEQUENCE;
  return lockTime > 0 ? MAX_SEQUENCE_NONFINAL : SEQUENCE_FINAL;
}

function readSequence(given: JsonInput): number | undefined {
  if (typeof given !== 'number' && typeof given !== 'bigint') return undefined;
  const sequence = intOf(given, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (sequence >= 0 && sequence <= SEQUENCE_FINAL) return sequence;
  throw invalidParameter('Invalid parameter, sequence number is out of range');
}

/** An object, or a list of objects of one member each. */
function readOutputs(given: JsonInput, prefixes: AddressPrefixes): TxOutput[] {
  if (given === null) throw invalidParameter('Invalid parameter, output argument must be non-null');
  const repeated = isObject(given) ? repeatedKey(given) : undefined;
  if (repeated !== undefined) throw invalidParameter(duplicate(repeated));
  const pairs = isObject(given) ? Object.entries(given) : arrayOf(given).map(onlyMember);
  const seen = new Set<string>();
  return pairs.map(([name, value]) => readOutput(name, value, prefixes, seen));
}

function duplicate(name: string): string {
  return name === 'data'
    ? 'Invalid parameter, duplicate key: data'
    : `Invalid parameter, duplicated address: ${shown(name)}`;
}

function onlyMember(output: JsonInput): readonly [name: string, value: JsonInput] {
  if (!isObject(output)) throw invalidParameter('Invalid parameter, key-value pair not an object as expected');
  const [pair, ...more] = Object.entries(output);
  if (pair === undefined || more.length > 0) {
    throw invalidParameter('Invalid parameter, key-value pair must contain exactly one key');
  }
  return pair;
}

function readOutput(name: string, value: JsonInput, prefixes: AddressPrefixes, seen: Set<string>): TxOutput {
  if (name === 'data') {
    if (seen.has(name)) throw invalidParameter(duplicate(name));
    seen.add(name);
    const data = pushData(bytesOf(value, 'Data'));
    return { value: 0n, scriptPubKey: concatBytes(Uint8Array.of(Op.OP_RETURN), data) };
  }
  const decoded = decodeAddress(name, prefixes);
  if (decoded.kind === 'invalid') {
    throw new RpcError(RpcCode.invalidAddressOrKey, `Invalid Bitcoin address: ${name.slice(0, 200)}`);
  }
  const { scriptPubKey } = decoded;
  const id = toHex(scriptPubKey);
  if (seen.has(id)) throw invalidParameter(duplicate(name));
  seen.add(id);
  return { value: amountOf(value), scriptPubKey };
}
