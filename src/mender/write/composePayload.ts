import { UsageError } from '../../errors.ts';
import type { TarFile } from '../../tar/tar.ts';
import { DEFAULT_MTIME, tarSize, tarStream } from '../../tar/tar.ts';
import type { PackImages, Payload } from './files.ts';
import { gzipPayloadFile, tarPayloadFile } from './files.ts';
import { softwareNameOf } from './header.ts';
import { imageEntries, manifestEntries } from './imageFiles.ts';
import { decoderFor, deltaPayload, loadsWithScripts, needsStateScript } from '../onDevice/payload.ts';
import { stateScripts } from '../onDevice/stateScript.ts';
import type { PayloadImage } from '../payload.ts';
import { recordMetaData } from '../record.ts';
import type { ArtifactSpec } from '../spec.ts';

/** The version of the meta-data's form; the module refuses others. */
export const META_DATA_VERSION = '1';

/**
 * The payload of Mender's official update module `docker-compose`: `images.tar.gz` with one
 * loadable tar per image, `manifests.tar`, and its meta-data. A state script can load the images
 * before the module stops the old application. With delta layers, only the script can load them.
 * With patches, the payload carries their decoder. Throws UsageError without images, as the module
 * loads at least one.
 * https://github.com/mendersoftware/mender-container-modules
 */
export function composePayload(spec: ArtifactSpec, pack: PackImages = gzipPayloadFile): Payload {
  const mtime = spec.modificationTime ?? DEFAULT_MTIME;
  if (spec.images.length === 0) {
    throw new UsageError('the update module docker-compose needs at least one image', {
      hint: 'add a service to the Compose file',
    });
  }
  const hasDeltas = needsStateScript(spec.images);
  const images = hasDeltas
    ? deltaPayload(spec.images, mtime, decoderFor(spec))
    : spec.images.map((image) => loadableTar(image, mtime));
  return {
    type: 'docker-compose',
    softwareName: softwareNameOf('docker-compose', spec.softwareName),
    files: [
      pack('images.tar.gz', images, mtime),
      tarPayloadFile('manifests.tar', manifestEntries(spec.manifests), mtime),
    ],
    scripts: loadsWithScripts(spec) ? stateScripts() : [],
    metaData: { version: META_DATA_VERSION, project_name: spec.softwareName, ...recordMetaData(spec.record) },
  };
}

function loadableTar(image: PayloadImage, mtime: number): TarFile {
  const files = imageEntries(image);
  return {
    path: `images/${image.id}.tar`,
    size: tarSize(files),
    body: () => tarStream(files, mtime),
    nested: files,
  };
}
