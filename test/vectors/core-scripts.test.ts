/** Every script that stands in Bitcoin Core 27's answers (`shared/data`), decoded as Core decoded it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fromHex } from '#util';
import { innerScriptJson, scriptPubKeyJson } from '../../src/rpc/core-io/script-json.ts';
import { regtest } from '../support/chain-builder.ts';
import { reportCount } from '../support/core-vectors.ts';
import { sharedPath } from '../support/shared.ts';

type ScriptAnswer = { readonly asm: string; readonly desc: string; readonly hex: string };

function scriptsIn(value: unknown): ScriptAnswer[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'asm' in value && 'hex' in value && 'type' in value ? [value as unknown as ScriptAnswer] : [];
  return [...own, ...Object.values(value).flatMap(scriptsIn)];
}

const path = sharedPath('data/core27-rpc-examples.json');

test('scripts in the answers of Core 27', { skip: path === undefined && 'no shared data' }, (t) => {
  const scripts = scriptsIn(JSON.parse(readFileSync(path ?? '', 'utf8')));
  for (const answer of scripts) {
    const script = fromHex(answer.hex);
    const made = 'desc' in answer ? scriptPubKeyJson(script, regtest().address) : innerScriptJson(script);
    assert.equal(JSON.stringify(made), JSON.stringify(answer));
  }
  reportCount(t, 'scripts', scripts.length, 21);
});
