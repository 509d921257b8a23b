import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { completionsOf } from '../../../src/cli/completions.ts';
import { type CommandName, type OptionRow, takes } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** What bash offers for the last of the words. */
function offered(...words: readonly string[]): readonly string[] {
  const script = `${completionsOf('bash', COMMANDS)}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _starling starling "\${@: -1}" "\${@: -2:1}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter((word) => word !== '');
}

test('bash offers commands, flags, and the values of a flag', { skip: !has('bash') }, () => {
  assert.deepEqual(offered('starling', 'no'), ['node']);
  assert.deepEqual(offered('starling', 'node', '--log-m'), ['--log-module']);
  assert.deepEqual(offered('starling', 'info', '--prun'), []);
  assert.deepEqual(offered('starling', 'node', '--profile', 'lo'), ['low-memory']);
  assert.deepEqual(offered('starling', 'node', '--checkpoints', ''), ['true', 'false']);
  assert.deepEqual(offered('starling', 'config', ''), ['show', 'check']);
  assert.deepEqual(offered('starling', 'config', 'check', '/dev/nul'), ['/dev/null']);
  assert.deepEqual(offered('starling', 'node', '--config', '/dev/nul'), ['/dev/null']);
});

test('every shell gets every flag of every command', () => {
  for (const shell of SHELLS) {
    const text = completionsOf(shell, COMMANDS);
    for (const name of Object.keys(COMMANDS) as CommandName[]) {
      for (const row of Object.values<OptionRow<unknown>>(OPTIONS).filter((option) => takes(option, name))) {
        const spelled = shell === 'fish' ? `from ${name}' -l ${row.flag} ` : `--${row.flag}`;
        assert.ok(text.includes(spelled), `${shell} ${name} ${row.flag}`);
      }
    }
  }
});

for (const shell of SHELLS) {
  test(`${shell} can read them`, { skip: !has(shell) }, () => {
    const { status, stderr } = spawnSync(shell, ['-n'], { input: completionsOf(shell, COMMANDS), encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, '']);
  });
}
