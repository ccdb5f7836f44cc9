/** `build --to`: builds for devices that ssh reaches, and installs on them without a server. */
import { parseDeviceAddress } from '../../device/address.ts';
import type { NamedReport } from '../../device/report.ts';
import type { RemoteShell } from '../../device/ssh.ts';
import { sshShell } from '../../device/ssh.ts';
import { UsageError } from '../../errors.ts';
import { buildAll } from '../../pipeline/build/build.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { askDevice } from '../../pipeline/doctor/askDevice.ts';
import type { LocalInstallation } from '../../pipeline/release/installOverSsh.ts';
import { installOverSsh } from '../../pipeline/release/installOverSsh.ts';
import { buildJson, showBuilt } from './buildReport.ts';
import type { DeliverFlags } from './deliver.ts';
import type { BuildRuns } from './prepareRuns.ts';
import { buildDocument } from './buildDocument.ts';
import { rememberBuilt } from './rememberBuilt.ts';
import { wantsDestinations } from '../options/destinations.ts';
import type { DestinationFlags } from '../options/destinations.ts';
import { wantsDeployment } from '../options/deploy.ts';
import type { Context } from '../terminal/command.ts';

export const TO_OPTIONS = {
  to: {
    group: 'Without a server:',
    type: 'string',
    array: true,
    describe: 'ssh://[USER@]HOST[:PORT] to install on at once, without a server; repeatable',
    placeholder: 'URL',
  },
} as const;

/** A device to install on, and what the probe found there. */
export interface LocalDevice {
  shell: RemoteShell;
  report: NamedReport;
}

type Flags = { to?: string[] } & DeliverFlags & DestinationFlags;

/** Asks the devices of --to what they have. Throws UsageError for options of a server. */
export async function openDevices(flags: Flags, { signal }: Context): Promise<LocalDevice[]> {
  const shells = (flags.to ?? []).map((url) => sshShell(parseDeviceAddress(url, '--to')));
  if (shells.length === 0) return [];
  if (flags.upload === true || wantsDeployment(flags) || wantsDestinations(flags)) {
    throw new UsageError('--to installs without a server: leave out the options for uploads and deployments');
  }
  return Promise.all(
    shells.map(async (shell) => {
      const report = await askDevice(shell, signal);
      return { shell, report: { ...report, origin: `the device ${shell.name}` } };
    }),
  );
}

/**
 * Builds, and installs on the devices of --to. The artifact is the next base once all of them run
 * it. Returns no error: it throws what goes wrong.
 */
export async function buildForDevices(
  { runs, world }: BuildRuns,
  devices: readonly LocalDevice[],
  context: Context,
): Promise<undefined> {
  const all = runs.map(({ prepared }) => prepared);
  if (all.flatMap(({ plans }) => plans).length !== 1) {
    throw new UsageError(
      '--to installs one artifact: name one platform and one base, and leave out --also-full',
    );
  }
  const built = await buildAll(all, world);
  showBuilt(built, context);
  const installed = await installOnDevices(devices, built[0] as BuiltArtifact, context);
  await rememberBuilt(built, world.cache);
  const value = buildDocument(built.map(buildJson), { devices: installed });
  if (context.json || context.quiet !== true) context.report(value, installedText(installed));
}

/**
 * Installs the artifact on each device, one after the other, and streams the clients' logs. Throws
 * DeploymentError at the first that does not run it.
 */
async function installOnDevices(
  devices: readonly LocalDevice[],
  { artifact, plan }: Pick<BuiltArtifact, 'artifact' | 'plan'>,
  { log, signal }: Context,
): Promise<LocalInstallation[]> {
  const done: LocalInstallation[] = [];
  for (const { shell } of devices) {
    const what = { path: artifact.path, application: plan.application };
    done.push(await installOverSsh(shell, what, signal, (line) => log.info(`${shell.name}: ${line}`)));
  }
  return done;
}

/** What runs on the devices, for people. */
function installedText(devices: readonly LocalInstallation[]): string {
  return devices.map(({ device, runs }) => [`installed on ${device}`, ...runs].join('\n  ')).join('\n');
}
