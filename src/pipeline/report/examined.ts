import type { BaseLayerFile } from './baseIndex.ts';
import type { ContentKind } from './contentKind.ts';
import type { ShippedKind } from './model.ts';
import type { Weighed } from './weigher.ts';

/** Where the bytes of a part of a layer come from. In bytes. */
export interface Origins {
  /** Copied from the file of the same path in the base layer. */
  kept: number;
  /** Copied from elsewhere in the base layer. */
  moved: number;
  /** Brought by the artifact. */
  added: number;
  /** Repetitions of other bytes of the same layer. */
  repeated: number;
}

/** A file of a layer that the artifact carries or makes. */
export interface ExaminedFile extends Weighed, Origins {
  path: string;
  kind: 'file' | 'folder' | 'other';
  /** Bytes of the body. The origins are those of the body, too. */
  size: number;
  /** Bytes of the headers that the artifact brings. */
  headerAdded: number;
  /** How many instructions of the delta make it. */
  instructions: number;
  modified: number;
  attributes: string;
  content: ContentKind;
  /** True for a program that holds debug information. */
  hasDebug: boolean;
  /** Of the content; undefined for a short or unknown one. */
  digest?: string | undefined;
  /** The file of the base layer that has its path, or else that most of it was copied from. */
  base?: BaseLayerFile | undefined;
}

/** What was found in a layer. */
export interface LayerContents extends Weighed, Origins {
  /** Undefined if nobody can tell: a patch, and a delta without its base layer. */
  files: ExaminedFile[] | undefined;
  /** Of the whole delta. */
  instructions: number;
}

/** A layer of an image in the report. */
export interface ExaminedLayer {
  diffID: string;
  kind: ShippedKind;
  /** Bytes of the layer; undefined if they are unknown. */
  size: number | undefined;
  /** Bytes of the base layer. */
  oldSize: number | undefined;
  /** What made the layer, as the image's history says. */
  command: string | undefined;
  /** Undefined for a layer that the device has. */
  contents: LayerContents | undefined;
}

export interface ExaminedImage {
  name: string;
  services: readonly string[];
  /** Name of the base image. */
  base: string | undefined;
  /** Lowest first. */
  layers: ExaminedLayer[];
}

export function noOrigins(): Origins {
  return { kept: 0, moved: 0, added: 0, repeated: 0 };
}

/**
 * What is known of a layer of `size` bytes that a patch of `sent` bytes makes. It can't be packed.
 */
export function patchContents(size: number, sent: number): LayerContents {
  const origins = { ...noOrigins(), kept: Math.max(0, size - sent), added: sent };
  return { ...origins, weight: sent, instructions: 0, files: undefined };
}
