import { posix } from 'node:path';
import type { DeviceReference } from '../../compose/deviceFile.ts';
import { parseDotenv } from '../../compose/read/variables/dotenv.ts';
import { UserError } from '../../errors.ts';
import type { FileReport } from '../../mender/read/report.ts';
import { parsePlatform, samePlatform } from '../../oci/platform.ts';
import { shortForm } from '../../oci/reference.ts';
import type { ImageContent } from './content.ts';
import { unlessDamaged } from './content.ts';

/** The files of `manifests/`, and the content of the small ones. */
interface ShippedFiles {
  manifests: readonly FileReport[];
  smallFiles: ReadonlyMap<string, Buffer>;
}

/**
 * Returns which local files Compose on a device would not find, or could not read. A missing folder
 * of a mount is created there; an absolute path is a matter of the device. Pure.
 */
export function referenceProblems(references: readonly DeviceReference[], files: ShippedFiles): string[] {
  return references.flatMap((reference) => {
    const problem = problemOf(reference, files);
    return problem === undefined ? [] : [`${reference.what}: ${problem}`];
  });
}

function problemOf(reference: DeviceReference, { manifests, smallFiles }: ShippedFiles): string | undefined {
  const { path, kind, isOptional } = reference;
  if (posix.isAbsolute(path)) return undefined;
  if (path === '..' || path.startsWith('../')) return `${path} is outside of manifests/`;
  if (kind === 'mount') return undefined;
  if (!manifests.some((file) => file.path === path)) {
    const isFolder = manifests.some((file) => file.path.startsWith(`${path}/`));
    if (isFolder) return `manifests/${path} is a folder, expected a file`;
    return isOptional ? undefined : `manifests/${path} is not in the artifact`;
  }
  const content = kind === 'env_file' || kind === 'label_file' ? smallFiles.get(path) : undefined;
  return content && faultOf(content.toString('utf8'), `manifests/${path}`);
}

/** Why Compose could not read an env file. Its variables may be those of the device. */
function faultOf(text: string, where: string): string | undefined {
  try {
    parseDotenv(text, where, () => 'x');
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/**
 * Returns the services that ask for another platform than that of their image. Docker on a device
 * refuses them. Pure.
 */
export function platformProblems(
  platforms: ReadonlyMap<string, string>,
  used: ReadonlyMap<string, string>,
  images: readonly ImageContent[],
): string[] {
  return [...platforms].flatMap(([service, wanted]) => {
    const name = shortForm(used.get(service) ?? '') ?? '';
    const image = images.find(({ report }) => report.image === name)?.report;
    if (image?.platform === undefined || isSame(image.platform, wanted)) return [];
    return [`services.${service}.platform is ${wanted}, and its image is for ${image.platform}`];
  });
}

function isSame(one: string, other: string): boolean {
  const [have, want] = [one, other].map((text) => unlessDamaged(() => parsePlatform(text)));
  return have !== undefined && want !== undefined && samePlatform(have, want);
}
