/** `npm run churn`, small: real networks in two processes, a fifth replaced within the minute. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('../../scripts/churn.ts', import.meta.url));

test('twelve nodes, of which a fifth is replaced, hang together and keep their outbound peers', async (t) => {
  const options = ['--nodes', '12', '--processes', '2', '--outbound', '3', '--minutes', '1'];
  // Rejects if the script ends with another code than 0.
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...options], { signal: t.signal });
  for (const line of stdout.trim().split('\n')) t.diagnostic(line);
  assert.match(stdout, /^\d\d looks at the network, 0 of them found it split$/m);
});
