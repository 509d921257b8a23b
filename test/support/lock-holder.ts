/** A process that locks the directory given, says so, and holds it until its input ends or it is killed. */
import { lockDirectory } from '#store';
import { NodeError } from '#util';

const directory = process.argv[2];
if (directory === undefined) throw new Error('usage: lock-holder DIRECTORY');
try {
  await using _lock = await lockDirectory(directory);
  process.stdout.write('locked\n');
  for await (const _chunk of process.stdin);
} catch (error) {
  if (!(error instanceof NodeError)) throw error;
  process.stdout.write(`${error.code} ${error.message}\n`);
  process.exitCode = 1;
}
