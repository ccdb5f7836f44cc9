import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/temporary.ts';

const LIB = resolve(import.meta.dirname, '../../scripts/lib');

interface Vulnerability {
  name: string;
  severity: string;
  range: string;
  via: (string | { title: string; url: string })[];
}

describe('the audit', () => {
  const vulnerabilities: Record<string, Vulnerability> = {
    tar: {
      name: 'tar',
      severity: 'high',
      range: '<7.0.0',
      via: [{ title: 'Files outside', url: 'https://example.test/1' }],
    },
    vitest: { name: 'vitest', severity: 'low', range: '*', via: ['vite'] },
  };

  it.each([
    ['what ships', ['tar'], ['tar <7.0.0: high: Files outside (https://example.test/1)']],
    ['no package that only developers have', ['axios'], []],
    ['what is vulnerable through another package', ['vitest'], ['vitest *: low: vite']],
  ])('names %s', async (_, shipped, problems) => {
    const { shippedProblems } = (await import(join(LIB, 'shippedProblems.mjs'))) as {
      shippedProblems: (all: typeof vulnerabilities, shipped: Set<string>) => string[];
    };
    expect(shippedProblems(vulnerabilities, new Set(shipped))).toEqual(problems);
  });

  it('counts what is bundled', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'dist/bundle'), { recursive: true });
    const licences = ['tar 7.5.0: MIT', '', 'Copyright 2024: all', '----', '@scope/name 1.0.0: MIT', ''];
    writeFileSync(join(folder, 'dist/bundle/THIRD-PARTY-LICENSES'), licences.join('\n'));
    writeFileSync(join(folder, 'package.json'), '{"name": "x", "version": "1.0.0"}');
    const { stdout } = spawnSync(process.execPath, [join(LIB, 'audit.mjs')], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/^(not known for 2 packages: .+|0 of 2 packages that ship are vulnerable)\n$/);
  });
});

describe('the notes of a release', () => {
  const CHANGELOG =
    '# Changelog\n\n## Unreleased\n\n- next\n\n## 1.2.0 - 2026-12-01\n\n- a\n\n## 1.1.0 - 2026-11-01\n\n- b\n';

  function notes(tag: string, version: string) {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
    writeFileSync(join(folder, 'CHANGELOG.md'), CHANGELOG);
    const run = spawnSync(process.execPath, [join(LIB, 'releaseNotes.mjs'), tag], {
      cwd: folder,
      encoding: 'utf8',
    });
    return [run.status, run.stdout, run.stderr];
  }

  it.each([
    ['v1.2.0', '1.2.0', [0, '- a\n', '']],
    ['v1.1.0', '1.1.0', [0, '- b\n', '']],
    ['v1.3.0', '1.2.0', [1, '', 'error: the tag is v1.3.0, and package.json has version 1.2.0\n']],
    ['v1.3.0', '1.3.0', [1, '', 'error: CHANGELOG.md has no section "## 1.3.0 - YEAR-MONTH-DAY"\n']],
  ])('for tag %s and version %s', (tag, version, expected) => {
    expect(notes(tag, version)).toEqual(expected);
  });
});
