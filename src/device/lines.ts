import { StringDecoder } from 'node:string_decoder';
import { setImmediate } from 'node:timers/promises';

/**
 * The lines of what a program writes, without their ends. A line of more than `longest` characters
 * comes in pieces. Signals are served between the chunks, however fast they come.
 */
export async function* linesIn(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield line.replace(/\r$/, '');
    for (; rest.length > longest; rest = rest.slice(longest)) yield rest.slice(0, longest);
    await setImmediate();
  }
  rest += decoder.end();
  if (rest !== '') yield rest;
}
