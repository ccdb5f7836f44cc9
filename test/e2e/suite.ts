import type { PayloadImage } from '../../src/mender/payload.ts';
import { deviceReference, formatReference, parseReference } from '../../src/oci/reference.ts';
import { expect } from 'vitest';
import type { TestImage } from '../mender/onDevice/images.ts';
import { payloadOf } from '../mender/onDevice/images.ts';
import type { Services } from './application.ts';
import type { Device } from './device.ts';
import { PROJECT } from './pack.ts';

/** Name on the device of what the manifest calls `name`. */
export const nameOf = (name: string): string => formatReference(deviceReference(parseReference(name)));

/** For a service of a manifest: a network would take a good part of each start. */
export const NO_NETWORK = '    network_mode: none\n';

/** The shipped manifest. */
export function manifestOf(services: Services, extra = ''): string {
  const lines = Object.entries(services).map(
    ([service, { name }]) => `  ${service}:\n    image: ${nameOf(name)}\n${extra}`,
  );
  return `services:\n${lines.join('')}`;
}

/** Each image once, as a delta of the one that its first service had before. */
export function imagesOf(services: Services, old: Services | undefined, folder: string): PayloadImage[] {
  const images = new Map(
    Object.entries(services)
      .reverse()
      .map(([service, image]) => [image.name, { service, image }]),
  );
  return [...images.values()].map(({ service, image }) => {
    const base = old?.[service];
    const named = { ...image, name: nameOf(image.name) };
    return payloadOf(service, named, base && { ...base, name: nameOf(base.name) }, folder);
  });
}

/**
 * Files that an image's containers see, and their sums; those in `gone` and `opaque` are whited
 * out.
 */
function filesOf({ layers }: TestImage): Record<string, string> {
  const all = Object.assign({}, ...layers.map(({ files }) => files)) as Record<string, string>;
  return Object.fromEntries(Object.entries(all).filter(([path]) => !/^(gone|opaque)/.test(path)));
}

/** Exactly the images of these services are on the device, each under one name. */
export function expectImages(device: Device, services: Services): void {
  const names = new Set(Object.values(services).map(({ name }) => nameOf(name)));
  const lines = device.ask("docker image ls --all --format '{{.Repository}}:{{.Tag}}'").split('\n');
  expect(lines.filter(Boolean).sort()).toEqual([...names].sort());
}

/** Exactly these services run, each from its image, file by file. */
export function expectRunning(device: Device, services: Services): void {
  const entries = Object.entries(services);
  const layers = entries.map(([service, image]) => [service, image.layers.map(({ diffID }) => diffID)]);
  expect(device.runs(PROJECT)).toEqual(Object.fromEntries(layers));
  const paths = entries.map(([service, image]) => [
    service,
    Object.keys(filesOf(image)).map((path) => `/${path}`),
  ]);
  const sums = entries.map(([service, image]) => [
    service,
    Object.entries(filesOf(image)).map(([path, sum]) => `${sum}  /${path}`),
  ]);
  expect(device.sums(PROJECT, Object.fromEntries(paths) as Record<string, string[]>)).toEqual(
    Object.fromEntries(sums),
  );
}
