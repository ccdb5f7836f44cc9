import type { Api } from './api.ts';
import type { ApiRequest } from './apiMessage.ts';
import { valueOf } from './api.ts';

/** The most that every list gives at once. */
const PAGE_SIZE = 500;

/** All items of a list, page after page, for as long as the Link header names a next one. */
export async function* pages<T>(api: Api, request: Omit<ApiRequest, 'method'>): AsyncGenerator<T> {
  for (let page = 1; ; page++) {
    const query = { ...request.query, page, per_page: PAGE_SIZE };
    const answer = await api.call({ ...request, method: 'GET', query });
    yield* valueOf(answer, request.doing) as T[];
    if (!hasNext(answer.headers['link'] ?? '')) return;
  }
}

/** All items in one list. */
export async function listOf<T>(api: Api, request: Omit<ApiRequest, 'method'>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of pages<T>(api, request)) items.push(item);
  return items;
}

/** https://www.rfc-editor.org/rfc/rfc8288 */
function hasNext(link: string): boolean {
  return /;\s*rel="?next"?/.test(link);
}
