import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { temporaryFolder } from './temporary.ts';
import { requireTool } from './tools.ts';

export interface TestArtifact {
  name: string;
  deviceTypes?: string[];
  depends?: Record<string, string>;
  /** Bytes of random payload. */
  payload?: number;
}

/** A new artifact file made by Mender's own tool. */
export function makeArtifact({
  name,
  deviceTypes = ['qemu'],
  depends = {},
  payload = 2000,
}: TestArtifact): string {
  requireTool('mender-artifact');
  const folder = temporaryFolder();
  const [content, artifact] = [join(folder, 'content'), join(folder, `${name}.mender`)];
  writeFileSync(content, randomBytes(payload));
  const types = deviceTypes.flatMap((type) => ['-t', type]);
  const more = Object.entries(depends).flatMap(([key, value]) => ['--depends', `${key}:${value}`]);
  const software = ['--software-name', 'app', '--software-version', name];
  const options = ['-T', 'app', '-n', name, ...types, ...more, ...software, '-f', content, '-o', artifact];
  execFileSync('mender-artifact', ['write', 'module-image', ...options], { stdio: 'ignore' });
  return artifact;
}
