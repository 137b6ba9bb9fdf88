// The sites of the list on a map of our own: where spots are left, where none are, and where nobody is taken.

import * as L from "leaflet";
import { openAtlas } from "../map/atlas";
import { Basemap } from "../map/basemap";
import { colour } from "../map/colour";
import { Labels, type Town } from "../map/labels";

const FONT = "11px system-ui, sans-serif";

/** Sites that are markers of their own, reached by the keyboard; beyond, they are drawn on one canvas. */
const MOST_MARKERS = 100;

export class CapacityMap {
  readonly #map: L.Map;
  readonly #sites = L.layerGroup();

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
  }

  /** Draw the sites as the list has them now. */
  show(rows: HTMLElement[]): void {
    this.#sites.clearLayers();
    for (const row of rows) {
      const at = L.latLng(Number(row.dataset["latitude"]), Number(row.dataset["longitude"]));
      const popup = describe(row);
      if (rows.length > MOST_MARKERS) {
        const paint = colour(`--${toneOf(row)}`);
        L.circleMarker(at, { radius: 6, color: paint, weight: 2, fillOpacity: 0.5 }).bindPopup(popup).addTo(this.#sites);
        continue;
      }
      const icon = L.divIcon({ className: `spot-marker spot-${toneOf(row)}`, html: span(leftAt(row)), iconSize: [28, 28] });
      const marker = L.marker(at, { icon, riseOnHover: true }).bindPopup(popup).addTo(this.#sites);
      marker.getElement()?.setAttribute("aria-label", `${row.dataset["name"] ?? ""}: ${textOf(row, ".badge")}`);
    }
  }

  /** Bring all sites into view. */
  fit(): void {
    const points = this.#sites.getLayers().map((layer) => (layer as L.Marker | L.CircleMarker).getLatLng());
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

function toneOf(row: HTMLElement): string {
  return row.dataset["tone"] ?? "accent";
}

function leftAt(row: HTMLElement): string {
  return row.querySelector("td[data-label] strong")?.textContent?.trim() ?? "?";
}

function textOf(row: HTMLElement, selector: string): string {
  return row.querySelector(selector)?.textContent?.trim() ?? "";
}

function describe(row: HTMLElement): HTMLElement {
  const box = document.createElement("div");
  const link = row.querySelector("a")?.cloneNode(true);
  if (link) box.append(link);
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
