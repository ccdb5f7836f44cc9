import { formatBytes } from '../../../io/amounts.ts';
import type { FileState } from '../model.ts';
import type { Html } from './markup.ts';
import { markup, nothing, visible } from './markup.ts';
import type { Rectangle } from './squarify.ts';
import { squarify } from './squarify.ts';

/** A part of a treemap: a tile, or a box of parts. */
export interface Tile {
  name: string;
  /** Its area. */
  value: number;
  /** Null for a tile that stands for several files. */
  state: FileState | null;
  parts: readonly Tile[];
  /** The row of the page that tells more. */
  row?: string | undefined;
}

/** A drawing of a certain size. */
export interface Canvas {
  /** `wide` or `narrow`: the style sheet shows one of them. */
  name: string;
  width: number;
  height: number;
}

/** What a character of 12 pixels takes, about, and one of a title. */
const CHARACTER = 6.6;
const BOLD_CHARACTER = 7.4;
const LINE = 17;
const GAP = 2;
/** Smaller parts are not drawn one by one. In square pixels. */
const SMALLEST = 30;

/**
 * The treemap of `parts` as SVG: the area of a tile is its share. It is hidden from screen readers,
 * as the page has the same as a list. Pure.
 */
export function treemap(parts: readonly Tile[], { name, width, height }: Canvas): Html {
  const area = { x: 0, y: 0, width, height };
  return markup`<svg class="${name}" viewBox="0 0 ${width} ${height}" aria-hidden="true">${drawParts(parts, area)}</svg>`;
}

function drawParts(parts: readonly Tile[], area: Rectangle): Html[] {
  const drawn = parts.filter(({ value }) => value > 0).sort((one, other) => other.value - one.value);
  const places = squarify(
    drawn.map(({ value }) => value),
    area,
  );
  return places.flatMap((place, index) => {
    const part = drawn[index];
    return part === undefined ? [] : [drawOne(part, place)];
  });
}

function drawOne(part: Tile, place: Rectangle): Html {
  const isLeaf = part.parts.length === 0 || place.width * place.height < SMALLEST * 4;
  return isLeaf ? leaf(part, place) : box(part, place);
}

function leaf({ name, value, state, row }: Tile, place: Rectangle): Html {
  const drawn = markup`<rect class="leaf ${state ?? 'many'}" ${position(place)}><title>${name}: ${formatBytes(value)}${state === null ? '' : `, ${state}`}</title></rect>${label(name, place, false)}`;
  return row === undefined ? drawn : markup`<a href="#${row}" tabindex="-1">${drawn}</a>`;
}

function box({ name, value, parts }: Tile, place: Rectangle): Html {
  const hasTitle = place.height > 3 * LINE && place.width > 60;
  const top = hasTitle ? LINE : GAP;
  const inside = {
    x: place.x + GAP,
    y: place.y + top,
    width: Math.max(0, place.width - 2 * GAP),
    height: Math.max(0, place.height - top - GAP),
  };
  return markup`<rect class="box" ${position(place)}><title>${name}: ${formatBytes(value)}</title></rect>${hasTitle ? label(`${name}  ${formatBytes(value)}`, place, true) : nothing}${drawParts(parts, inside)}`;
}

function position({ x, y, width, height }: Rectangle): Html {
  return markup`x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;
}

/** The text, cut to the width; nothing where it has no room. */
function label(text: string, { x, y, width, height }: Rectangle, isTitle: boolean): Html {
  const room = Math.floor((width - 8) / (isTitle ? BOLD_CHARACTER : CHARACTER));
  if (room < 4 || height < LINE) return nothing;
  const characters = Array.from(visible(text));
  const shown =
    characters.length <= room ? characters.join('') : `${characters.slice(0, room - 1).join('')}…`;
  return markup`<text${isTitle ? markup` class="title"` : nothing} x="${round(x + 4)}" y="${round(y + 13)}">${shown}</text>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
