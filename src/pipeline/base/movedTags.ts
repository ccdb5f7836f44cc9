import type { Application } from '../../compose/application.ts';
import { interpolate, namesIn } from '../../compose/read/variables/template.ts';
import type { Variables } from '../../compose/read/variables/variables.ts';
import { asMapping, scalarText } from '../../compose/read/yaml/value.ts';
import { UsageError } from '../../errors.ts';

/** An image of an old commit whose reference has no digest. */
export interface TaggedImage {
  services: readonly string[];
  reference: string;
  /** When the image that the reference means now was made, as its config says. */
  created?: string | undefined;
  /** Variables of this build's environment that choose its tag. */
  variables?: readonly string[];
}

/**
 * Reproducible builds write a fixed time, most often 1970 or 1980. Docker did not exist before 2013.
 */
const FIRST_BELIEVABLE = Date.parse('2013-01-01T00:00:00Z');

/**
 * Returns why the reference may mean another image than at the commit, or undefined if the image is
 * older than the commit. Pure.
 */
export function doubtAbout(
  { created, variables = [] }: Pick<TaggedImage, 'created' | 'variables'>,
  committed: Date,
): string | undefined {
  if (variables.length > 0) return `${variables.join(', ')} of the environment chooses its tag today`;
  const made = created === undefined ? Number.NaN : Date.parse(created);
  if (!(made >= FIRST_BELIEVABLE)) return 'nothing says when it was made';
  if (made <= committed.getTime()) return undefined;
  return `it was made ${new Date(made).toISOString()}, after the commit of ${committed.toISOString()}`;
}

/** Throws UsageError that names all images that may not be those of the commit. Pure. */
export function requireUnmoved(images: readonly TaggedImage[], committed: Date, origin: string): void {
  const doubts = images.flatMap((image) => {
    const doubt = doubtAbout(image, committed);
    return doubt === undefined ? [] : [`${image.services.join(', ')}: ${image.reference}: ${doubt}`];
  });
  if (doubts.length === 0) return;
  throw new UsageError(
    `the base ${origin}: its tags may mean other images now than on the devices: ${doubts.join('; ')}`,
    {
      hint: ({ option }) =>
        `name the artifact that the devices have with ${option('base', 'FILE.mender')} or ${option('base', 'mender://NAME')}, commit a lock file (mender-docker-delta lock), write references with digests, give their variables values in a committed .env, or ship everything with ${option('delta', 'false')}`,
    },
  );
}

/**
 * Returns the variables of this build's environment that choose the tag of a service's image. They
 * say nothing about the images of an earlier commit. A variable that only names the registry or the
 * repository is not among them. Pure.
 */
export function tagVariables(service: string, { parts, services }: Application): string[] {
  const { deferred, variables, filled } = parts;
  const template = scalarText(asMapping(asMapping(deferred['services'])[service])['image']);
  const tag = tagOf(services.find(({ name }) => name === service)?.image ?? '');
  if (tag !== tagWithoutBuild(template, variables)) return namesIn(template).filter(variables.isFromBuild);
  // Included and extended files have no expressions any more.
  const chosen = filled.filter(({ name, at }) => at.at(-1) === 'image' && variables.isFromBuild(name));
  const names = chosen.map(({ name }) => name).filter((name) => isPartOf(variables.lookup(name) ?? '', tag));
  return [...new Set(names)];
}

/** The tag or the digest of a reference with its separator, or an empty text. */
function tagOf(reference: string): string {
  return /(?:@.*|:[^/:]*)$/.exec(reference)?.[0] ?? '';
}

/** Undefined if the reference can't be had without the environment of the build. */
function tagWithoutBuild(template: string, { lookup, isFromBuild }: Variables): string | undefined {
  try {
    return tagOf(interpolate(template, (name) => (isFromBuild(name) ? undefined : lookup(name))));
  } catch {
    return undefined;
  }
}

function isPartOf(value: string, tag: string): boolean {
  return value !== '' && tag !== '' && (tag.includes(value) || value.includes(tag));
}
