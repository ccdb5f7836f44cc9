import { describe, expect, test } from 'vitest';
import { registerSecret } from '../../../src/io/redact.ts';
import { markup } from '../../../src/pipeline/report/html/markup.ts';
import { PAGE_START } from '../../../src/compose/ship/leftOut.ts';
import { renderPage } from '../../../src/pipeline/report/html/page.ts';
import { squarify } from '../../../src/pipeline/report/html/squarify.ts';
import { makeReport } from '../../../src/pipeline/report/makeReport.ts';
import type { ReportPage } from '../../../src/pipeline/report/model.ts';
import { releaseOf } from '../../../src/pipeline/report/reportPage.ts';
import { FACTS, file, image, layer } from './samples.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title></style></svg><svg onload=alert(1)>',
  'javascript:alert(1)',
  '&lt;b&gt;',
  'bell\u0007 right\u202egpj.exe line\u2028 nul\0 new\nline \x1b[31m',
  '\u{1F600}'.repeat(40),
];

function pageOf(paths: readonly string[]): string {
  const files = paths.map((path, index) => file(path, 100 + index));
  const text = paths.join(' ');
  const facts = {
    ...FACTS,
    artifactName: text,
    file: text,
    module: text,
    deviceTypes: [text],
    platform: text,
    madeFrom: text,
  };
  const odd = image([layer(files, { command: text, diffID: text })], {
    name: text,
    services: [text],
    base: text,
  });
  const sizes = makeReport(facts, [odd], undefined);
  return renderPage({ artifacts: [sizes], history: [sizes, sizes].map(releaseOf) });
}

