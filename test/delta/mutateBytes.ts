import fc from 'fast-check';

/** One change to some bytes. */
type Edit =
  | { does: 'set' | 'insert'; at: number; byte: number }
  | { does: 'remove' | 'repeat'; at: number; size: number }
  | { does: 'cut'; at: number };

/** Bytes that numbers and opcodes turn on. */
const TELLING = [0, 1, 4, 7, 8, 0x13, 0x14, 0x30, 0x7f, 0x80, 0x81, 0x8f, 0xa3, 0xf7, 0xff];

const at = fc.nat(20_000);
const byte = fc.oneof(fc.constantFrom(...TELLING), fc.nat(255));
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constantFrom('set', 'insert'), at, byte }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('remove', 'repeat'), at, size: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('cut'), at }) },
);

/** One of the files, damaged here and there; `early` damages mostly its first bytes. */
export function damaged(files: readonly Buffer[], early: number): fc.Arbitrary<Buffer> {
  const near = fc.nat(early);
  const edits = fc.array(fc.tuple(edit, fc.boolean(), near), { minLength: 1, maxLength: 6 });
  return fc
    .tuple(fc.constantFrom(...files), edits)
    .map(([file, list]) =>
      list.reduce(
        (bytes, [change, isEarly, place]) => apply(bytes, isEarly ? { ...change, at: place } : change),
        file,
      ),
    );
}

function apply(bytes: Buffer, change: Edit): Buffer {
  const place = change.at % (bytes.length + 1);
  const before = bytes.subarray(0, place);
  const after = bytes.subarray(place);
  switch (change.does) {
    case 'set':
      return Buffer.concat([before, Buffer.of(change.byte), after.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.of(change.byte), after]);
    case 'remove':
      return Buffer.concat([before, after.subarray(change.size)]);
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, change.size), after]);
    case 'cut':
      return before;
  }
}
