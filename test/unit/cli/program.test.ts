import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { describeFailure, EXIT_CODE_HELP, ExitCode } from '../../../src/cli/exit-codes.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { NodeError } from '../../../src/util/index.ts';

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runProgram(args, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join(''), err: err.join('') };
}

test('--version prints the version of the package', async () => {
  const { code, out, err } = await run('--version');
  assert.deepEqual({ code, err }, { code: 0, err: '' });
  assert.match(out, /^\d+\.\d+\.\d+\n$/);
});

test('--help teaches: every command, each with its flags, examples and exit codes', async () => {
  const general = await run('--help');
  assert.equal(general.code, 0);
  for (const [, means] of EXIT_CODE_HELP) assert.ok(general.out.includes(means));
  for (const [name, row] of Object.entries(COMMANDS)) {
    assert.ok(general.out.includes(row.summary.slice(0, 30)));
    for (const args of [
      [name, '--help'],
      ['help', name],
      [name, '-h'],
    ]) {
      const { code, out } = await run(...args);
      assert.equal(code, 0);
      for (const [example] of row.examples) assert.ok(out.includes(example), example);
    }
  }
  assert.ok(!general.out.includes('devnet-node'));
});

test('examples in help use flags that exist', async () => {
  for (const [name, row] of Object.entries(COMMANDS)) {
    const { out } = await run(name, '--help');
    for (const [example] of row.examples) {
      for (const [flag] of example.matchAll(/--[a-z-]+/g)) assert.ok(out.includes(`${flag} `), `${flag} in ${example}`);
    }
  }
});

test('wrong usage is one line on stderr and exit code 2', async () => {
  const cases: [string[], RegExp][] = [
    [['nod'], /unknown command 'nod' \(Did you mean node\?\)/],
    [['node', '--netwrk', 'regtest'], /unknown option '--netwrk' \(Did you mean --network\?\)/],
    [['node', '--max-peers'], /--max-peers <N>' argument missing/],
    [['node', '--max-peers', 'x'], /--max-peers: "x" does not fit/],
    [['node', '--bootstrap', '/ip4/1.2.3.4'], /--bootstrap: .* multiaddr/],
    [['node', '--prune', '549'], /--prune 549 is below the least of 550 MiB; 0 keeps all blocks/],
    [['import', '--prune', '2', 'x'], /--prune 2 is below the least of 550 MiB/],
    [['node', '--prune', '550', '--txindex'], /Prune mode is incompatible with --txindex/],
    [['info', '--prune', '550'], /unknown option '--prune'/],
    [['info', 'extra'], /too many arguments/],
    [['import'], /missing required argument/],
    [['devnet', '--nodes', '1'], /--nodes: "1" does not fit: a whole number from 2 to 50/],
  ];
  for (const [args, pattern] of cases) {
    const { code, out, err } = await run(...args);
    assert.equal(code, ExitCode.usage, args.join(' '));
    assert.equal(out, '');
    assert.match(err, pattern);
    assert.match(err, /^starling: .*\n$/, 'one line');
  }
});

test('without a command it prints the help and fails', async () => {
  const { code, err } = await run();
  assert.equal(code, ExitCode.usage);
  assert.match(err, /Usage: starling/);
});

test('failures have exit codes and one line', () => {
  const locked = describeFailure(new NodeError('DATADIR_LOCKED', 'the data directory\n is in use'));
  assert.deepEqual(locked, { code: ExitCode.locked, line: 'the data directory is in use' });
  const full = describeFailure(Object.assign(new Error('write'), { code: 'ENOSPC' }));
  assert.equal(full.code, ExitCode.disk);
  assert.match(full.line, /disk is full/);
  assert.equal(describeFailure('odd').code, ExitCode.unexpected);
});
