/** Several PSBTs to one: of the same transaction, or of different ones. */
import { Transaction, type TxInput, type TxOutput } from '#primitives';
import { equalBytes, type Random, toHex } from '#util';
import type { Psbt } from './codec.ts';
import { GlobalType, InputType, mapKey, OutputType, type PsbtMap } from './psbt-map.ts';

/** All that any of them knows, the first ones first (Core's CombinePSBTs); undefined when the transactions differ. */
export function combinePsbts(psbts: readonly [Psbt, ...Psbt[]]): Psbt | undefined {
  const [first, ...others] = psbts;
  const joined: Psbt = {
    tx: first.tx,
    global: new Map(first.global),
    inputs: first.inputs.map((map) => new Map(map)),
    outputs: first.outputs.map((map) => new Map(map)),
  };
  for (const other of others) {
    if (!equalBytes(other.tx.txidBytes, first.tx.txidBytes)) return undefined;
    mergeMap(joined.global, other.global, [GlobalType.PROPRIETARY]);
    // Core 27 leaves these to the first.
    joined.inputs.forEach((map, at) => {
      mergeMap(map, other.inputs[at], [InputType.SIGHASH, InputType.PROPRIETARY]);
    });
    joined.outputs.forEach((map, at) => {
      mergeMap(map, other.outputs[at], [OutputType.PROPRIETARY]);
    });
  }
  return joined;
}

function mergeMap(map: PsbtMap, other: PsbtMap | undefined, leftOut: readonly number[]): void {
  const prefixes = leftOut.map((type) => mapKey(type));
  for (const [key, value] of other ?? []) {
    if (!map.has(key) && !prefixes.includes(key.slice(0, 2))) map.set(key, value);
  }
}

export type JoinedPsbts =
  | { readonly kind: 'joined'; readonly psbt: Psbt }
  /** An input that two of them have. */
  | { readonly kind: 'duplicate'; readonly input: TxInput };

/** The inputs and outputs of all, in an order that tells nothing: highest version, lowest lock time. */
export function joinPsbts(psbts: readonly Psbt[], random: Random): JoinedPsbts {
  const inputs: { readonly input: TxInput; readonly map: PsbtMap }[] = [];
  const outputs: { readonly output: TxOutput; readonly map: PsbtMap }[] = [];
  const unknown: PsbtMap = new Map();
  const seen = new Set<string>();
  for (const { tx, ...maps } of psbts) {
    for (const [at, input] of tx.inputs.entries()) {
      const id = inputId(input);
      if (seen.has(id)) return { kind: 'duplicate', input };
      seen.add(id);
      inputs.push({ input, map: withoutSignatures(maps.inputs[at]) });
    }
    for (const [at, output] of tx.outputs.entries()) outputs.push({ output, map: maps.outputs[at] ?? new Map() });
    mergeMap(unknown, maps.global, Object.values(GlobalType));
  }
  shuffle(inputs, random);
  shuffle(outputs, random);
  const tx = Transaction.fromFields({
    version: psbts.reduce((highest, { tx: { version } }) => Math.max(highest, version), 1),
    inputs: inputs.map(({ input }) => input),
    outputs: outputs.map(({ output }) => output),
    lockTime: psbts.reduce((lowest, { tx: { lockTime } }) => Math.min(lowest, lockTime), 0xffffffff),
  });
  const mapsOf = (items: readonly { readonly map: PsbtMap }[]): readonly PsbtMap[] => items.map(({ map }) => map);
  return { kind: 'joined', psbt: { tx, global: unknown, inputs: mapsOf(inputs), outputs: mapsOf(outputs) } };
}

/** In Core an outpoint with another sequence is another input. */
function inputId({ prevTxid, prevIndex, sequence }: TxInput): string {
  return `${toHex(prevTxid)}:${prevIndex}:${sequence}`;
}

/** They were made for another transaction (Core's AddInput). */
function withoutSignatures(map: PsbtMap | undefined): PsbtMap {
  const copy: PsbtMap = new Map(map);
  const made = [InputType.PARTIAL_SIG, InputType.SCRIPT_SIG, InputType.SCRIPT_WITNESS].map((type) => mapKey(type));
  for (const key of copy.keys()) if (made.includes(key.slice(0, 2))) copy.delete(key);
  return copy;
}

function shuffle<T>(items: T[], random: Random): void {
  for (let at = items.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
}
