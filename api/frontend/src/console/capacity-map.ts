// The sites of the list on a map of our own: where spots are left, where none are, and where nobody is taken.

import * as L from "leaflet";
import { openAtlas } from "../map/atlas";
import { Basemap } from "../map/basemap";
import { Labels, type Town } from "../map/labels";

const FONT = "11px system-ui, sans-serif";

/** Sites nearer to one another than this, in pixels, share a marker: each can then be hit, and its number read. */
const APART = 34;

interface Group {
  at: L.LatLng;
  rows: HTMLElement[];
}

export class CapacityMap {
  readonly #map: L.Map;
  readonly #sites = L.layerGroup();
  #rows: HTMLElement[] = [];

  static async open(panel: HTMLElement, rows: HTMLElement[]): Promise<CapacityMap> {
    const { tilesUrl, tilesAttribution, wordsMap, wordsData } = panel.dataset;
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    canvas.setAttribute("role", "region");
    canvas.setAttribute("aria-label", wordsMap ?? "");
    const background = tilesUrl ? null : await readBackground();
    panel.replaceChildren(canvas);
    const made = new CapacityMap(canvas);
    if (background) {
      const [atlas, labels] = background;
      const basemap = new Basemap(atlas, labels, FONT).addTo(made.#map);
      const repaint = () => {
        basemap.repaint();
        made.show(currentRows(panel));
      };
      document.addEventListener("sitematch:theme", repaint);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
      made.#map.attributionControl.addAttribution(wordsData ?? "");
    } else {
      const attribution = document.createElement("span");
      attribution.textContent = tilesAttribution ?? "";
      L.tileLayer(tilesUrl ?? "", { attribution: attribution.innerHTML }).addTo(made.#map);
    }
    made.show(rows);
    made.fit();
    return made;
  }

  private constructor(canvas: HTMLElement) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#map = L.map(canvas, {
      minZoom: 1,
      maxZoom: 12,
      zoomAnimation: !calm,
      fadeAnimation: !calm,
      markerZoomAnimation: !calm,
      inertia: !calm,
      scrollWheelZoom: false, // the page scrolls past it
      preferCanvas: true,
    }).setView([25, 0], 2);
    this.#map.attributionControl.setPrefix(false);
    this.#sites.addTo(this.#map);
    this.#map.on("zoomend", () => this.#draw());
  }

  /** Draw the sites as the list has them now. */
  show(rows: HTMLElement[]): void {
    this.#rows = rows;
    this.#draw();
  }

  #draw(): void {
    this.#sites.clearLayers();
    for (const { at, rows } of this.#groups()) {
      const [first] = rows;
      if (!first) continue;
      const isOne = rows.length === 1;
      const tones = new Set(rows.map(toneOf));
      const tone = tones.size === 1 ? toneOf(first) : "edge";
      const text = isOne ? leftAt(first) : `×${rows.length}`;
      const icon = L.divIcon({ className: `spot-marker spot-${tone}`, html: span(text), iconSize: [30, 30] });
      const popup = document.createElement("div");
      popup.append(...rows.map((row) => describe(row, isOne)));
      const marker = L.marker(at, { icon }).bindPopup(popup, { maxHeight: 220 }).addTo(this.#sites);
      const name = isOne ? `${nameOf(first)}: ${text}, ${textOf(first, ".badge")}` : `${text}: ${rows.map(nameOf).join(", ")}`;
      marker.getElement()?.setAttribute("aria-label", name);
    }
  }

  #groups(): Group[] {
    const groups: (Group & { point: L.Point })[] = [];
    for (const row of this.#rows) {
      const at = positionOf(row);
      const point = this.#map.project(at);
      const near = groups.find((group) => group.point.distanceTo(point) < APART);
      if (near) near.rows.push(row);
      else groups.push({ at, point, rows: [row] });
    }
    return groups;
  }

  /** Bring all sites into view. */
  fit(): void {
    const points = this.#rows.map(positionOf);
    if (points.length) this.#map.fitBounds(L.latLngBounds(points), { padding: [28, 28], maxZoom: 8, animate: false });
  }
}

/** The rows of the list that are somewhere. */
export function currentRows(within: Element): HTMLElement[] {
  return [...(within.closest("[data-live]")?.querySelectorAll<HTMLElement>("tr[data-latitude]") ?? [])];
}

async function readBackground(): Promise<[Awaited<ReturnType<typeof openAtlas>>, Labels]> {
  const [atlas, answer] = await Promise.all([openAtlas(), fetch("/map/towns")]);
  if (!answer.ok) throw new Error(`towns: ${answer.status}`);
  const { towns } = (await answer.json()) as { towns: Town[] };
  const pen = document.createElement("canvas").getContext("2d");
  if (pen) pen.font = FONT;
  return [atlas, new Labels(towns, (text) => pen?.measureText(text).width ?? 8 * text.length)];
}

function positionOf(row: HTMLElement): L.LatLng {
  return L.latLng(Number(row.dataset["latitude"]), Number(row.dataset["longitude"]));
}

function nameOf(row: HTMLElement): string {
  return row.dataset["name"] ?? "";
}

function toneOf(row: HTMLElement): string {
  return row.dataset["tone"] ?? "accent";
}

function leftAt(row: HTMLElement): string {
  return row.querySelector("td[data-label] strong")?.textContent?.trim() ?? "?";
}

function textOf(row: HTMLElement, selector: string): string {
  return row.querySelector(selector)?.textContent?.trim() ?? "";
}

function describe(row: HTMLElement, isWhole: boolean): HTMLElement {
  const box = document.createElement("div");
  const link = row.querySelector("a")?.cloneNode(true);
  if (link) box.append(link);
  if (!isWhole) {
    box.append(`: ${leftAt(row)}`);
    return box;
  }
  for (const cell of row.querySelectorAll<HTMLElement>("td[data-label]")) {
    const line = document.createElement("p");
    line.textContent = `${cell.dataset["label"] ?? ""}: ${cell.textContent?.trim().replace(/\s+/g, " ") ?? ""}`;
    box.append(line);
  }
  return box;
}

function span(text: string): HTMLElement {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}
