/** Bytes that lengths, opcodes and texts turn on. */
const TELLING = [0, 1, 4, 7, 8, 9, 10, 0x20, 0x22, 0x24, 0x30, 0x3a, 0x5b, 0x7b, 0x7f, 0x80, 0x81, 0xff];
/** Pieces that parsers treat in a way of their own. */
const WORDS = [
  ...['null', 'true', '{}', '[]', '""', '-1', '1e999', '0x7fffffff', '99999999999999999999', '"\\ud800"'],
  ...['../', './', '//', '\0', '\r\n', '\t', '&a ', '*a', '<<: ', '!reset ', '? ', '- ', '${A:-${B}}', '$$'],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'sha256:',
    '@',
    ':',
    '%00',
    '\u{1f600}',
    '[[[[[[[[',
    '{{{{{{{{',
  ],
].map((word) => Buffer.from(word));
const MOST_CHANGES = 6;
const LONGEST_PIECE = 64;

/**
 * One of `inputs`, changed in one to six places, perhaps with a piece of another one. Changes none
 * of them.
 */
export function mutated(inputs: readonly Buffer[], random: () => number): Buffer {
  let bytes = pick(inputs, random);
  for (let changes = 1 + Math.floor(random() * MOST_CHANGES); changes > 0; changes--) {
    bytes = changed(bytes, inputs, random);
  }
  return bytes;
}

function changed(bytes: Buffer, inputs: readonly Buffer[], random: () => number): Buffer {
  const at = place(bytes, random);
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  const size = Math.floor(random() * LONGEST_PIECE);
  const other = pick(inputs, random);
  const from = place(other, random);
  const changes = [
    () => [before, Buffer.of(pick(TELLING, random)), after.subarray(1)],
    () => [before, Buffer.of(Math.floor(random() * 256)), after.subarray(1)],
    () => [before, Buffer.of((after[0] ?? 0) ^ (1 << Math.floor(random() * 8))), after.subarray(1)],
    () => [before, Buffer.of(pick(TELLING, random)), after],
    () => [before, pick(WORDS, random), after],
    () => [before, after.subarray(size)],
    () => [before, after.subarray(0, size), after],
    () => [before, other.subarray(from, from + size), after],
    () => (random() < 0.2 ? [before] : [after]),
  ];
  return Buffer.concat(pick(changes, random)());
}

/** A position, half of the time near the beginning, where headers are. */
function place(bytes: Buffer, random: () => number): number {
  const length = random() < 0.5 ? Math.min(bytes.length, 600) : bytes.length;
  return Math.floor(random() * (length + 1));
}

function pick<T>(list: readonly T[], random: () => number): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('there is nothing to choose from');
  return found;
}
