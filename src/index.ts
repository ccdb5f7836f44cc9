/**
 * The library: the use cases behind the commands, and the clients behind them. docs/library-api.md
 * describes it.
 */
export { bake } from './api/bake.ts';
export type { BakeOptions } from './api/bake.ts';
export type { BakeReport } from './commands/bake/bakeReport.ts';
export { build, plan } from './api/build.ts';
export type { BuildOptions } from './api/build.ts';
export type { BuildReport } from './commands/build/buildReport.ts';
export type { PlanReport } from './commands/build/planReport.ts';
export { inspect, verify } from './api/artifact.ts';
export type { InspectOptions, VerifyOptions } from './api/artifact.ts';
export { pull, push } from './api/registry.ts';
export type { PullOptions, PushOptions } from './api/registry.ts';
export type { PullReport } from './pipeline/publish/pullArtifact.ts';
export type { PushReport } from './pipeline/publish/pushArtifact.ts';
export { renderReport, report } from './api/report.ts';
export type { ReportOptions } from './api/report.ts';
export type { ArtifactSizes, ReportPage } from './pipeline/report/model.ts';
export type { ArtifactReport } from './mender/read/report.ts';
export type { Verification } from './pipeline/verify/verify.ts';
export { artifactStore } from './api/artifactStore.ts';
export type { ArtifactStore, ArtifactStoreOptions } from './api/artifactStore.ts';
export type { DeployOptions, WatchOptions } from './api/deployments.ts';
export type { Downloaded } from './download/download.ts';
export type { DeployReport } from './pipeline/release/deploy.ts';
export type { Pruned, PruneRequest } from './pipeline/release/retention.ts';
export type { UploadReport, UploadRequest } from './pipeline/release/upload.ts';
export type { WatchReport } from './pipeline/release/watch.ts';
export type { Artifact, ArtifactQuery } from './server/artifacts.ts';
export type { Target } from './server/deployments.ts';
export type { EnterpriseOptions } from './server/enterprise.ts';
export type { StoredFile } from './server/storedFile.ts';
export { fleet, rollout } from './api/fleet.ts';
export type { FleetClient, RolloutOptions } from './api/fleet.ts';
export type { DeviceQuery, FleetDevice } from './pipeline/fleet/devices.ts';
export type { StatusReport, StatusRequest } from './pipeline/fleet/fleetStatus.ts';
export type { GroupSize } from './pipeline/fleet/groups.ts';
export type { RolloutPlan } from './pipeline/rollout/rolloutPlan.ts';
export type { RolloutEnd } from './pipeline/rollout/run.ts';
export { starmap } from './api/destinationMaps.ts';
export type { StarmapClientOptions } from './api/destinationMaps.ts';
export { localMap } from './destinations/localMap.ts';
export type { LocalMap, MapQuery } from './destinations/localMap.ts';
export type { Account, Destination, Entry, Mapping, Policy } from './destinations/model.ts';
export { readMap } from './destinations/readMap.ts';
export { offlineSession } from './destinations/session.ts';
export type { QueryPair, Session, SessionAnswer } from './destinations/session.ts';
export type { Starmap } from './destinations/starmap.ts';
export { containerLibrary } from './api/containerLibrary.ts';
export type {
  ContainerLibrary,
  ContainerLibraryOptions,
  LibraryFileKey,
  LibraryImage,
  LibrarySearch,
  LibraryUpload,
} from './api/containerLibrary.ts';
export { formatLibraryReference, parseWrittenReference } from './library/reference.ts';
export type { LibraryReference } from './library/reference.ts';
export { decodeVcdiff, encodeVcdiff } from './api/vcdiff.ts';
export type { EncodeOptions } from './api/vcdiff.ts';
export type { RunOptions } from './api/run.ts';
export type { Log } from './io/log.ts';
export type { Progress, ProgressTask } from './io/progress.ts';
export {
  DeniedError,
  DeploymentError,
  IntegrityError,
  NetworkError,
  NotFoundError,
  ToolError,
  UnsupportedError,
  UsageError,
  UserError,
} from './errors.ts';
