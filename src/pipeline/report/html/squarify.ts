/** A rectangle. The unit is that of the drawing. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

/**
 * Divides `area` into one rectangle for each of `values`, in proportion to them and as close to
 * squares as it goes. The values are positive and sorted, the largest first. Pure.
 * https://www.win.tue.nl/~vanwijk/stm.pdf
 */
export function squarify(values: readonly number[], area: Rectangle): Rectangle[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  const scale = total === 0 ? 0 : (area.width * area.height) / total;
  const sizes = values.map((value) => value * scale);
  const placed: Rectangle[] = [];
  let free = area;
  for (let first = 0; first < sizes.length;) {
    const row = sizes.slice(first, first + rowLength(sizes, first, Math.min(free.width, free.height)));
    const laid = layRow(row, free);
    for (const one of laid.rectangles) placed.push(one);
    free = laid.free;
    first += row.length;
  }
  return placed;
}

/** How many values make a row whose rectangles are closest to squares. */
function rowLength(sizes: readonly number[], first: number, side: number): number {
  const largest = sizes[first] ?? 0;
  let sum = largest;
  let worst = worstRatio(sum, largest, largest, side);
  for (let count = 1; ; count++) {
    const next = sizes[first + count];
    if (next === undefined) return count;
    const ratio = worstRatio(sum + next, largest, next, side);
    if (ratio > worst) return count;
    sum += next;
    worst = ratio;
  }
}

function worstRatio(sum: number, largest: number, smallest: number, side: number): number {
  const [square, areas] = [side * side, sum * sum];
  return Math.max((square * largest) / areas, areas / (square * smallest));
}

function layRow(row: readonly number[], free: Rectangle): { rectangles: Rectangle[]; free: Rectangle } {
  const sum = row.reduce((total, size) => total + size, 0);
  const isWide = free.width >= free.height;
  const thickness = sum / (isWide ? free.height : free.width) || 0;
  let at = isWide ? free.y : free.x;
  const rectangles = row.map((size) => {
    const length = size / thickness || 0;
    const rectangle = isWide
      ? { x: free.x, y: at, width: thickness, height: length }
      : { x: at, y: free.y, width: length, height: thickness };
    at += length;
    return rectangle;
  });
  const rest = isWide
    ? { ...free, x: free.x + thickness, width: Math.max(0, free.width - thickness) }
    : { ...free, y: free.y + thickness, height: Math.max(0, free.height - thickness) };
  return { rectangles, free: rest };
}
