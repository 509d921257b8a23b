/**
 * `npm run churn`, small: real networks in two processes, a fifth replaced within the minute. Here it has to run and find
 * the nodes together; its own verdict on how long a slot stays empty is for a quiet machine, and is printed.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/churn.ts', import.meta.url));

test('twelve nodes, of which a fifth is replaced, hang together', async (t) => {
  const options = ['--nodes', '12', '--processes', '2', '--outbound', '3', '--minutes', '1'];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [SCRIPT, ...options], { signal: t.signal }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
  for (const line of output.trim().split('\n')) t.diagnostic(line);
  const [, looks, splits] = /^(\d+) looks at the network, (\d+) of them found it split$/m.exec(output) ?? [];
  assert.ok(Number(looks) > 0, output);
  assert.ok(2 * Number(splits) < Number(looks));
});
