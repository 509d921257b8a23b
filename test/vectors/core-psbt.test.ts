/** Core 27's recorded decodepsbt and analyzepsbt, byte for byte. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type JsonValue, RPC_METHODS, writeJson } from '#rpc';
import { Args } from '../../src/rpc/table/args.ts';
import type { RpcCall } from '../../src/rpc/table/method.ts';
import { regtest } from '../support/chain-builder.ts';
import { recordedPsbt } from '../support/recorded-psbt.ts';
import { sharedPath } from '../support/shared.ts';

type Example = { readonly method: string; readonly params: readonly string[]; readonly result: JsonValue };

const path = sharedPath('data/core27-rpc-examples.json');
const examples: readonly Example[] = path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8'));

async function answer(name: string, psbt: string): Promise<string> {
  const row = RPC_METHODS.find((each) => each.name === name);
  assert.ok(row !== undefined);
  // Nothing else of the call is asked for.
  const call = { args: new Args(row.params, [psbt]), node: { chain: { params: regtest() } } } as unknown as RpcCall;
  return writeJson(await row.handler(call), 1);
}

test('decodepsbt and analyzepsbt', { skip: path === undefined && 'no recorded answers' }, async () => {
  const decoded = examples.find(({ method }) => method === 'decodepsbt');
  const analysed = examples.find(({ method }) => method === 'analyzepsbt');
  assert.ok(decoded !== undefined && analysed !== undefined);
  const psbt = recordedPsbt(decoded.result);
  // The recorded text was cut behind these characters; its length was kept.
  const [recorded = ''] = decoded.params;
  const [head = '', length = ''] = recorded.split('…');
  assert.ok(psbt.startsWith(head));
  assert.equal(` (${psbt.length} chars)`, length);
  // Numbers lost their zeros when the answers were recorded.
  const plain = (text: string): string => writeJson(JSON.parse(text), 1);
  assert.equal(plain(await answer('decodepsbt', psbt)), writeJson(decoded.result, 1));
  assert.equal(plain(await answer('analyzepsbt', psbt)), writeJson(analysed.result, 1));
});
