/** The methods as a page of Markdown: what `help` says of each, by category. */
import { helpText } from './help-text.ts';
import type { RpcMethod } from './method.ts';
import { listedByCategory } from './method-table.ts';

export function methodsManual(methods: readonly RpcMethod[]): string {
  const parts = listedByCategory(methods).flatMap(([title, members]) => [
    `## ${title}`,
    ...members.map((method) => `### ${method.name}\n\n\`\`\`text\n${helpText(method).trimEnd()}\n\`\`\``),
  ]);
  return `${['# Starling JSON-RPC', ABOUT, ...parts].join('\n\n')}\n`;
}

const ABOUT =
  'The methods are those of Bitcoin Core 27. `starling rpc METHOD …` calls one of a running node, as `bitcoin-cli` does; ' +
  'programs find it by HTTP where Core’s would be. `rpc.discover` gives the same as an OpenRPC document.';
