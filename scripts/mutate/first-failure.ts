/**
 * A reporter for node:test that ends the process at the first failure, whose place and name it prints; when all
 * passed, the seconds that the process has computed.
 */
import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

// biome-ignore lint/style/noDefaultExport: node:test takes a reporter module's default export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:fail' || event.data.todo !== undefined) continue;
    const { file = '', name } = event.data;
    process.stdout.write(`${relative(process.cwd(), file)}: ${name}\n`, () => process.exit(1));
    yield '';
  }
  const { user, system } = process.cpuUsage();
  yield `${(user + system) / 1e6}\n`;
}
