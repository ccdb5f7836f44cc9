import type { PayloadImage } from '../../src/mender/payload.ts';
import type { Device } from './device.ts';

/** The configuration of the module docker-compose. */
export const CONFIG = '/etc/mender/mender-docker-compose.conf';

/** The content store of containerd, below /var/lib. */
export const CONTENT = 'containerd/io.containerd.content.v1.content';

/**
 * Restarts Docker. It waits for the end of the old one, as a new one may answer before anybody sees
 * that none does.
 */
export const RESTART =
  'old=$(pgrep -x dockerd); kill $old; while kill -0 $old 2> /dev/null; do sleep 0.1; done';

/** Damages the delta of one layer of an image. */
export function flip(images: PayloadImage[], id: string, index: number): void {
  const layer = images.find((image) => image.id === id)!.layers[index]!;
  if (layer.content.kind !== 'delta') throw new Error('no delta');
  const body = Buffer.from(layer.content.body);
  body[body.length - 60]! ^= 0xff;
  layer.content = { ...layer.content, body };
}

/** Runs a shell line each time before the script loads an image. */
export function beforeLoad(device: Device, line: string): void {
  device.write('wrapper', `#!/bin/sh\n[ "$2" != load ] || { ${line}; }\nexec docker "$@"\n`);
  device.ask(`chmod +x /data/wrapper; echo DOCKER_CMD=/data/wrapper >> ${CONFIG}`);
}

/**
 * Gives a folder below /var/lib a disk of its own, which gets full when the script loads an image.
 */
export function fillAtLoad(device: Device, folder: string): void {
  const disk = `/var/lib/${folder}`;
  device.ask(`cp -a ${disk} /run/kept; mount -t tmpfs -o size=64m tmpfs ${disk}; cp -a /run/kept/. ${disk}`);
  beforeLoad(device, `cat /dev/zero > ${disk}/fill 2> /dev/null`);
}

/** Starts an installation, and returns when the script loads the first image, where it stays. */
export function stopAtLoad(device: Device, artifact: string): void {
  beforeLoad(device, 'touch /run/reached; sleep 600');
  device.copy(artifact, 'pending.mender');
  device.ask(
    'mender --no-syslog install /data/pending.mender > /data/install.log 2>&1 < /dev/null & while [ ! -e /run/reached ]; do sleep 0.1; done',
  );
}

/** Notes what the script asks Docker. */
export function noteCalls(device: Device): void {
  device.write('wrapper', '#!/bin/sh\necho "$1 $2" >> /data/calls\nexec docker "$@"\n');
  device.ask(`chmod +x /data/wrapper; echo DOCKER_CMD=/data/wrapper > ${CONFIG}`);
}

/** The first two words of each call since `noteCalls`. */
export function callsOfDocker(device: Device): string[] {
  return device.ask('cat /data/calls').split('\n');
}

const GNU = 'coreutils dash diffutils findutils grep gzip mawk sed tar util-linux';

/**
 * Replaces the tools of a device by those of busybox, its shell included. What busybox lacks is
 * gone.
 */
export function onlyBusybox(device: Device): void {
  const tools = `$(dpkg -L ${GNU} | grep -E '^(/usr)?/s?bin/.')`;
  device.ask(`rm -f ${tools} /usr/bin/awk; /usr/bin/busybox --install -s`);
  const used = 'sh awk cut dd df grep gzip head sed sha256sum sort sync tail tar tr wc';
  const links = device.ask(`for tool in ${used}; do readlink -f /usr/bin/$tool; done | sort -u`);
  if (links !== '/usr/bin/busybox') throw new Error(`not of busybox: ${links}`);
}
