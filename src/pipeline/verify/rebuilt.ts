import type { LayerContent, PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import { record } from '../../mender/read/json.ts';
import type { ImageReport, LayerReport } from '../../mender/read/report.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { blobPath } from '../../oci/portable.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseReference } from '../../oci/reference.ts';
import { DEFAULT_BUFFER } from '../../vcdiff/sourceReads.ts';
import type { ImageContent } from './content.ts';
import { unlessDamaged } from './content.ts';
import { jsonIfAny, promisedSizes } from './names.ts';

/**
 * Returns the image as the writer had it, without the bytes of its layers, so that what the writer
 * makes of it can be compared with the artifact. Undefined if a part of it is missing. `buffers`: a
 * decoder's buffer, by folder and diffID. Pure.
 */
export function rebuiltImage(
  image: ImageContent,
  buffers: ReadonlyMap<string, number> = new Map(),
): PayloadImage | undefined {
  const { report, documents } = image;
  const name = referenceIn(report.image);
  const config = report.configDigest && documents.get(blobPath(report.configDigest));
  const platform = platformIn(documents.get('index.json'));
  const sizes = promisedSizes(image);
  const layers = report.layers.flatMap(
    (layer, position) =>
      rebuiltLayer(layer, sizes[position], buffers.get(`${report.folder} ${layer.diffID ?? ''}`)) ?? [],
  );
  const isWhole = name?.tag !== undefined && layers.length === report.layers.length;
  if (!isWhole || config === undefined || platform === undefined) return undefined;
  const current = report.base === undefined ? undefined : referenceIn(report.base);
  return { id: report.folder, name, ...(current && { current }), platform, config, layers };
}

function rebuiltLayer(
  { kind, diffID, sent, from, format }: LayerReport,
  size: number | undefined,
  buffer = DEFAULT_BUFFER,
): PayloadLayer | undefined {
  if (diffID === undefined || size === undefined) return undefined;
  const contents: Record<LayerReport['kind'], LayerContent | undefined> = {
    omit: { kind: 'omit' },
    full: { kind: 'full', path: '' },
    delta: from && {
      kind: 'delta',
      ...(format && { format }),
      from,
      fromSize: 0,
      size: sent,
      body: '',
      buffer,
    },
  };
  const content = contents[kind];
  return content && { diffID, size, content };
}

function referenceIn(text = ''): Reference | undefined {
  return unlessDamaged(() => parseReference(text));
}

/**
 * What the reader found of an image, with the platform that its registry's index told. The config
 * of some images names another one. Pure.
 */
export function imageByIndex({ report, documents }: ImageContent): ImageReport {
  const platform = platformIn(documents.get('index.json'));
  const image: ImageReport = { ...report };
  delete image.platform;
  return platform === undefined ? image : { ...image, platform: formatPlatform(platform) };
}

/** The platform in the index, which the writer has copied there. */
function platformIn(index: Buffer | undefined): Platform | undefined {
  const { manifests } = record(jsonIfAny(index));
  const [entry] = Array.isArray(manifests) ? (manifests as unknown[]) : [];
  const platform = record(record(entry)['platform']);
  return typeof platform['os'] === 'string' ? (platform as unknown as Platform) : undefined;
}
