/** Configuration files in JSON: one object; an object in it holds what counts for the network of that name alone. */
import { errorText, NodeError } from '#util';
import { type ConfigFile, isTable, tableEntries } from './entries.ts';

/** Throws NodeError `BAD_CONFIG`. */
export function readJsonForm(text: string, path: string): ConfigFile {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new NodeError('BAD_CONFIG', `${path} is not valid JSON: ${errorText(error)}`, { cause: error });
  }
  if (!isTable(json)) throw new NodeError('BAD_CONFIG', `${path}: one JSON object is expected`);
  const lines = keyLines(text);
  const { entries, problems } = tableEntries(json, path, (section, key) => lines.get(lineKey(section, key)));
  if (problems[0] !== undefined) throw new NodeError('BAD_CONFIG', problems[0]);
  return { path, form: 'ours', entries, notes: [] };
}

const lineKey = (section: string | undefined, key: string): string => JSON.stringify([section ?? null, key]);

/** The lines of the keys of the object and of the objects in it. The text is valid JSON. */
function keyLines(text: string): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  const path: (string | undefined)[] = [];
  let line = 1;
  let word: string | undefined;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:\n]/g)) {
    if (token === '\n') line++;
    else if (token.startsWith('"')) word = JSON.parse(token);
    else if (token === '{' || token === '[') path.push(undefined);
    else if (token === '}' || token === ']') path.pop();
    else {
      path.splice(-1, 1, word);
      if (path.length <= 2 && word !== undefined)
        lines.set(lineKey(path.length === 2 ? path[0] : undefined, word), line);
    }
  }
  return lines;
}
