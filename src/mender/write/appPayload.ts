import { digestOf, hexOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { TarFile } from '../../tar/tar.ts';
import { DEFAULT_MTIME, tarFile, tarSize, tarStream } from '../../tar/tar.ts';
import type { PackImages, Payload } from './files.ts';
import { gzipPayloadFile } from './files.ts';
import { softwareNameOf } from './header.ts';
import { imageEntries, manifestEntries, needsBaseImage } from './imageFiles.ts';
import type { PayloadImage } from '../payload.ts';
import { recordMetaData } from '../record.ts';
import type { ArtifactSpec } from '../spec.ts';

/** The folder of the module's script that runs the application. */
export const APP_ORCHESTRATOR = 'docker-compose';

/**
 * The payload of the update module `app`: `manifests.tar.gz`, `images.tar.gz` and the meta-data
 * that it expects.
 * https://github.com/mendersoftware/app-update-module
 */
export function appPayload(spec: ArtifactSpec, pack: PackImages = gzipPayloadFile): Payload {
  const mtime = spec.modificationTime ?? DEFAULT_MTIME;
  const images = spec.images.flatMap((image) => imageFolder(image, mtime));
  return {
    type: 'app',
    softwareName: softwareNameOf('app', spec.softwareName),
    files: [
      // If the file is missing, the module loads no images. An empty one makes it fail.
      ...(images.length === 0 ? [] : [pack('images.tar.gz', images, mtime)]),
      gzipPayloadFile('manifests.tar.gz', manifestEntries(spec.manifests), mtime),
    ],
    scripts: [],
    metaData: {
      application_name: spec.softwareName,
      orchestrator: APP_ORCHESTRATOR,
      platform: formatPlatform(spec.platform),
      version: spec.softwareVersion,
      images: spec.images.map(({ id }) => id),
      ...recordMetaData(spec.record),
    },
  };
}

function imageFolder(image: PayloadImage, mtime: number): TarFile[] {
  const folder = `images/${image.id}`;
  const files = imageEntries(image);
  return [
    ...imageTexts(image).map((text) => ({ ...text, path: `${folder}/${text.path}` })),
    { path: `${folder}/image.img`, size: tarSize(files), body: () => tarStream(files, mtime), nested: files },
  ];
}

/**
 * The files next to `image.img` that tell the module which image it is, and from which it is made.
 */
export function imageTexts(image: PayloadImage): TarFile[] {
  const deep = needsBaseImage(image);
  const name = formatReference(image.name);
  const sum = hexOf(digestOf(image.config));
  return [
    tarFile('url-new.txt', name),
    tarFile('url-current.txt', deep ? formatReference(image.current ?? image.name) : name),
    tarFile('sums-new.txt', sum),
    // The module only names a temporary file after it, but it must not be empty.
    tarFile('sums-current.txt', sum),
    ...(deep ? [tarFile('deep_delta', '')] : []),
  ];
}
