import type { IncomingMessage, ServerResponse } from 'node:http';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { renderPage } from '../../../src/pipeline/report/html/page.ts';
import { makeReport } from '../../../src/pipeline/report/makeReport.ts';
import { releaseOf } from '../../../src/pipeline/report/reportPage.ts';
import { listen } from '../../helpers/listen.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import { FACTS, file, image, layer } from './samples.ts';

const HOSTILE = [
  '<script>document.title="taken over"</script>',
  '"><img src=http://127.0.0.1:9/x onerror="parent.takenOver=1">',
  '</title></style></svg><iframe src="javascript:parent.takenOver=1">',
  '<style>@import "http://127.0.0.1:9/x.css"</style>',
];

function page(): string {
  const names = [...HOSTILE, 'a/very/long/path/'.repeat(20), 'x'.repeat(300), ...Array.from('abcdefghij')];
  const files = names.map((name, index) =>
    file(`app/${name}`, 1000 - index, { content: index % 3 ? 'other' : 'packed' }),
  );
  const sizes = makeReport(
    FACTS,
    [image([layer(files, { command: HOSTILE.join(' ') })]), image([layer([file('var/log/x', 500)])])],
    undefined,
  );
  return renderPage({ artifacts: [sizes], history: [sizes, sizes].map(releaseOf) });
}

/** What a browser makes of the page. */
interface Seen {
  /** Bytes that the page is wider than the window. */
  overflow: number;
  background: string;
  title: string;
  drawings: string[];
  rows: number;
  hasTakenOver: boolean;
  /** Elements that no page has. */
  foreign: number;
}

/** Shows the page in a frame, because a window of Chromium has 500 pixels or more. */
const frame = (width: number): string => `<!doctype html><html><head><link rel="icon" href="data:,">
<style>:root { color-scheme: light dark; } iframe { border: 0; width: ${width}px; height: 800px; }</style></head><body>
<iframe src="/page"></iframe><pre></pre><script>
document.querySelector('iframe').addEventListener('load', ({ target }) => {
  const { contentDocument: page, contentWindow: view } = target;
  const shown = (element) => view.getComputedStyle(element).display !== 'none';
  document.querySelector('pre').textContent = 'SEEN' + JSON.stringify({
    overflow: page.documentElement.scrollWidth - ${width},
    background: view.getComputedStyle(page.body).backgroundColor,
    title: page.title,
    drawings: [...page.querySelectorAll('svg')].filter(shown).map((one) => one.getAttribute('class')),
    rows: page.querySelectorAll('tbody tr').length,
    hasTakenOver: 'takenOver' in window,
    foreign: page.querySelectorAll('script, img, iframe, link, object, [onerror], [onload], [style]').length,
  }) + 'END';
});
</script></body></html>`;

/**
 * Opens the page in Chromium. Returns what is seen, what it asked the network for, and its
 * complaints.
 */
async function openPage(
  width: number,
  ...flags: string[]
): Promise<{ seen: Seen; asked: string[]; complaints: string[] }> {
  const asked: string[] = [];
  const text = page();
  const host = await listen(({ url = '' }: IncomingMessage, response: ServerResponse) => {
    asked.push(url);
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.end(url === '/page' ? text : frame(width));
  });
  const quiet = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
  ];
  const safe = [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    '--disable-dev-shm-usage',
    `--user-data-dir=${temporaryFolder()}`,
  ];
  const { stdout, stderr } = await execa('chromium', [
    ...[...quiet, ...safe, ...flags],
    ...[
      '--enable-logging=stderr',
      `--window-size=${Math.max(width, 500)},900`,
      '--virtual-time-budget=5000',
      '--dump-dom',
      `${host}/frame`,
    ],
  ]);
  const [, json = '{}'] = /SEEN(.*?)END/s.exec(stdout.slice(stdout.lastIndexOf('<pre>'))) ?? [];
  const complaints = stderr.split('\n').filter((line) => line.includes(':CONSOLE'));
  return { seen: JSON.parse(unescaped(json)) as Seen, asked, complaints };
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

describe('a page in Chromium', { timeout: 120_000 }, () => {
  beforeAll(() => requireTool('chromium'));

  test.each([
    ['light', 1200, [], 'rgb(255, 255, 255)', 'wide'],
    ['dark', 1200, ['--force-dark-mode'], 'rgb(20, 23, 26)', 'wide'],
    ['light on a phone', 390, [], 'rgb(255, 255, 255)', 'narrow'],
  ])('is shown %s, asks for nothing and takes no orders', async (_, width, flags, background, drawing) => {
    const { seen, asked, complaints } = await openPage(width, ...flags);
    expect(complaints).toEqual([]);
    expect(asked).toEqual(['/frame', '/page']);
    expect(seen).toEqual({
      overflow: 0,
      background,
      title: 'shop-1.0: where the bytes are',
      drawings: [drawing, drawing, 'bars'],
      rows: 17 + 2 + 2,
      hasTakenOver: false,
      foreign: 0,
    });
  });
});
