import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CliRun } from '../../helpers/cli.ts';
import { runCli } from '../../helpers/cli.ts';
import type { MenderServer } from '../../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';

/** A git repository with an application, and machines that release it. */
export interface Shop {
  folder: string;
  git: (...args: string[]) => string;
  /**
   * Commits VERSION and a Compose file. `images`: that of the service `web`, or of each service by
   * its name.
   */
  commit: (version: string, images: string | Record<string, string>, gitTag?: string) => void;
  /** Runs a command line on a machine with a cache of its own. */
  on: (machine: string, command: string, ...flags: string[]) => Promise<CliRun>;
  /** The artifact of a name, in the folder that all builds write to. */
  artifact: (name: string) => string;
}

const USER = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'init.defaultBranch=main'];

/** Makes the repository. With a server, machines have a token for it. */
export function makeShop(server?: MenderServer): Shop {
  requireTool('git');
  const [folder, out] = [temporaryFolder(), temporaryFolder()];
  const git = (...args: string[]): string =>
    execFileSync('git', [...USER, ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  git('init', '-q');
  mkdirSync(join(folder, 'shop'));
  const commit: Shop['commit'] = (version, images, gitTag) => {
    const each = Object.entries(typeof images === 'string' ? { web: images } : images);
    const services = each.map(([name, image]) => `  ${name}: {image: "${image}"}\n`).join('');
    writeFileSync(join(folder, 'VERSION'), `${version}\n`);
    const settings = 'x-mender: {device-type: qemu, platform: linux/amd64, writer: embedded}';
    const text = `name: shop\n${settings}\nservices:\n${services}`;
    writeFileSync(join(folder, 'shop/compose.yaml'), text);
    git('add', '-A');
    git('commit', '-q', '--allow-empty', '-m', version);
    if (gitTag !== undefined) git('tag', gitTag);
  };
  const artifact = (name: string): string => join(out, `${name}.mender`);
  const on: Shop['on'] = (machine, command, ...flags) => {
    const access =
      server === undefined ? {} : { MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url };
    const home = join(out, machine);
    mkdirSync(home, { recursive: true });
    return runCli([command, join(folder, 'shop'), ...flags], { HOME: home, ...access });
  };
  return { folder, git, commit, on, artifact };
}
