import type { GenericSchema, InferOutput } from 'valibot';
import { array, nullable } from 'valibot';
import { AnswerError, readAnswer } from './answer.ts';
import type { Api } from './api.ts';
import type { ApiRequest, ApiResponse } from './apiMessage.ts';

/** The most that every list gives at once. */
const PAGE_SIZE = 500;
/** A server that always names a next page must not fill the memory. */
const MOST_PAGES = 1000;
const MOST_CHARACTERS = 128 << 20;
/** Each takes memory of its own, however short its text is. */
const MOST_ITEMS = 2_000_000;

/**
 * All items of a list, page after page, as long as the Link header names a next one. Throws
 * AnswerError for an invalid item and for a list without end: an empty or repeated page with a next
 * one, or too many pages or items.
 */
export async function listOf<Schema extends GenericSchema>(
  api: Api,
  schema: Schema,
  request: Omit<ApiRequest, 'method'>,
): Promise<InferOutput<Schema>[]> {
  const items: InferOutput<Schema>[] = [];
  let [before, characters] = ['', 0];
  for (
    let page = 1;
    page <= MOST_PAGES && characters <= MOST_CHARACTERS && items.length <= MOST_ITEMS;
    page++
  ) {
    const query = { ...request.query, page, per_page: PAGE_SIZE };
    const answer = await api.call({ ...request, method: 'GET', query });
    const found = itemsOf(answer, schema, request.doing);
    for (const one of found) items.push(one);
    if (!hasNext(answer.headers['link'] ?? '')) return items;
    if (found.length === 0 || answer.text === before) break;
    before = answer.text;
    characters += answer.text.length;
  }
  throw new AnswerError(`${request.doing}: the list of ${api.host} does not end (${items.length} items)`, {
    hint: 'check --mender-host, and whether a proxy repeats the same page',
  });
}

/** The items of a page. Servers in Go may write null for an empty list. */
export function itemsOf<Schema extends GenericSchema>(
  answer: ApiResponse,
  schema: Schema,
  doing: string,
): InferOutput<Schema>[] {
  return readAnswer(answer, nullable(array(schema)), doing) ?? [];
}

/** https://www.rfc-editor.org/rfc/rfc8288 */
function hasNext(link: string): boolean {
  return /;\s*rel="?next"?/.test(link);
}
