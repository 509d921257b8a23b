/**
 * A reporter for node:test: one line a file or top-level test, failures and skips in full, counts as JSON in the
 * file named by STARLING_TEST_REPORT.
 */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

type FileTally = { tests: number; failed: number; ms: number };

/** Consumes the events of one run; yields text for the terminal. */
// biome-ignore lint/style/noDefaultExport: node:test takes a reporter module's default export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const files = new Map<string, FileTally>();
  for await (const event of events) {
    if (event.type === 'test:pass' || event.type === 'test:fail') {
      const { data } = event;
      const isSuite = data.details.type === 'suite';
      const file = relative(process.cwd(), data.file ?? data.name);
      const tally = files.get(file) ?? { tests: 0, failed: 0, ms: 0 };
      files.set(file, tally);
      if (data.nesting === 0) tally.ms += data.details.duration_ms;
      if (data.skip !== undefined || data.todo !== undefined) {
        counts.skipped++;
        yield `  skipped: ${data.name}${typeof data.skip === 'string' && data.skip !== '' ? ` (${data.skip})` : ''}\n`;
      } else if (event.type === 'test:fail') {
        // A suite or a test with subtests that failed is only the echo of what was printed before.
        const { error } = event.data.details;
        if (isEcho(error)) continue;
        counts.failed++;
        tally.failed++;
        yield `\n  FAILED ${file}${data.line ? `:${data.line}` : ''}  ${data.name}\n${indent(describe(error))}\n\n`;
      } else if (!isSuite) {
        counts.passed++;
        tally.tests++;
      }
    } else if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      yield event.data.message;
    } else if (event.type === 'test:diagnostic' && event.data.file !== undefined) {
      yield `  ${event.data.message}\n`;
    }
  }
  for (const [file, tally] of files) {
    const outcome = tally.failed > 0 ? `${tally.failed} FAILED, ` : '';
    yield `  ${outcome}${tally.tests} passed  ${(tally.ms / 1000).toFixed(2)} s  ${file}\n`;
  }
  const path = process.env['STARLING_TEST_REPORT'];
  if (path) writeFileSync(path, JSON.stringify(counts satisfies Counts));
}

function isEcho(error: unknown): boolean {
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed';
}

/** What was thrown, without the runner's wrapper around it. */
function describe(error: unknown): string {
  const thrown = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : inspect(thrown);
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
