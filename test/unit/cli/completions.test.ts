import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { completionsOf } from '../../../src/cli/completions.ts';
import { type CommandName, type OptionRow, takes } from '../../../src/cli/option-row.ts';
import { OPTIONS } from '../../../src/cli/options.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

type Ask = (...words: readonly string[]) => readonly string[];

function linesOf(program: string, args: readonly string[], variables: NodeJS.ProcessEnv = {}): readonly string[] {
  const env = { ...process.env, ...variables };
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000, env });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.split('\n').filter((line) => line !== '');
}

const askBash: Ask = (...words) => {
  const script = `${completionsOf('bash', COMMANDS)}
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _starling starling "\${@: -1}" "\${@: -2:1}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf('bash', ['-c', script, 'bash', ...words]);
};

/** A shell on a terminal of its own, into which the words and a Tab are typed; its `compadd` tells what was offered. */
const askZsh: Ask = (...words) => {
  const told = `
    ${completionsOf('zsh', COMMANDS)}
    typeset -ga offered
    compadd() {
      if (( \${argv[(I)-[OAD]]} )); then builtin compadd "$@"; return; fi
      local -a hits
      builtin compadd -A hits "$@"
      offered+=($hits)
      builtin compadd "$@"
    }
    tell() {
      offered=()
      _main_complete
      compstate[insert]= compstate[list]=
      print -r -- "offered:\${(j: :)offered}:end"
    }
    zle -C tell complete-word tell
    bindkey '^I' tell`;
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1= PS2=; autoload -U compinit && compinit -u -D; eval \\$told; print rea''dy"
    zpty -r shell seen '*ready*'
    zpty -w shell -n $'\x15'"$1"$'\t'
    zpty -r shell seen '*offered:*:end*'
    print -r -- \${\${seen##*offered:}%%:end*}
    zpty -d shell`;
  const [line = ''] = linesOf('zsh', ['-f', '-c', script, 'zsh', words.join(' ')], { told });
  return line.split(' ').filter((word) => word !== '');
};

const askFish: Ask = (...words) => {
  const script = `${completionsOf('fish', COMMANDS)}\ncomplete -C "$argv"`;
  return linesOf('fish', ['--no-config', '-c', script, words.join(' ')]).map((line) => line.split('\t')[0] ?? '');
};

for (const [shell, ask] of Object.entries({ bash: askBash, zsh: askZsh, fish: askFish })) {
  test(`${shell} offers commands, flags, and the values of a flag`, { skip: !has(shell) }, () => {
    const sorted: Ask = (...words) => [...ask('starling', ...words)].sort();
    assert.deepEqual(sorted('no'), ['node']);
    assert.deepEqual(sorted('node', '--log-m'), ['--log-module']);
    assert.deepEqual(sorted('info', '--prun'), []);
    assert.deepEqual(sorted('node', '--profile', 'lo'), ['low-memory']);
    assert.deepEqual(sorted('node', '--checkpoints', ''), ['false', 'true']);
    assert.deepEqual(sorted('config', ''), ['check', 'show']);
    // Zsh names the last part of a path alone.
    const nulls = shell === 'zsh' ? ['null'] : ['/dev/null'];
    assert.deepEqual(sorted('config', 'check', '/dev/nul'), nulls);
    assert.deepEqual(sorted('node', '--config', '/dev/nul'), nulls);
  });
}

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
