import { imageTexts } from '../../mender/write/appPayload.ts';
import { imageEntries } from '../../mender/write/imageFiles.ts';
import type { TarFile } from '../../tar/tar.ts';
import type { ImageContent } from './content.ts';
import { rebuiltImage } from './rebuilt.ts';
import { shown } from './shown.ts';

const TEXTS = ['url-new.txt', 'url-current.txt', 'sums-new.txt', 'sums-current.txt', 'deep_delta'];

/**
 * Returns which texts next to an image, and which sources of its deltas, are others than the tool
 * writes for the update module `app`. The module goes by them without looking at the image.
 */
export function appTextProblems(image: ImageContent): string[] {
  const rebuilt = rebuiltImage(image);
  if (rebuilt === undefined) return [`images/${image.report.folder}: its texts can not be checked`];
  const sources = imageEntries(rebuilt).filter(({ path }) => path.endsWith('.source'));
  const expected = new Map([...imageTexts(rebuilt), ...sources].map((file) => [file.path, textOf(file)]));
  return [...new Set([...TEXTS, ...expected.keys()])].flatMap((path) => {
    const [wanted, found] = [expected.get(path), image.documents.get(path)?.toString('utf8')];
    if (wanted === found) return [];
    const [expects, finds] = [shown(wanted, 'no such file'), shown(found, 'no such file')];
    return [`images/${image.report.folder}/${path}: expected ${expects}, found ${finds}`];
  });
}

function textOf({ body }: TarFile): string {
  return body instanceof Uint8Array ? Buffer.from(body).toString('utf8') : '';
}
