import { bitsFor, writeHeader, type Content } from './format.ts';
import { Operations } from './model/operations.ts';
import { RangeEncoder } from './model/rangeCoder.ts';

/** A patch that turns a layer into itself. It is made without reading the layer. */
export function identityPatch(layer: Content): Buffer {
  const bits = bitsFor(0, 0);
  const header = writeHeader({ tableBits: bits, ringBits: bits, sources: [layer], target: layer });
  const coder = new RangeEncoder();
  const operations = new Operations(coder);
  operations.codeGap(0);
  if (layer.size > 0) {
    operations.codeDistance(0);
    operations.codeSize(layer.size);
    operations.codeRun(layer.size, layer.size, 0);
  }
  return Buffer.concat([header, coder.finish()]);
}
