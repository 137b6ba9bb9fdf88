// Land, borders and towns drawn tile by tile on our own canvas: tiles repeat around the world, so nothing ends at the
// antimeridian, and panning draws only what is new.

import * as L from "leaflet";
import { colour } from "./colour";
import type { Atlas, Line } from "./atlas";
import { DOT, type Label, type Labels } from "./labels";

const TILE = 256;

interface Colours {
  land: string;
  line: string;
  text: string;
}

export class Basemap extends L.GridLayer {
  #colours: Colours | null = null;

  constructor(
    private readonly atlas: Atlas,
    private readonly labels: Labels,
    private readonly font: string,
  ) {
    super({ tileSize: TILE, updateWhenZooming: false });
  }

  /** Draw anew in the colours that hold now. */
  repaint(): void {
    this.#colours = null;
    this.redraw();
  }

  override createTile(at: L.Coords): HTMLElement {
    const canvas = document.createElement("canvas");
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = canvas.height = TILE * ratio;
    const pen = canvas.getContext("2d");
    if (!pen) return canvas;
    pen.scale(ratio, ratio);
    const scale = TILE * 2 ** at.z;
    const tile = new Pen(pen, scale, at.x * TILE, at.y * TILE);
    const colours = (this.#colours ??= { land: colour("--map-land"), line: colour("--map-line"), text: colour("--map-text") });

    pen.fillStyle = colours.land;
    tile.trace(this.atlas.land);
    pen.fill("evenodd");
    pen.strokeStyle = colours.line;
    pen.lineWidth = 0.75;
    tile.trace(this.atlas.coasts);
    pen.stroke();
    if (at.z >= 4) {
      pen.setLineDash([2, 3]);
      tile.trace(this.atlas.states);
      pen.stroke();
    }
    pen.setLineDash([5, 3]);
    pen.lineWidth = 1;
    tile.trace(this.atlas.borders);
    pen.stroke();
    pen.setLineDash([]);
    tile.write(this.labels.at(at.z), this.font, colours);
    return canvas;
  }
}

class Pen {
  constructor(
    private readonly pen: CanvasRenderingContext2D,
    private readonly scale: number,
    private readonly left: number,
    private readonly top: number,
  ) {}

  /** Make a path of the lines that touch this tile, leaving out points less than half a pixel on. */
  trace(lines: Line[]): void {
    const { pen, scale, left, top } = this;
    const margin = 2;
    pen.beginPath();
    for (const { points, west, east, north, south } of lines) {
      if (east * scale < left - margin || west * scale > left + TILE + margin) continue;
      if (south * scale < top - margin || north * scale > top + TILE + margin) continue;
      let [lastX, lastY] = [Infinity, Infinity];
      for (let i = 0; i < points.length; i += 2) {
        const across = points[i]! * scale - left;
        const down = points[i + 1]! * scale - top;
        if (i === 0) pen.moveTo(across, down);
        else if (Math.abs(across - lastX) + Math.abs(down - lastY) < 0.5 && i < points.length - 2) continue;
        else pen.lineTo(across, down);
        [lastX, lastY] = [across, down];
      }
    }
  }

  write(labels: Label[], font: string, colours: Colours): void {
    const { pen, left, top } = this;
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    for (const label of labels) {
      const [across, down] = [label.left - left, label.top - top];
      if (across > TILE || down > TILE || across + label.width < 0 || down + label.height < 0) continue;
      pen.font = `${label.isLarge ? "600 " : ""}${font}`;
      pen.fillStyle = colours.text;
      pen.beginPath();
      pen.arc(across + DOT, down + 8, 2, 0, 2 * Math.PI);
      pen.fill();
      pen.strokeStyle = colours.land;
      pen.lineWidth = 3;
      pen.strokeText(label.text, across + 2 * DOT, down + 8);
      pen.fillText(label.text, across + 2 * DOT, down + 8);
    }
  }
}
