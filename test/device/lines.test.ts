import { expect, it } from 'vitest';
import { linesIn } from '../../src/device/lines.ts';

async function lines(chunks: readonly string[], longest = 5): Promise<string[]> {
  const found: string[] = [];
  const bytes = (async function* () {
    await Promise.resolve();
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  })();
  for await (const line of linesIn(bytes, longest)) found.push(line);
  return found;
}

it.each<[string, string[], string[]]>([
  ['nothing', [], []],
  ['lines', ['a\nb\n'], ['a', 'b']],
  ['a last line without end', ['a\nb'], ['a', 'b']],
  ['empty lines', ['\n\na\n'], ['', '', 'a']],
  ['Windows line ends', ['a\r\nb\r\n'], ['a', 'b']],
  ['lines in pieces', ['a', 'b\nc', '\n'], ['ab', 'c']],
  ['characters in pieces', ['\xc3', '\xa4\n'], ['ä']],
  ['a long line', ['abcdefgh', 'ijklm\nn'], ['abcde', 'fghijklm', 'n']],
  ['a line without end', ['abcde', 'fghij', 'k'], ['abcde', 'fghij', 'k']],
])('%s', async (_name, chunks, expected) => {
  expect(await lines(chunks)).toEqual(expected);
});
