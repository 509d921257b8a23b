/** The outputs that a transaction spends: of the coins and the mempool, and as a caller describes them. */
import { SigningProvider } from '#descriptor';
import type { StarlingNode } from '#node';
import {
  idToBytes,
  MAX_MONEY,
  parseTxid,
  type Transaction,
  type TxInput,
  type Txid,
  type TxOutput,
  txidFromBytes,
} from '#primitives';
import { isPayToScriptHash, scriptToAsm, templates, witnessProgram } from '#script';
import { equalBytes, toHex } from '#util';
import { invalidParameter, RpcCode, RpcError } from '../errors.ts';
import { isObject, type JsonInput, type JsonInputObject, typeName } from '../json/value.ts';
import { amountOf, bytesOf, hashOf, intOf } from '../table/args.ts';

/** Core's FindCoins: an output of the mempool, also one that something there spends, else a coin. */
export function findOutput({ chain, mempool }: StarlingNode, input: TxInput): TxOutput | undefined {
  const pooled = pooledTransaction(mempool, txidFromBytes(input.prevTxid));
  if (pooled !== undefined) return pooled.outputs[input.prevIndex];
  return chain.getCoin({ txid: input.prevTxid, index: input.prevIndex })?.output;
}

/** The mempool also knows transactions by their wtxids, which name no outputs. */
export function pooledTransaction(mempool: StarlingNode['mempool'], txid: Txid): Transaction | undefined {
  const entry = mempool.get(txid);
  return entry?.txid === txid ? entry.tx : undefined;
}

export type Prevouts = {
  /** In the order of the inputs. */
  readonly spent: readonly (TxOutput | undefined)[];
  /** The scripts that the caller gave. */
  readonly scripts: SigningProvider;
};

const outpointId = (txid: Uint8Array, index: number): string => `${toHex(txid)}:${index}`;

/** What is found, and over it what the caller says (Core's ParsePrevouts). */
export function readPrevouts(node: StarlingNode, tx: Transaction, given: readonly JsonInput[]): Prevouts {
  const scripts = new SigningProvider();
  const known = new Map<string, TxOutput>();
  for (const input of tx.inputs) {
    const output = findOutput(node, input);
    if (output !== undefined) known.set(outpointId(input.prevTxid, input.prevIndex), output);
  }
  for (const prevout of given) readPrevout(prevout, known, scripts);
  const spent = tx.inputs.map(({ prevTxid, prevIndex }) => known.get(outpointId(prevTxid, prevIndex)));
  return { spent, scripts };
}

function readPrevout(prevout: JsonInput, known: Map<string, TxOutput>, scripts: SigningProvider): void {
  if (!isObject(prevout)) {
    throw new RpcError(RpcCode.deserialization, 'expected object with {"txid\'","vout","scriptPubKey"}');
  }
  checkField(prevout, 'txid', 'string');
  checkField(prevout, 'vout', 'number');
  checkField(prevout, 'scriptPubKey', 'string');
  const txid = parseTxid(hashOf(prevout['txid'] ?? null, 'txid'));
  const vout = intOf(prevout['vout'] ?? null);
  if (vout < 0) throw new RpcError(RpcCode.deserialization, 'vout cannot be negative');
  const scriptPubKey = bytesOf(prevout['scriptPubKey'] ?? null, 'scriptPubKey');
  const id = outpointId(idToBytes(txid), vout);
  const earlier = known.get(id);
  if (earlier !== undefined && !equalBytes(earlier.scriptPubKey, scriptPubKey)) {
    const [was, is] = [scriptToAsm(earlier.scriptPubKey), scriptToAsm(scriptPubKey)];
    throw new RpcError(RpcCode.deserialization, `Previous output scriptPubKey mismatch:\n${was}\nvs:\n${is}`);
  }
  const amount = prevout['amount'];
  known.set(id, { value: amount === undefined ? MAX_MONEY : amountOf(amount), scriptPubKey });
  const isWitnessScript = witnessProgram(scriptPubKey)?.version === 0 && scriptPubKey.length === 34;
  if (isPayToScriptHash(scriptPubKey) || isWitnessScript) addScripts(prevout, scriptPubKey, scripts);
}

/** Core's RPCTypeCheckObj. */
function checkField(object: JsonInputObject, name: string, expected: 'string' | 'number', isOptional = false): void {
  const value = object[name] ?? null;
  if (value === null && isOptional) return;
  if (value === null) throw new RpcError(RpcCode.typeError, `Missing ${name}`);
  if (typeName(value) === expected) return;
  throw new RpcError(
    RpcCode.typeError,
    `JSON value of type ${typeName(value)} for field ${name} is not of expected type ${expected}`,
  );
}

/** The script behind the output's hash, given as `witnessScript` or, as before segwit, as `redeemScript`. */
function addScripts(prevout: JsonInputObject, scriptPubKey: Uint8Array, scripts: SigningProvider): void {
  checkField(prevout, 'redeemScript', 'string', true);
  checkField(prevout, 'witnessScript', 'string', true);
  const [redeem, witness] = [prevout['redeemScript'] ?? null, prevout['witnessScript'] ?? null];
  if (redeem === null && witness === null) throw invalidParameter('Missing redeemScript/witnessScript');
  const script = witness === null ? bytesOf(redeem, 'redeemScript') : bytesOf(witness, 'witnessScript');
  const witnessOutput = templates.payToWitnessScriptHash(script);
  scripts.addScript(script);
  scripts.addScript(witnessOutput);
  if (witness !== null && redeem !== null && witness !== redeem) {
    if (!equalBytes(bytesOf(redeem, 'redeemScript'), witnessOutput)) {
      throw invalidParameter('redeemScript does not correspond to witnessScript');
    }
  }
  const fitting = isPayToScriptHash(scriptPubKey)
    ? [templates.payToScriptHash(script), templates.payToScriptHash(witnessOutput)]
    : [witnessOutput];
  if (!fitting.some((made) => equalBytes(made, scriptPubKey))) {
    throw invalidParameter('redeemScript/witnessScript does not match scriptPubKey');
  }
}
