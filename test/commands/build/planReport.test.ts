import { expect, test } from 'vitest';
import type { ShippedFile } from '../../../src/compose/application.ts';
import { filesText, planJson, planText } from '../../../src/commands/build/planReport.ts';
import type { BuildPlan } from '../../../src/pipeline/plan/planBuild.ts';

const PLAN: BuildPlan = {
  application: 'shop',
  version: '1',
  artifactName: 'shop-1',
  images: [],
  removedServices: [],
};

const local = (path: string, size: number): ShippedFile => ({
  path,
  mode: 0o644,
  content: { file: `/project/${path}`, size },
});

test('a plan lists every file that ships', () => {
  const written = { path: 'docker-compose.yaml', mode: 0o644, content: Buffer.from('12345') };
  expect(planJson(PLAN, [written, local('a.env', 7)])).toMatchObject({
    files: [
      { path: 'docker-compose.yaml', size: 5, from: null },
      { path: 'a.env', size: 7, from: '/project/a.env' },
    ],
  });
  expect(planText(PLAN, [written, local('a.env', 7)])).toContain(
    'files: 2 next to the images, 12 B\n  docker-compose.yaml  5 B\n  a.env  7 B',
  );
});

test('the text of a plan lists the first files only', () => {
  const files = Array.from({ length: 25 }, (_, index) => local(`f${index}`, 1));
  expect(planText(PLAN, files)).toContain('\n  f19  1 B\n  and 5 more; --json lists all');
  expect(filesText(files.slice(0, 1))).toBe('1 next to the images, 1 B');
});
