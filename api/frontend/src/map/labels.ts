// Which towns are named at a zoom, so that no name lies on another: the same on every tile, whichever comes first.

import { x, y } from "./atlas";

/** A town: name, latitude, longitude, thousands of inhabitants. Largest first. */
export type Town = [name: string, latitude: number, longitude: number, thousands: number];

/** A name to draw, in pixels of the whole world at its zoom. */
export interface Label {
  text: string;
  left: number;
  top: number;
  width: number;
  height: number;
  isLarge: boolean;
}

const TILE = 256;
const CELL = 64;

/** Fewest thousands of inhabitants of a town that is named, by zoom; the last holds for all beyond. */
const LEAST = [Infinity, Infinity, 8000, 4000, 1500, 600, 300, 150, 100];

export const DOT = 5;

export class Labels {
  readonly #byZoom = new Map<number, Label[]>();

  constructor(
    private readonly towns: Town[],
    private readonly width: (text: string) => number,
  ) {}

  at(zoom: number): Label[] {
    let chosen = this.#byZoom.get(zoom);
    if (!chosen) this.#byZoom.set(zoom, (chosen = this.#choose(zoom)));
    return chosen;
  }

  #choose(zoom: number): Label[] {
    const least = LEAST[Math.min(zoom, LEAST.length - 1)]!;
    const scale = TILE * 2 ** zoom;
    const taken = new Map<string, Label[]>();
    const chosen: Label[] = [];
    for (const [text, latitude, longitude, thousands] of this.towns) {
      if (thousands < least) break;
      const label: Label = {
        text,
        left: x(longitude) * scale - DOT,
        top: y(latitude) * scale - 8,
        width: this.width(text) + 3 * DOT,
        height: 16,
        isLarge: thousands > 2000,
      };
      const cells = cellsOf(label);
      if (cells.some((cell) => taken.get(cell)?.some((other) => meet(label, other)))) continue;
      for (const cell of cells) taken.set(cell, [...(taken.get(cell) ?? []), label]);
      chosen.push(label);
    }
    return chosen;
  }
}

function cellsOf(label: Label): string[] {
  const cells: string[] = [];
  for (let column = Math.floor(label.left / CELL); column <= (label.left + label.width) / CELL; column++) {
    for (let row = Math.floor(label.top / CELL); row <= (label.top + label.height) / CELL; row++) {
      cells.push(`${column} ${row}`);
    }
  }
  return cells;
}

function meet(a: Label, b: Label): boolean {
  return (
    a.left < b.left + b.width + 6 &&
    b.left < a.left + a.width + 6 &&
    a.top < b.top + b.height &&
    b.top < a.top + a.height
  );
}
