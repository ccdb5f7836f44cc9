/** The content, whose own error is kept in `read`, apart from that of whoever reads it. */
export async function* kept(
  content: AsyncIterable<Buffer>,
  read: { error?: unknown },
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* content;
  } catch (error) {
    read.error = error;
    throw error;
  }
}
