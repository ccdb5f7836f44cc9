import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/io/log.ts';
import { oneLine } from '../../src/io/printable.ts';
import { ending, excerpt, hideCredentials, redact, registerSecret } from '../../src/io/redact.ts';

describe('redact', () => {
  registerSecret('s3cr3t-token');
  registerSecret('s3cr3t-token-of-another');
  registerSecret('abc');

  registerSecret('abcd!efgh-token');
  registerSecret('p@ss/w0rd');
  registerSecret("ab'cdefgh");

  it.each([
    ['Basic abcd!efgh-token', 'Basic ***'],
    ['https://u:p@ss/w0rd@h/x', 'https://***@h/x'],
    ["https://h/?t=ab'cdefgh", 'https://h/?***'],
    ['Authorization: Bearer eyJhbGciOi.abc.def', 'Authorization: Bearer ***'],
    ['basic dXNlcjpwYXNz', 'basic ***'],
    ['GET https://user:pw@host/v2/', 'GET https://***@host/v2/'],
    ['cloning https://user:p@ss@host/x', 'cloning https://***@host/x'],
    ['write it like ssh://root@device', 'write it like ssh://root@device'],
    ['cloning ssh://git:pw@host/x', 'cloning ssh://***@host/x'],
    ['https://host/app@sha256:12', 'https://host/app@sha256:12'],
    ['one s3cr3t-token, two s3cr3t-token-of-another', 'one ***, two ***'],
    ['https://bucket/x?X-Amz-Signature=1&y=2 failed', 'https://bucket/x?*** failed'],
    ['"http://h/a?b=c"', '"http://h/a?***"'],
    ['ftp://h/?token=a failed', 'ftp://h/?*** failed'],
    ['token s3cr3t-token in the middle s3cr3t-token', 'token *** in the middle ***'],
    ['too short to be a secret: abc', 'too short to be a secret: abc'],
    ['nothing to hide at http://host/path', 'nothing to hide at http://host/path'],
  ])('%s', (text, clean) => {
    expect(redact(text)).toBe(clean);
  });

  it.each([
    ['an address', encodeURIComponent],
    ['an address in small letters', (text: string) => encodeURIComponent(text).toLowerCase()],
    ['a form', (text: string) => new URLSearchParams({ text }).toString().slice(5)],
    ['JSON', (text: string) => JSON.stringify(text)],
  ])('a secret as it is in %s', (_, spelt) => {
    const secret = 'a+b/c "d" é~(e)*\'!';
    registerSecret(secret);
    expect(redact(`said ${spelt(secret)}`)).toMatch(/^said "?\*\*\*"?$/);
  });

  it.each([0, 1, 4, 20, 60])('a secret before an excerpt is cut in it or after it: %d', (at) => {
    const secret = '0123456789abcdef'.repeat(4);
    registerSecret(secret);
    const text = `${'x'.repeat(80 - at)} ${secret}`;
    expect(excerpt(text, 80 + 4)).not.toContain(secret.slice(0, 4));
    expect(excerpt(text.slice(0, 100), 200)).not.toContain(secret.slice(0, 4));
    expect(ending(`${secret}${'x'.repeat(80 - at)}`, 100)).not.toContain(secret.slice(-4));
  });

  it('puts an excerpt on one line', () => {
    expect(excerpt(' <html>\n\u0000 <p>no\t way </html>\n', 12)).toBe('<html> <p>no');
  });

  it.each([
    ['a.'],
    ['http://'],
    ['https://a?'],
    ['://'],
    ['Bearer '],
    ['Basic  '],
    ['@'],
    [' '],
    ['\u0000 '],
  ])('takes no time that grows with the square of a text of %j', (part) => {
    const text = part.repeat(1 << 20);
    expect(redact(text).length).toBeGreaterThan(0);
    expect(oneLine(text).length).toBeLessThanOrEqual(text.length);
  });

  it.each(['error', 'warning', 'info', 'debug'] as const)('is applied at log level %s', (level) => {
    const lines: string[] = [];
    const log = createLog(level, (line) => lines.push(line));
    log.warning('s3cr3t-token');
    log.info('s3cr3t-token');
    log.debug('s3cr3t-token');
    expect(lines).toEqual(
      ['warning: ***', '***', 'debug: ***'].slice(0, ['error', 'warning', 'info', 'debug'].indexOf(level)),
    );
  });
});

describe('hideCredentials', () => {
  it.each([
    ['user:password@host', '***@host'],
    ['https://user:pass/word@host/a', 'https://***@host/a'],
    ['tcp://a@b@host:1', 'tcp://***@host:1'],
    ['ftp://h/?token=a', 'ftp://h/?***'],
    ['u:p@h?a@b', '***@b'],
    ['localhost:2375', 'localhost:2375'],
    ['unix://relative', 'unix://relative'],
    ['', ''],
  ])('%j is %j', (text, shown) => expect(hideCredentials(text)).toBe(shown));

  it('takes linear time', () => {
    for (const part of ['a.', '@', '?', '://']) hideCredentials(part.repeat(1 << 20));
  });
});

describe('oneLine', () => {
  it.each([
    ['as it is', 'as it is'],
    ['two\r\n  lines\n', 'two lines'],
    ['a \u001b[31mred\u001b[0m word', 'a [31mred [0m word'],
    ['tabs\tand\0NULs', 'tabs and NULs'],
    ['/path/with  two spaces/é', '/path/with  two spaces/é'],
  ])('%j', (text, line) => {
    expect(oneLine(text)).toBe(line);
    const lines: string[] = [];
    createLog('info', (written) => lines.push(written)).info(text);
    expect(lines).toEqual([line]);
  });
});
