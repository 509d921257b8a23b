/**
 * Writes cases.json anew: `node test/vectors/policy-cases/make.ts`, then `npm run format`. What Core says is written beside
 * each case by hand, after Core's rules, and not taken from what this program answers. No Core has been asked yet.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { toHex } from '#util';
import { families, fees, known, locks, order, replacements, truc } from './context.ts';
import { type PolicyCase, type PolicyCases, packHex } from './format.ts';
import { inputs, outputs, scripts, transactions, witnesses } from './forms.ts';
import { type Draft, type Group, makeWorld } from './world.ts';

const GROUPS: readonly Group[] = [
  transactions,
  outputs,
  inputs,
  witnesses,
  scripts,
  locks,
  known,
  fees,
  families,
  replacements,
  truc,
  order,
];
/** The clock stands this far ahead of the tip. */
const AHEAD_SECONDS = 3_600;

export function makeCases(): PolicyCases {
  const { world, drafts } = makeWorld(GROUPS);
  const { chain } = world;
  return {
    blocks: chain.blocks.map((block) => toHex(block.raw)),
    time: chain.view(chain.height).time + AHEAD_SECONDS,
    cases: GROUPS.flatMap(({ group }, at) => (drafts[at] ?? []).map((draft) => written(group, draft))),
  };
}

function written(group: string, { name, tx, before, ...draft }: Draft): PolicyCase {
  const setup = before === undefined ? {} : { before: before.map((one) => packHex(toHex(one.raw))) };
  return { group, name, ...setup, tx: packHex(toHex(tx.raw)), ...draft };
}

if (import.meta.main) {
  writeFileSync(`${import.meta.dirname}/cases.json`, `${JSON.stringify(makeCases(), undefined, 2)}\n`);
  process.stdout.write('cases.json is written\n');
}
