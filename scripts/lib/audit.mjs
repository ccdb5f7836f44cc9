// Fails on known vulnerabilities in the packages that ship: those in the bundle and those installed
// next to it. A registry mirror may not offer audits. That says nothing about the packages, so it
// is printed and is no failure.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { shippedProblems } from './shippedProblems.mjs';

const LICENCES = 'dist/bundle/THIRD-PARTY-LICENSES';

function npm(...args) {
  return spawnSync('npm', args, { encoding: 'utf8' }).stdout;
}

/**
 * `dist/bundle/THIRD-PARTY-LICENSES` has a line `name version: licence` for each package in the
 * bundle.
 */
function bundledPackages() {
  const lines = readFileSync(LICENCES, 'utf8').matchAll(
    /^((?:@[^\s/]+\/)?[a-z][^\s/]*) \d+\.\d+\.\d+\S*: /gm,
  );
  return [...lines].map(([, name]) => name);
}

function installedPackages() {
  const paths = npm('ls', '--omit=dev', '--all', '--parseable').trim().split('\n').slice(1);
  return paths.map((path) => {
    const scope = basename(dirname(path));
    return scope.startsWith('@') ? `${scope}/${basename(path)}` : basename(path);
  });
}

const shipped = new Set([...bundledPackages(), ...installedPackages()]);
const report = JSON.parse(npm('audit', '--json') || '{}');
if (report.vulnerabilities === undefined) {
  console.log(
    `not known for ${shipped.size} packages: ${report.message ?? 'the npm registry gave no answer'}`,
  );
} else {
  const problems = shippedProblems(report.vulnerabilities, shipped);
  console.log(
    [...problems, `${problems.length} of ${shipped.size} packages that ship are vulnerable`].join('\n'),
  );
  process.exitCode = problems.length > 0 ? 1 : 0;
}
