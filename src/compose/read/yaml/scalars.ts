const WHOLE = /^([-+]?)(?:(0x[0-9a-f]+)|(0b[01]+)|0o?([0-7]+)|(0|[1-9][0-9]*))$/i;
const FRACTION = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DATE =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]| +)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?(?:Z|[-+]\d{2}:?\d{2})?)?$/;

/**
 * The number that Compose's YAML reader takes an unquoted text for, or undefined if it is text. It
 * reads `0440` and `0o440` as octal and allows `0x`, `0b` and underscores.
 */
export function plainNumber(text: string): number | bigint | undefined {
  if (!/^[-+.0-9]/.test(text)) return undefined;
  const digits = text.replaceAll('_', '');
  const found = WHOLE.exec(digits);
  if (found === null) return FRACTION.test(digits) ? Number(digits) : undefined;
  const [, sign, hexadecimal, binary, octal, decimal] = found as (string | undefined)[];
  return wholeNumber(sign === '-', hexadecimal ?? binary ?? (octal && `0o${octal}`) ?? decimal ?? '');
}

/** True for an unquoted text that Compose's YAML reader takes for a point in time. */
export function isPlainDate(text: string): boolean {
  return DATE.test(text);
}

function wholeNumber(isNegative: boolean, digits: string): number | bigint {
  const size = isNegative ? -BigInt(digits) : BigInt(digits);
  const number = Number(size);
  return Number.isSafeInteger(number) ? number : size;
}
