/** Descriptors as calls take them, with their ranges: the scripts that they stand for (EvalDescriptorStringOrObject). */
import {
  type Descriptor,
  descriptorText,
  type Expansion,
  expandDescriptor,
  inferDescriptor,
  isRange,
  type KeyPrefixes,
  parseDescriptor,
  SigningProvider,
} from '#descriptor';
import { nextTurn, toHex } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { isObject, type JsonInput } from '../json/value.ts';
import { intOf } from '../table/args.ts';

/** Of a range that nobody gave. */
const DEFAULT_RANGE_END = 1_000;
const MAX_RANGE = 1_000_000;
/** Scripts that are derived in one go. */
const SLICE = 50;

/** Scripts in hex, each with the descriptor that names it alone. */
export async function scriptsOfScanObjects(
  objects: readonly JsonInput[],
  prefixes: KeyPrefixes,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await expandScanObjects(objects, prefixes, signal, ({ scripts, provider }) => {
    for (const script of scripts) {
      const inferred: Descriptor = inferDescriptor(script, prefixes, provider);
      found.set(toHex(script), descriptorText(inferred));
    }
  });
  return found;
}

/** What descriptors know of keys and scripts, secrets included. */
export async function providerOfScanObjects(
  objects: readonly JsonInput[],
  prefixes: KeyPrefixes,
  signal: AbortSignal,
): Promise<SigningProvider> {
  const known = new SigningProvider();
  await expandScanObjects(objects, prefixes, signal, ({ provider }) => {
    known.merge(provider);
  });
  return known;
}

async function expandScanObjects(
  objects: readonly JsonInput[],
  prefixes: KeyPrefixes,
  signal: AbortSignal,
  visit: (expansion: Expansion) => void,
): Promise<void> {
  for (const object of objects) {
    const { text, range } = readObject(object);
    const parsed = parseDescriptor(text, prefixes);
    if (parsed.kind === 'invalid') throw new RpcError(RpcCode.invalidAddressOrKey, parsed.error);
    const [begin, end] = isRange(parsed.descriptor) ? range : [0, 0];
    for (let index = begin; index <= end; index++) {
      const expansion = expandDescriptor(parsed.descriptor, index, parsed.secrets);
      if (expansion === undefined) throw needsSecrets(text);
      visit(expansion);
      if (index % SLICE === SLICE - 1) await nextTurn();
      signal.throwIfAborted();
    }
  }
}

function needsSecrets(text: string): RpcError {
  const message = `Cannot derive script without private keys: '${text.slice(0, 200)}'`;
  return new RpcError(RpcCode.invalidAddressOrKey, message);
}

type ScanObject = { readonly text: string; readonly range: readonly [begin: number, end: number] };

function readObject(object: JsonInput): ScanObject {
  if (typeof object === 'string') return { text: object, range: [0, DEFAULT_RANGE_END] };
  if (!isObject(object)) throw invalidParameter('Scan object needs to be either a string or an object');
  const { desc, range = null } = object;
  if (typeof desc !== 'string') throw invalidParameter('Descriptor needs to be provided in scan object');
  return { text: desc, range: range === null ? [0, DEFAULT_RANGE_END] : parseDescriptorRange(range) };
}

/** Core's ParseDescriptorRange. */
export function parseDescriptorRange(value: JsonInput): readonly [begin: number, end: number] {
  const [begin, end] = readRange(value);
  if (begin < 0) throw invalidParameter('Range should be greater or equal than 0');
  if (end < 0 || end > 2 ** 31 - 1) throw invalidParameter('End of range is too high');
  if (end >= begin + MAX_RANGE) throw invalidParameter('Range is too large');
  return [begin, end];
}

function readRange(value: JsonInput): readonly [begin: number, end: number] {
  const bound = (each: JsonInput): number => intOf(each, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (typeof value === 'number') return [0, bound(value)];
  const [low, high, ...more] = Array.isArray(value) ? (value as readonly JsonInput[]) : [];
  if (typeof low !== 'number' || typeof high !== 'number' || more.length > 0) {
    throw invalidParameter('Range must be specified as end or as [begin,end]');
  }
  if (low > high) throw invalidParameter('Range specified as [begin,end] must not have begin after end');
  return [bound(low), bound(high)];
}
