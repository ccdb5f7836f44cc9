import { IntegrityError } from '../../errors.ts';
import { bytesOf } from '../../http/http.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { ImageRepository } from '../endpoint.ts';
import { repositoryName } from '../endpoint.ts';
import type { FilesContext } from './context.ts';
import { givenAddress } from './givenAddress.ts';

/** Bytes of all pages: a registry must not fill the memory. */
const LARGEST_LIST = 32 << 20;
const MOST_PAGES = 1000;

/** Where a list is, and how a page of it is read. */
interface ListRequest<Item> {
  /** Below the repository. */
  path: string;
  headers?: Record<string, string>;
  parse: (bytes: Buffer, where: string) => readonly Item[];
}

/**
 * Returns the items of all pages of a list, or undefined if the registry has no such list. Throws
 * what `parse` throws, and IntegrityError for a list that lacks a page or does not end.
 */
export async function listAll<Item>(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  { path, headers = {}, parse }: ListRequest<Item>,
): Promise<Item[] | undefined> {
  const found: Item[] = [];
  const where = `${repositoryName(repository)}, ${path}`;
  const asked = new Set<string | undefined>();
  let [location, left]: [URL | undefined, number] = [undefined, LARGEST_LIST];
  for (let page = 1; page <= MOST_PAGES && !asked.has(location?.href); page++) {
    asked.add(location?.href);
    const at = location === undefined ? {} : { location };
    const response = await client.request(repository, { method: 'GET', path, headers, signal, ...at });
    if (response.status === 404) {
      response.body.destroy();
      if (page === 1) return undefined;
      throw new IntegrityError(`${where}: page ${page} is missing`);
    }
    const bytes = await bytesOf(response, left);
    // A call takes about 120 000 arguments, and a page may have more items.
    for (const item of parse(bytes, where)) found.push(item);
    location = nextPage(response);
    if (location === undefined) return found;
    left -= bytes.length;
  }
  throw new IntegrityError(`${where}: the list does not end (${found.length} entries)`, {
    hint: 'check the registry, and whether a proxy repeats the same page',
  });
}

/** The address of the next page. https://www.rfc-editor.org/rfc/rfc8288 */
function nextPage({ headers, url }: HttpResponse): URL | undefined {
  const [, next] = /<([^<>]*)>\s*;(?:[^<]*;)?\s*rel="?next"?/i.exec(headers['link'] ?? '') ?? [];
  return next === undefined ? undefined : givenAddress(next, url);
}
