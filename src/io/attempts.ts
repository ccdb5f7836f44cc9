/**
 * `open` for a request that may be repeated: each stream of it is counted by `onBytes`, and what an earlier one had counted is
 * taken back (by a negative number) when the next is opened.
 */
export function countedAttempts(
  open: () => AsyncIterable<Buffer>,
  onBytes: (bytes: number) => void,
): () => AsyncGenerator<Buffer, void, undefined> {
  let counted = 0;
  const count = (bytes: number): void => {
    counted += bytes;
    onBytes(bytes);
  };
  return async function* () {
    if (counted > 0) count(-counted);
    for await (const chunk of open()) {
      count(chunk.length);
      yield chunk;
    }
  };
}
