import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzAll } from '../../test/fuzz/fuzz.ts';
import type { Figures } from '../../test/fuzz/fuzz.ts';
import type { FiguresOf, Measured } from '../benchmarks/figures.ts';
import { measuredOn } from './machine.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string' },
    lost: { type: 'string', default: '.fuzz' },
  },
});

/** Writes the lost inputs to files, and says why they are lost. */
function keepLost({ name, lost }: Figures, folder: string): void {
  for (const [number, { why, input }] of lost.slice(0, 20).entries()) {
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${name.replaceAll(/[^\w]+/g, '-')}-${number}`);
    writeFileSync(path, input);
    console.error(`${path}: ${why}`);
  }
}

console.log('| reader | inputs tried | survived | refused | lost |\n| --- | ---: | ---: | ---: | ---: |');
const figures = await fuzzAll(Number(values.seconds), Number(values.seed), (one) => {
  console.log(`| ${one.name} | ${one.tried} | ${one.survived} | ${one.refused} | ${one.lost.length} |`);
  keepLost(one, values.lost);
});
if (values.output !== undefined) {
  const readers = figures.map(({ lost, ...counts }) => ({ ...counts, lost: lost.length }));
  const fuzz: FiguresOf['fuzz'] = { seconds: Number(values.seconds), seed: Number(values.seed), readers };
  const result: Measured<'fuzz'> = { ...measuredOn(), figures: fuzz };
  writeFileSync(values.output, `${JSON.stringify(result, undefined, 2)}\n`);
}
process.exitCode = figures.some(({ lost }) => lost.length > 0) ? 1 : 0;