describe('a page', () => {
  test.each(HOSTILE)('holds the name %j as text only', (name) => {
    const page = pageOf([`app/${name}`]);
    expect(/<(script|img|svg onload)\b/i.test(page)).toBe(false);
    expect(tagsOf(page)).toEqual(tagsOf(pageOf(['app/plain'])));
    expect(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u.test(page.replaceAll('\n', ''))).toBe(false);
  });

  test('asks the network for nothing, and forbids scripts', () => {
    const page = pageOf(HOSTILE);
    expect(page.startsWith(PAGE_START)).toBe(true);
    expect(page).toContain('default-src &#39;none&#39;; style-src &#39;sha256-');
    expect(
      attributesOf(page).filter((one) => /^(src|srcset|style|on\w+|action|data|poster)=/.test(one)),
    ).toEqual([]);
    expect(attributesOf(page).filter((one) => one.startsWith('href=') && !one.startsWith('href="#'))).toEqual(
      [],
    );
  });

  test('holds no secret', () => {
    registerSecret('hunter2-hunter2');
    expect(pageOf(['app/hunter2-hunter2/x']).includes('hunter2-hunter2')).toBe(false);
  });

  test('has each id once, and only links that lead somewhere', () => {
    const page = pageOf(Array.from({ length: 50 }, (_, index) => `app/${index}`));
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    const links = [...page.matchAll(/ href="#([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(links.length).toBeGreaterThan(50);
    expect(links.filter((link) => !ids.includes(link))).toEqual([]);
  });

  test('has each id once where images share a layer', () => {
    const files = [file('app/a', 9), file('app/a', 8), file('app/b', 7)];
    const page = renderPage(only([image([layer(files)]), image([layer(files)])]));
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids).toEqual(['a1-f1', 'a1-f2', 'a1-f3', 'a1-f4', 'a1-f5', 'a1-f6']);
  });

  test('stays small for 100,000 files, and counts them all', () => {
    const files = Array.from({ length: 100_000 }, (_, index) =>
      file(`app/d${index % 5000}/f${index}`, 1 + (index % 900)),
    );
    const sizes = makeReport({ ...FACTS, size: 10_000_000 }, [image([layer(files)])], undefined);
    const page = renderPage({ artifacts: [sizes], history: [] });
    expect(page.length).toBeLessThan(600_000);
    expect(sizes.images[0]!.layers[0]!.tree!.files).toBe(100_000);
    expect(sizes.images[0]!.layers[0]!.tree!.cost).toBeCloseTo(10_000_000, -1);
    expect(/\d{5} more files/.test(page)).toBe(true);
  });

  test.each<[string, ReportPage]>([
    ['no artifact', { artifacts: [], history: [] }],
    ['an artifact without images', only([])],
    ['an image without layers', only([image([])])],
    ['an empty layer', only([image([layer([])])])],
    [
      'a layer that is not known',
      only([image([layer([], { size: undefined, contents: undefined, kind: 'omit' })])]),
    ],
  ])('may have %s', (_, page) => {
    const text = renderPage(page);
    expect(text.endsWith('</html>\n')).toBe(true);
    expect(/NaN|undefined|Infinity/.exec(text)).toBe(null);
  });

  test('is the same for the same input', () => expect(pageOf(HOSTILE)).toBe(pageOf(HOSTILE)));
});

function only(images: Parameters<typeof makeReport>[1]): ReportPage {
  const sizes = makeReport(FACTS, images, undefined);
  return { artifacts: [sizes], history: [releaseOf(sizes)] };
}

/** The names of all tags; a name in an image must not add one. */
function tagsOf(page: string): string[] {
  return [...new Set([...page.matchAll(/<\/?([a-zA-Z!][\w-]*)/g)].map(([, tag]) => tag!))].sort();
}

function attributesOf(page: string): string[] {
  return [...page.matchAll(/<[a-z][^>]*>/g)].flatMap(([tag]) =>
    [...tag.matchAll(/\b[\w-]+="[^"]*"/g)].map(([one]) => one),
  );
}

test.each([
  [['a', '<', 1], 'a&lt;1'],
  [[[markup`<i>${'&'}</i>`, 'b'], '', '"'], '<i>&amp;</i>b&quot;'],
])('markup escapes %j', (parts, expected) => {
  const [first = '', second = '', third = ''] = parts;
  expect(markup`${first}${second}${third}`.html).toBe(expected);
});

describe('squarify', () => {
  const area = { x: 10, y: 20, width: 600, height: 400 };

  test.each([
    [[1]],
    [[6, 6, 4, 3, 2, 2, 1]],
    [[1000, 1, 1, 1]],
    [Array.from({ length: 300 }, (_, index) => 300 - index)],
  ])('divides the area by %j', (values) => {
    const total = values.reduce((sum, value) => sum + value, 0);
    const places = squarify(values, area);
    expect(places).toHaveLength(values.length);
    for (const [index, { x, y, width, height }] of places.entries()) {
      expect(width * height).toBeCloseTo((values[index]! / total) * 240_000, 3);
      expect([x >= 10 - 1e-6, y >= 20 - 1e-6, x + width <= 610 + 1e-6, y + height <= 420 + 1e-6]).toEqual(
        Array(4).fill(true),
      );
    }
    expect(overlaps(places)).toBe(0);
  });

  test.each([
    [[], area],
    [[1, 1], { ...area, width: 0 }],
    [[1, 1], { x: 0, y: 0, width: 0, height: 0 }],
  ])('has no room for %j in %j', (values, place) => {
    const numbers = squarify(values, place).flatMap(({ x, y, width, height }) => [x, y, width, height]);
    expect(numbers.every(Number.isFinite)).toBe(true);
  });
});

function overlaps(places: ReturnType<typeof squarify>): number {
  const apart = 1e-6;
  return places.flatMap((one, index) =>
    places
      .slice(index + 1)
      .filter(
        (other) =>
          one.x + one.width > other.x + apart &&
          other.x + other.width > one.x + apart &&
          one.y + one.height > other.y + apart &&
          other.y + other.height > one.y + apart,
      ),
  ).length;
}
