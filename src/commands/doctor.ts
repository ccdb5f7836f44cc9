import { resolve } from 'node:path';
import { parseDeviceAddress } from '../device/address.ts';
import type { DeviceReport } from '../device/report.ts';
import { sshShell } from '../device/ssh.ts';
import { UnsupportedError, UsageError } from '../errors.ts';
import { PROBE_NAME, writeProbeArtifact } from '../mender/write/probeArtifact.ts';
import { parsePlatforms } from '../oci/platform.ts';
import { refuseToReplace } from '../pipeline/build/output.ts';
import { askDevice } from '../pipeline/doctor/askDevice.ts';
import {
  checkCache,
  checkClock,
  checkImages,
  checkPrograms,
  checkServer,
} from '../pipeline/doctor/checkMachine.ts';
import type { CheckResult } from '../pipeline/doctor/finding.ts';
import { warning } from '../pipeline/doctor/finding.ts';
import { judgeDevice } from '../pipeline/doctor/judgeDevice.ts';
import type { BuildFlags } from './options/build.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS } from './options/build.ts';
import { DEPLOY_OPTIONS } from './options/deploy.ts';
import { readProject } from './open/project.ts';
import { withComposeSettings } from './options/settings.ts';
import { SERVER_OPTIONS, serverHost, serverIfAny } from './options/server.ts';
import { openWorld } from './open/openWorld.ts';
import type { Context, FlagsOf } from './terminal/command.ts';
import { defineCommand } from './terminal/command.ts';
import { formatTable } from './terminal/format.ts';

const DEVICES = 'Devices:';
const {
  platform,
  'device-type': deviceType,
  'insecure-registry': insecureRegistry,
  'cache-dir': cacheDir,
} = BUILD_OPTIONS;
const OPTIONS = {
  device: {
    group: DEVICES,
    type: 'string',
    array: true,
    describe: 'ssh://[USER@]HOST[:PORT] to look at, instead of this machine; repeatable',
    placeholder: 'URL',
  },
  'probe-artifact': {
    group: DEVICES,
    type: 'string',
    describe:
      'Write an artifact that reports what a device has into its deployment log, and installs nothing',
    placeholder: 'FILE',
  },
  ...{ 'device-type': deviceType, platform, 'insecure-registry': insecureRegistry, 'cache-dir': cacheDir },
  ...SERVER_OPTIONS,
  'device-group': DEPLOY_OPTIONS['device-group'],
} as const;
type Flags = FlagsOf<typeof OPTIONS> & Pick<BuildFlags, 'manifest'>;

/** `doctor [COMPOSE-FILE..]` */
export const doctorCommand = defineCommand({
  usage: 'doctor [manifest..]',
  describe: 'Check this machine, or devices, for what builds and updates need',
  examples: [
    ['$0 doctor .', 'this machine, with the images of a Compose file'],
    ['$0 doctor --device ssh://root@raspberrypi.local', 'a device, which is only read from'],
    ['$0 doctor --probe-artifact probe.mender -t raspberrypi4', 'an artifact for devices without ssh'],
  ],
  positionals: BUILD_POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    if (flags.probeArtifact !== undefined) return makeProbe(flags.probeArtifact, flags, context);
    if (flags.device !== undefined) return lookAtDevices(flags.device, context);
    const findings = await lookAtMachine(flags, context);
    context.report({ findings }, findingsText(findings));
    failIfBroken(findings);
  },
});

async function makeProbe(file: string, given: Flags, context: Context): Promise<void> {
  const { flags } = await readImages(given, context);
  const types = flags.deviceType;
  if (types === undefined) {
    throw new UsageError('--probe-artifact: no device type is given', {
      hint: 'name it with -t DEVICE-TYPE',
    });
  }
  const path = resolve(context.folder, file);
  await refuseToReplace(path, ({ artifactName }) => artifactName.startsWith(PROBE_NAME));
  const suffix = String(Date.now());
  const made = await writeProbeArtifact(path, { deviceTypes: types, suffix });
  context.report(
    made,
    [
      `${made.path}: ${made.artifactName}`,
      'Deploy it: the deployment fails on purpose, installs nothing, and has the report in its log.',
      'Read it with: mender-docker-delta deployments show latest, and give the log to build with --device-report FILE.',
    ].join('\n'),
  );
}

async function lookAtDevices(urls: readonly string[], context: Context): Promise<void> {
  const addresses = urls.map((url) => parseDeviceAddress(url, '--device'));
  const devices: { device: string; report: DeviceReport; findings: CheckResult[] }[] = [];
  for (const address of addresses) {
    const shell = sshShell(address);
    const report = await askDevice(shell, context.signal);
    devices.push({ device: shell.name, report, findings: judgeDevice(report, Date.now() / 1000) });
  }
  const text = devices.map(({ device, findings }) => `${device}\n${findingsText(findings)}`);
  context.report({ devices }, text.join('\n\n'));
  failIfBroken(devices.flatMap(({ findings }) => findings));
}

const PLATFORM_MISSING = warning(
  'platform',
  'not set, so images are not checked',
  'write platform: linux/arm64 into x-mender, or name it with --platform',
);

async function lookAtMachine(given: Flags, context: Context): Promise<CheckResult[]> {
  const { flags, images } = await readImages(given, context);
  const world = openWorld({ ...flags, mode: 'online' }, context);
  const server = await serverFindings(flags, context);
  const platforms = parsePlatforms(flags.platform ?? []);
  const found = platforms.map((platform) => checkImages(images, platform, world.images));
  const noPlatform = images.length > 0 && platforms.length === 0 ? [PLATFORM_MISSING] : [];
  return [
    ...(await checkPrograms()),
    ...(await checkCache(world.cache)),
    ...noPlatform,
    ...(await Promise.all(found)).flat(),
    ...server,
  ];
}

/** The images of the Compose file, and the flags, completed by its settings and the user's own. */
async function readImages(given: Flags, context: Context): Promise<{ flags: Flags; images: string[] }> {
  if (given.manifest === undefined || given.manifest.length === 0)
    return { flags: withComposeSettings(given, context.defaults ?? {}), images: [] };
  const { application, flags } = await readProject(given, context);
  const images = application.services.map(({ image }) => image).filter((image) => image !== undefined);
  return { flags, images: [...new Set(images)] };
}

async function serverFindings(flags: Flags, context: Context): Promise<CheckResult[]> {
  const host = serverHost(flags);
  const api = await serverIfAny(flags, context);
  // Without a token, nothing of a build goes to the server that nobody chose.
  const isNeeded = api !== undefined || flags.menderHost !== undefined;
  const clock = await checkClock(host, isNeeded, context.http, context.signal);
  if (api === undefined) {
    const todo = 'set MENDER_PAT or run login; only uploads and deployments need it';
    return [clock, warning('token', `none for ${host}`, todo)];
  }
  return [clock, ...(await checkServer(api, flags.deviceGroup))];
}

function findingsText(findings: readonly CheckResult[]): string {
  const rows = findings.map(({ check, state, found, todo }) => [check, state, found, todo ?? '']);
  return formatTable(['check', 'state', 'found', 'what to do'], rows);
}

function failIfBroken(findings: readonly CheckResult[]): void {
  const broken = findings.filter(({ state }) => state === 'problem');
  if (broken.length === 0) return;
  throw new UnsupportedError(`doctor found ${broken.length} problem${broken.length === 1 ? '' : 's'}`, {
    hint: 'the last column says what to do',
  });
}
