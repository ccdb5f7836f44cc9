import { UsageError, messageOf } from '../errors.ts';
import { readUserFile } from '../io/readUserFile.ts';
import { parseYaml } from '../io/yaml.ts';

/**
 * The content of a YAML or JSON file. Throws NotFoundError if it does not exist, and UsageError with
 * one line if it can't be read or parsed.
 */
export async function readYamlFile(path: string): Promise<unknown> {
  const text = (await readUserFile(path, { doing: `reading ${path}` })).toString('utf8');
  return parseText(text, path, parseYaml);
}

/**
 * What `parse` makes of a text from `source`. Throws UsageError with one line if it can't be
 * parsed.
 */
export function parseText(text: string, source: string, parseIt: (text: string) => unknown): unknown {
  try {
    return parseIt(text);
  } catch (error) {
    throw new UsageError(`${source}: ${messageOf(error).split('\n')[0] ?? ''}`, {
      hint: 'correct the text at this place',
    });
  }
}
