import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Application, ReadOptions, ShippedFile } from '../../src/compose/application.ts';
import { readApplication, shippedFiles } from '../../src/compose/application.ts';
import type { Shipment } from '../../src/compose/ship/shipment.ts';
import { prepareShipment } from '../../src/compose/ship/shipment.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import type { Case } from './cases.ts';

/** Writes the case's files into a new folder and returns it. */
export function projectIn(files: Record<string, string>): string {
  const folder = join(temporaryFolder(), 'shop');
  mkdirSync(folder);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** The manifests of a case, as paths below its folder. */
export function composeFilesOf({ composeFiles = ['compose.yaml'] }: Case, folder: string): string[] {
  return composeFiles.map((path) => join(folder, path));
}

/** An application that was read and is ready to ship, with all warnings. */
export interface ReadyApplication extends Application {
  shipment: Shipment;
}

/** Reads a project and prepares what ships. */
export async function readToShip(
  options: ReadOptions,
  privatePaths: readonly string[] = [],
): Promise<ReadyApplication> {
  const application = await readApplication(options);
  const shipment = await prepareShipment(application.parts, privatePaths);
  return { ...application, shipment, warnings: [...application.warnings, ...shipment.warnings] };
}

/** The files for the device, with these images of the services. */
export function filesOf(
  { services, shipment }: ReadyApplication,
  images: Record<string, string> = {},
): ShippedFile[] {
  return shippedFiles(services, shipment, new Map(Object.entries(images)));
}

export async function readCase(one: Case): Promise<ReadyApplication> {
  const folder = projectIn(one.files);
  const { profiles = [], environment = {} } = one;
  return readToShip({ composeFiles: composeFilesOf(one, folder), profiles, environment });
}

/** Reads a project that has just the one manifest. */
export async function readManifest(
  text: string,
  environment: Record<string, string> = {},
): Promise<ReadyApplication> {
  return readCase({ files: { 'compose.yaml': text }, environment });
}

/** The bytes of a shipped file as text. */
function contentOf({ content }: ShippedFile): string {
  return content instanceof Uint8Array
    ? Buffer.from(content).toString('utf8')
    : readFileSync(content.file, 'utf8');
}

/** Shipped files by path. */
export function textsOf(files: readonly ShippedFile[]): Record<string, string> {
  return Object.fromEntries(files.map((file) => [file.path, contentOf(file)]));
}

/** Unpacks shipped files the way a device does. */
export function unpack(files: readonly ShippedFile[], folder: string): void {
  for (const file of files) {
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contentOf(file));
    chmodSync(path, file.mode);
  }
}
