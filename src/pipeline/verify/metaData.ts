import { strings } from '../../mender/read/json.ts';
import type { ArtifactReport, ImageReport } from '../../mender/read/report.ts';
import type { ArtifactRecord } from '../../mender/record.ts';
import { RECORD_KEY } from '../../mender/record.ts';
import type { Module } from '../../mender/spec.ts';
import { APP_ORCHESTRATOR } from '../../mender/write/appPayload.ts';
import { META_DATA_VERSION } from '../../mender/write/composePayload.ts';
import { checkApplicationName } from '../base/applicationName.ts';
import { findVersion } from '../base/versionKey.ts';
import { unlessDamaged } from './content.ts';
import { projectIn } from './envelope.ts';
import { shown } from './shown.ts';

/** The keys that each update module reads. */
const KEYS: Record<Module, readonly string[]> = {
  app: ['application_name', 'orchestrator', 'platform', 'version', 'images'],
  'docker-compose': ['version', 'project_name'],
};

/**
 * Returns where the meta-data is another than this tool writes for the content of the artifact.
 * Update modules refuse some of it, and use the rest in paths and commands.
 */
export function metaDataProblems(report: ArtifactReport, module: Module): string[] {
  const { metaData = {} } = report;
  const software = projectIn(report);
  const known = [...KEYS[module], RECORD_KEY];
  return [
    ...Object.keys(metaData)
      .filter((key) => !known.includes(key))
      .map((key) => `its meta-data has the key ${JSON.stringify(key)}, which the tool does not write`),
    ...(software === undefined || unlessDamaged(() => checkApplicationName(software)) !== undefined
      ? []
      : [`its meta-data names the application ${JSON.stringify(software)}, which Compose refuses`]),
    ...valueProblems(report, module),
    ...recordProblems(report),
  ];
}

function valueProblems(report: ArtifactReport, module: Module): string[] {
  const { metaData = {}, provides, record } = report;
  // The platform of a record is compared with the images, too.
  const isAlone = module === 'app' && record === undefined;
  const expected = {
    app: {
      orchestrator: APP_ORCHESTRATOR,
      version: findVersion(provides, 'app', projectIn(report) ?? '')?.version,
      ...(record === undefined ? {} : { platform: record.platform }),
    },
    'docker-compose': { version: META_DATA_VERSION },
  }[module];
  return [
    ...Object.entries(expected)
      .filter(([key, value]) => metaData[key] !== value)
      .map(
        ([key, value]) => `its meta-data has the ${key} ${shown(metaData[key])}, expected ${shown(value)}`,
      ),
    ...(isAlone ? platformProblems(metaData['platform'], report.images) : []),
  ];
}

/** Variants may differ: a device of arm/v7 runs images of arm/v6. */
function platformProblems(platform: unknown, images: readonly ImageReport[]): string[] {
  const [start] = strings([platform]).map(withoutVariant);
  const other = images.find(
    (image) => image.platform !== undefined && withoutVariant(image.platform) !== start,
  );
  return other === undefined
    ? []
    : [
        `it is for the platform ${shown(platform)}, and ${other.image ?? other.folder} for ${shown(other.platform)}`,
      ];
}

function withoutVariant(platform: string): string {
  return platform.split('/').slice(0, 2).join('/');
}

/** The next build takes the record for what the devices have. */
function recordProblems({ metaData = {}, record, images }: ArtifactReport): string[] {
  if (record === undefined)
    return RECORD_KEY in metaData ? ['the record of its images in the meta-data is damaged'] : [];
  const recorded = new Set(record.images.map(recordedText));
  const found = new Set(images.map(imageText));
  return [
    ...[...found]
      .filter((image) => !recorded.has(image))
      .map((image) => `its record lacks the image ${image}`),
    ...[...recorded]
      .filter((image) => !found.has(image))
      .map((image) => `its record has the image ${image}, which is not in the artifact`),
    ...platformProblems(record.platform, images),
  ];
}

function recordedText({ ref, configDigest, diffIDs }: ArtifactRecord['images'][number]): string {
  return `${ref} with the config ${configDigest} and the layers ${diffIDs.join(', ')}`;
}

function imageText({ image = '', configDigest = 'sha256:', layers }: ImageReport): string {
  return recordedText({
    ...{ ref: image, configDigest, services: [] },
    diffIDs: layers.flatMap(({ diffID }) => diffID ?? []),
  });
}
