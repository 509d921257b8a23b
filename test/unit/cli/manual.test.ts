import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { variableOf } from '../../../src/cli/config/environment.ts';
import { EXIT_CODE_HELP } from '../../../src/cli/exit-codes.ts';
import { manualMarkdown, manualPage } from '../../../src/cli/manual.ts';
import type { OptionRow } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';

const ROWS = Object.values<OptionRow<unknown>>(OPTIONS);

test('the manual has every command, example, flag, variable and exit code', () => {
  const markdown = manualMarkdown(COMMANDS);
  const page = manualPage(COMMANDS).replaceAll('\\-', '-').replaceAll('\\(dq', '"');
  for (const [name, { args, details, examples }] of Object.entries(COMMANDS)) {
    assert.ok(markdown.includes(`\n### starling ${name}`), name);
    assert.ok(page.includes(`\n.B starling ${name}`), name);
    assert.ok(markdown.includes(details), name);
    for (const [arg, about] of Object.entries(args)) {
      assert.ok(markdown.includes(`\n- \`${arg}\`: ${about}`), `${name} ${arg}`);
      assert.ok(page.includes(`\n.B ${arg}\n.br\n${about}`), `${name} ${arg}`);
    }
    for (const [command] of examples) {
      assert.ok(markdown.includes(`\n${command}  # `), command);
      assert.ok(page.includes(`\n.B ${command.replaceAll('…', '...')}\n`), command);
    }
  }
  for (const { flag } of ROWS) {
    assert.match(markdown, new RegExp(`^\\| \`--${flag}[ \`].*\`${variableOf(flag)}\``, 'm'));
    assert.match(page, new RegExp(`^\\.B --${flag}( |$)`, 'm'));
  }
  for (const [code, means] of EXIT_CODE_HELP) {
    assert.ok(markdown.includes(`| ${code} | ${means} |`));
    assert.ok(page.includes(`\n.B ${code}\n`));
  }
});

test('every row of the tables has its cells', () => {
  const rows = manualMarkdown(COMMANDS)
    .split('\n')
    .filter((line) => line.startsWith('| `--'));
  assert.equal(rows.length, ROWS.length);
  for (const row of rows) assert.equal(row.match(/(?<!\\)\|/g)?.length, 5, row);
});

const hasGroff = spawnSync('groff', ['--version']).status === 0;

test('groff reads the manual page without a warning', { skip: !hasGroff }, () => {
  const flags = ['-man', '-ww', '-z', '-Tutf8', '-Kutf8'];
  const { status, stderr } = spawnSync('groff', flags, { input: manualPage(COMMANDS), encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
});

test('what the page shows is what the tables say', { skip: !hasGroff }, () => {
  const { stdout } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-P-c', '-P-b', '-P-u', '-rLL=500n'], {
    input: manualPage(COMMANDS),
    encoding: 'utf8',
  });
  const shown = stdout.split('\n').map((line) => line.trim());
  for (const { examples } of Object.values(COMMANDS)) {
    for (const [command] of examples) assert.ok(shown.includes(command.replaceAll('…', '...')), command);
  }
});
