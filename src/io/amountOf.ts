/** `1 device` or `2 devices`. `plural`: if it is not the noun with an s. Pure. */
export function amountOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
