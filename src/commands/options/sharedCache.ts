import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseOciReference } from '../../pipeline/images/registryArtifact.ts';

const CACHE = 'The cache:';

/** What a build shares with other machines. */
export const SHARED_CACHE_OPTIONS = {
  'cache-from': {
    group: CACHE,
    type: 'string',
    array: true,
    separator: '\n',
    placeholder: 'PLACE',
    describe:
      'Take deltas from type=registry,ref=HOST/REPO[:TAG] or type=local,src=FOLDER; repeatable, in a variable or action input one on each line',
  },
  'cache-to': {
    group: CACHE,
    type: 'string',
    array: true,
    separator: '\n',
    placeholder: 'PLACE',
    describe:
      'Store deltas in type=registry,ref=HOST/REPO[:TAG] or type=local,dest=FOLDER; repeatable, in a variable or action input one on each line',
  },
  'cache-key': {
    group: CACHE,
    type: 'string',
    placeholder: 'FILE',
    describe:
      'Key (PEM) for a shared cache: a private key signs what is stored; with either half, a build uses signed deltas without fetching their layers',
  },
} as const;

/** Where shared entries are. */
export type CachePlace =
  { type: 'registry'; reference: Reference & { tag: string } } | { type: 'local'; folder: string };

type Direction = '--cache-from' | '--cache-to' | '--remote';

/** Long enough for a name, and short enough for a tag with a digest behind it. */
const LONGEST_TAG = 60;

/**
 * Parses `type=registry,ref=..` or `type=local,src=..`, as docker buildx writes it. A relative
 * folder is one in `folder`. Throws UsageError.
 */
export function parseCachePlace(text: string, option: Direction, folder: string): CachePlace {
  const fields = new Map(text.split(',').map((part) => splitField(part, text, option)));
  const path = option === '--cache-from' ? 'src' : 'dest';
  const type = fields.get('type');
  const wanted = { registry: 'ref', local: path }[type ?? ''];
  const value = fields.get(wanted ?? '');
  const odd = [...fields.keys()].find((name) => name !== 'type' && name !== wanted);
  if (wanted === undefined || value === undefined || value === '' || odd !== undefined) {
    throw invalid(
      text,
      option,
      odd !== undefined && wanted !== undefined ? `unknown field ${odd}=` : undefined,
    );
  }
  if (type === 'local') return { type, folder: resolve(folder, value) };
  return { type: 'registry', reference: withShortTag(parseRef(value, text, option), text, option) };
}

/** The folders among the places, absolute. Throws UsageError for an invalid place. */
export function sharedFolders(
  { cacheFrom = [], cacheTo = [] }: { cacheFrom?: string[] | undefined; cacheTo?: string[] | undefined },
  folder: string,
): string[] {
  const places = [
    ...cacheFrom.map((text) => parseCachePlace(text, '--cache-from', folder)),
    ...cacheTo.map((text) => parseCachePlace(text, '--cache-to', folder)),
  ];
  return places.flatMap((place) => (place.type === 'local' ? [place.folder] : []));
}

function splitField(part: string, text: string, option: Direction): [string, string] {
  const at = part.indexOf('=');
  if (at < 1) throw invalid(text, option);
  return [part.slice(0, at), part.slice(at + 1)];
}

/** `why`: what is wrong with it, if more is known than that it has another form. */
function invalid(text: string, option: Direction, why?: string): UsageError {
  const path = option === '--cache-from' ? 'src' : 'dest';
  const forms = `type=registry,ref=HOST/REPO[:TAG] or type=local,${path}=FOLDER`;
  const what = `${option} ${JSON.stringify(hideCredentials(text))}`;
  if (why !== undefined) return new UsageError(`${what}: ${why}`, { hint: `write ${forms}` });
  return new UsageError(`${what}: expected ${forms}`, { hint: 'write it as docker buildx does' });
}

/** The hints of an invalid reference are about releases. */
function parseRef(ref: string, text: string, option: Direction): Reference {
  try {
    return parseOciReference(ref);
  } catch (error) {
    if (error instanceof UsageError) throw invalid(text, option, error.message);
    throw error;
  }
}

function withShortTag(reference: Reference, text: string, option: Direction): Reference & { tag: string } {
  const { tag = 'latest', digest, ...repository } = reference;
  if (digest === undefined && tag.length <= LONGEST_TAG) return { ...repository, tag };
  const why = digest === undefined ? `a tag of at most ${LONGEST_TAG} characters` : 'no digest';
  throw new UsageError(`${option} ${JSON.stringify(hideCredentials(text))}: expected ${why}`, {
    hint: 'each entry gets a tag of its own, which begins with this one',
  });
}
