import { NetworkError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiRequest, ApiResponse } from './apiMessage.ts';
import { valueOf } from './api.ts';

/** The most that every list gives at once. */
const PAGE_SIZE = 500;

/** All items of a list, page after page, for as long as the Link header names a next one. */
export async function* pages<T>(api: Api, request: Omit<ApiRequest, 'method'>): AsyncGenerator<T> {
  for (let page = 1; ; page++) {
    const query = { ...request.query, page, per_page: PAGE_SIZE };
    const answer = await api.call({ ...request, method: 'GET', query });
    yield* itemsOf<T>(answer, request.doing);
    if (!hasNext(answer.headers['link'] ?? '')) return;
  }
}

/** The items of a page; null stands for none, as servers in Go may write it. Throws NetworkError for anything else. */
export function itemsOf<T>(answer: ApiResponse, doing: string): T[] {
  const value = valueOf(answer, doing) ?? [];
  if (Array.isArray(value)) return value as T[];
  throw new NetworkError(`${doing}: expected a list, found something else`, { hint: 'check --mender-host' });
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
