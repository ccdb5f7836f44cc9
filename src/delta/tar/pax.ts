/** What a pax extended header says about its entry, as far as it moves the parts of the tar. */
export interface PaxRecords {
  path?: Uint8Array;
  /** Bytes of the body in the tar. */
  size?: number;
}

const KEYS: Record<string, keyof PaxRecords> = { path: 'path', 'GNU.sparse.name': 'path', size: 'size' };

/**
 * The records `LENGTH KEY=VALUE\n` in the body of a pax header. A malformed record ends the list.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */
export function parsePax(body: Uint8Array): PaxRecords {
  const records: PaxRecords = {};
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? 0 : digits(body, at, space);
    const equals = body.indexOf(0x3d, space);
    if (length === undefined || equals < 0 || length <= equals - at || at + length > body.length) break;
    const key = KEYS[Buffer.from(body.subarray(space + 1, equals)).toString('latin1')];
    if (key !== undefined) setRecord(records, key, body.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function setRecord(records: PaxRecords, key: keyof PaxRecords, value: Uint8Array): void {
  if (key === 'path') {
    records.path = value;
    return;
  }
  const size = digits(value, 0, value.length);
  if (size !== undefined) records.size = size;
}

function digits(bytes: Uint8Array, start: number, end: number): number | undefined {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return end > start && value <= Number.MAX_SAFE_INTEGER ? value : undefined;
}
