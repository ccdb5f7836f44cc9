import type { LayerKind } from '../plan/plan.ts';
import type { DeviceEstimate } from '../verify/estimate.ts';

/**
 * What happened to a file since the base. `kept`: it is the same. `moved`: it was at another path.
 * `edited`: a part of it was copied. `new`: all of it, or nearly all, comes with the artifact.
 * `packed`: as `edited` or `new`, and its content is compressed, so that it costs all of its bytes.
 */
export type FileState = 'kept' | 'moved' | 'edited' | 'new' | 'packed';

/** Amounts of a file, or of all files of a folder, layer or image. All are bytes. */
export interface Amounts {
  size: number;
  /** Copied on the device from the file of the same path. */
  kept: number;
  /** Copied on the device from other files. */
  moved: number;
  /** Brought by the artifact, before its compression. */
  sent: number;
  /** About what it takes up in the artifact. */
  cost: number;
}

export interface FileSizes extends Amounts {
  service: string;
  diffID: string;
  path: string;
  state: FileState;
  /** Bytes of the same file in the base layer; null if it has none, or if that is unknown. */
  oldSize: number | null;
  /** The path in the base layer, if it differs. */
  from: string | null;
  /** Why it costs so much, if it can be told. */
  why: string | null;
}

/** A folder, a file, or the rest of a folder, in the tree of a layer. */
export interface SizeNode extends Amounts {
  name: string;
  /** Null for a folder and for a rest. */
  state: FileState | null;
  /** How many files it stands for. */
  files: number;
  nodes: SizeNode[];
}

/** A layer of this artifact. `patch`: a delta that the carried decoder reads. */
export type ShippedKind = LayerKind | 'patch';

/** Nobody can tell where the bytes go that a patch copies: they count as `kept`. */
export interface LayerSizes extends Amounts {
  diffID: string;
  kind: ShippedKind;
  /** False if the size is unknown; it then counts as 0. */
  isSizeKnown: boolean;
  /** Bytes of the base layer; null if there is none or its size is unknown. */
  oldSize: number | null;
  /** The instruction that made the layer, as the image's history says. */
  command: string | null;
  /** Null for a layer that the device has, and for one that nobody can look into. */
  tree: SizeNode | null;
}

export interface ImageSizes extends Amounts {
  name: string;
  services: string[];
  base: string | null;
  layers: LayerSizes[];
}

/** A cause of cost, and what would help. */
export interface Finding {
  kind: FindingKind;
  /** About the bytes in the artifact that it explains. */
  cost: number;
  /** How many files it is about. */
  count: number;
  /** Some of these files, those that cost most first. */
  paths: string[];
}

export type FindingKind =
  | 'times'
  | 'packed'
  | 'program'
  | 'debug'
  | 'packageCache'
  | 'userCache'
  | 'log'
  | 'bytecode'
  | 'documentation'
  | 'git'
  | 'twice'
  | 'again'
  | 'replaced';

/** What an artifact holds, and where its bytes are. */
export interface ArtifactSizes {
  artifactName: string;
  /** The name of the artifact's file; null before it is built. */
  file: string | null;
  /** Bytes of the artifact; before it is built about those. */
  size: number;
  module: string;
  compression: string | null;
  platform: string | null;
  deviceTypes: string[];
  /** The version that devices must have; null for a full artifact. */
  madeFrom: string | null;
  images: ImageSizes[];
  /** About the bytes of everything else: Compose files, scripts, configs. */
  rest: number;
  /**
   * The decoder that the artifact carries; null without one. In bytes, as `size` and `cost` above.
   */
  decoder: { size: number; cost: number } | null;
  /** The files that cost most, first. */
  files: FileSizes[];
  findings: Finding[];
  /** Null if too little is known. */
  estimate: DeviceEstimate | null;
  /** What the report can't tell, and why. */
  unknown: string[];
}

/** One artifact in the history of an application. */
export interface PastRelease {
  artifactName: string;
  size: number;
  madeFrom: string | null;
  /** Bytes of all layers on the device, as far as they are known. */
  installed: number;
  layers: number;
  /** Layers that the device has already. */
  unchanged: number;
}

/** A page: the artifacts that it describes in detail, and all that it was given. */
export interface ReportPage {
  artifacts: ArtifactSizes[];
  history: PastRelease[];
}
