import { buildImage } from './images.ts';
import type { MisbehavingRegistry } from './misbehaving-registry.ts';

const RELEASES = [1, 2] as const;
const BASE = { 'etc/os-release': Buffer.from('NAME=demo\n') };

/** Adds two releases of tiny images, one image for each service. All share the lowest layer. */
export function addServices(registry: MisbehavingRegistry, count: number): void {
  for (let service = 0; service < count; service++) {
    for (const release of RELEASES) {
      const image = buildImage({ layers: [BASE, { 'app/main': program(service, release) }] });
      registry.add(`shop/s${service}`, String(release), image);
    }
  }
}

/** Lines of which some change with each release. */
function program(service: number, release: number): Buffer {
  const line = (number: number): string =>
    `service ${service}, line ${number * (number % 50 ? 1 : release)}\n`;
  return Buffer.from(Array.from({ length: 300 }, (_, number) => line(number)).join(''));
}

/** The line of each service in a Compose file; `$TAG` is the release. */
export function serviceLines(host: string, count: number): string[] {
  return Array.from(
    { length: count },
    (_, service) => `s${service}: {image: "${host}/shop/s${service}:\${TAG}"}`,
  );
}
