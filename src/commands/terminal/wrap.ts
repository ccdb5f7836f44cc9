import { visibleLength } from './marks.ts';

/** `text` in lines of at most `width` columns, broken between words only. */
export function wrapped(text: string, width: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width || line === '') {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line].join('\n');
}

/** The widest that a left column gets. A longer text has a line of its own. */
const LEFT_MOST = 30;

/** Two columns: names, and texts that wrap next to them. Fits into `width` columns. */
export function columns(rows: readonly (readonly [name: string, text: string])[], width: number): string[] {
  const names = rows.map(([name]) => name.length).filter((length) => length <= LEFT_MOST);
  const left = names.reduce((most, one) => Math.max(most, one), 8) + 2;
  return rows.flatMap(([name, text]) => {
    const lines = wrapped(text, Math.max(width - left, 20)).split('\n');
    const padded = lines.map((line) => `${' '.repeat(left)}${line}`.trimEnd());
    if (name.length > LEFT_MOST) return [name, ...padded];
    return [`${name.padEnd(left)}${lines[0] ?? ''}`.trimEnd(), ...padded.slice(1)];
  });
}

/** A line that people copy from, which a line break would spoil, or that a device logged. */
const KEPT = /\bmender-docker-delta \w|^ {2}\| /;

/** `text` with its long lines broken between words. A line with a command to copy stays whole. */
export function fitLines(text: string, width: number): string {
  const lines = text.split('\n');
  return lines
    .map((line) => (visibleLength(line) > width && !KEPT.test(line) ? folded(line, width) : line))
    .join('\n');
}

/** The lines after the first are indented. */
function folded(line: string, width: number): string {
  const [start = ''] = /^ */.exec(line) ?? [];
  const indent = `${start}  `;
  const text = wrapped(line.slice(start.length), Math.max(width - indent.length, 20));
  return start + text.replaceAll('\n', `\n${indent}`);
}

/**
 * A command in lines of at most `width` columns, which a shell reads as one. It is broken between
 * words only. The lines after the first are indented.
 */
export function shellLines(command: string, width: number): string[] {
  const words = command.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const [index, word] of words.entries()) {
    const longer = line === '' ? word : `${line} ${word}`;
    const end = index === words.length - 1 ? '' : ' \\';
    if (line === '' || longer.length + end.length <= width) {
      line = longer;
    } else {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    }
  }
  return [...lines, line];
}
