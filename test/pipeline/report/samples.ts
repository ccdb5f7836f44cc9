import type { ExaminedFile, ExaminedImage, ExaminedLayer } from '../../../src/pipeline/report/examined.ts';
import type { ArtifactFacts } from '../../../src/pipeline/report/makeReport.ts';

/** A new file of `weight` bytes; `facts` say what is different. */
export function file(path: string, weight: number, facts: Partial<ExaminedFile> = {}): ExaminedFile {
  return {
    ...{ path, kind: 'file', size: weight, weight, kept: 0, moved: 0, added: weight, repeated: 0 },
    ...{ headerAdded: 0, instructions: 0, modified: 0, attributes: '', content: 'other', hasDebug: false },
    ...facts,
  };
}

/** A layer that ships whole, with these files. */
export function layer(files: ExaminedFile[], facts: Partial<ExaminedLayer> = {}): ExaminedLayer {
  const sum = (key: 'weight' | 'kept' | 'moved' | 'added' | 'repeated' | 'size'): number =>
    files.reduce((total, one) => total + one[key], 0);
  const origins = { kept: sum('kept'), moved: sum('moved'), added: sum('added'), repeated: sum('repeated') };
  return {
    diffID: `sha256:${'a1'.repeat(32)}`,
    kind: 'full',
    size: sum('size'),
    oldSize: undefined,
    command: 'COPY . /app',
    contents: { ...origins, weight: sum('weight'), instructions: 0, files },
    ...facts,
  };
}

export function image(layers: ExaminedLayer[], facts: Partial<ExaminedImage> = {}): ExaminedImage {
  return { name: 'example.com/shop/web:1', services: ['web'], base: undefined, layers, ...facts };
}

export const FACTS: ArtifactFacts = {
  artifactName: 'shop-1.0',
  file: 'shop-1.0.mender',
  module: 'app',
  compression: 'lzma',
  platform: 'linux/amd64',
  deviceTypes: ['qemu'],
  madeFrom: null,
  size: 1000,
  rest: { texts: 0, scripts: [], decoder: 0, frame: 0 },
};
