// The map: where the person is, as wide as that is uncertain, rings of equal distance, and the clinics.

import * as L from "leaflet";
import { facts, word } from "../finder/words";
import { type Atlas, openAtlas } from "./atlas";
import { Basemap } from "./basemap";
import { colour } from "./colour";
import { Labels, type Town } from "./labels";

/** Clinics that are markers of their own, reached by the keyboard; farther ones are drawn on one canvas. */
const MOST_MARKERS = 60;

const FONT = "11px system-ui, sans-serif";

interface Circle {
  km: number;
  text: string;
  area: number[][][][];
}

interface Circles {
  circles: Circle[];
  uncertainty: number[][][][];
}

interface Background {
  atlas: Atlas;
  labels: Labels;
}

let background: Promise<Background> | null = null;

export class FinderMap {
  readonly #map: L.Map;
  readonly #here: L.LatLng;
  #basemap: Basemap | null = null;
  readonly #repaint = () => this.#basemap?.repaint();
  readonly #dark = matchMedia("(prefers-color-scheme: dark)");

  /** Draw the answer that the page shows into a panel. */
  static async open(panel: HTMLElement, answer: HTMLElement): Promise<FinderMap> {
    const number = (name: string) => Number(answer.dataset[name]);
    const circles = fetchCircles(answer);
    const behind = facts["tilesUrl"] ? null : await (background ??= readBackground());
    const drawn = await circles;
    const canvas = document.createElement("div");
    canvas.className = "map-canvas";
    canvas.setAttribute("role", "region");
    canvas.setAttribute("aria-label", word("map"));
    const note = document.createElement("p");
    note.className = "small soft";
    const dot = document.createElement("span");
    dot.className = "you-dot";
    const server = behind ? "" : new URL(facts["tilesUrl"] ?? "", location.href).host;
    note.append(dot, `${word("you")} `, behind ? word("ownMap") : word("tiles").replace("{server}", server));
    panel.replaceChildren(canvas, note);
    const map = new FinderMap(canvas, L.latLng(number("latitude"), number("longitude")));
    map.#putBackground(behind);
    map.#putCircles(drawn);
    map.#nameCircles(drawn, map.#putSites(answer));
    return map;
  }

  private constructor(canvas: HTMLElement, here: L.LatLng) {
    this.#here = here;
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#map = L.map(canvas, {
      zoomControl: false,
      minZoom: 1,
      maxZoom: 14,
      zoomAnimation: !calm,
      fadeAnimation: !calm,
      markerZoomAnimation: !calm,
      inertia: !calm,
      preferCanvas: true,
    }).setView(here, 6);
    this.#map.attributionControl.setPrefix(false);
    L.control
      .zoom({
        position: isMirrored() ? "topleft" : "topright",
        zoomInTitle: word("zoomIn"),
        zoomOutTitle: word("zoomOut"),
      })
      .addTo(this.#map);
    document.addEventListener("sitematch:theme", this.#repaint);
    this.#dark.addEventListener("change", this.#repaint);
  }

  remove(): void {
    document.removeEventListener("sitematch:theme", this.#repaint);
    this.#dark.removeEventListener("change", this.#repaint);
    // Leaflet's canvas forgets a frame that it asked for when it draws at once, and that frame fails on a removed map.
    // It was asked for before this one, so it comes first.
    requestAnimationFrame(() => this.#map.remove());
  }

  #putBackground(behind: Background | null): void {
    if (behind) {
      this.#basemap = new Basemap(behind.atlas, behind.labels, FONT).addTo(this.#map);
      this.#map.attributionControl.addAttribution(word("data"));
    } else {
      const attribution = document.createElement("span");
      attribution.textContent = facts["tilesAttribution"] ?? "";
      L.tileLayer(facts["tilesUrl"] ?? "", { attribution: attribution.innerHTML }).addTo(this.#map);
    }
  }

  #putCircles({ circles, uncertainty }: Circles): void {
    for (const { area } of circles) {
      L.polyline(this.#outline(area), { interactive: false, smoothFactor: 0, ...ringStyle() }).addTo(this.#map);
    }
        for (const polygon of uncertainty) {
      const rings = polygon.map((ring) => ring.map((point) => this.#near(point[1]!, point[0]!)));
      L.polygon(rings, { color: colour("--you"), weight: 2, fillOpacity: 0.18, smoothFactor: 0, interactive: false }).addTo(this.#map);
    }
    const icon = L.divIcon({ className: "map-you", iconSize: [16, 16] });
    const you = L.marker(this.#here, { icon, keyboard: false, interactive: false, zIndexOffset: -1000 });
    you.addTo(this.#map).getElement()?.setAttribute("aria-hidden", "true");
  }

  /** Write each distance where its circle is in view and farthest from any clinic's marker. */
  #nameCircles({ circles }: Circles, sites: L.LatLng[]): void {
    const view = this.#map.getBounds().pad(-0.08);
    const taken = sites.map((site) => this.#map.project(site));
    for (const { text, area } of circles) {
      let best: L.LatLng | null = null;
      let most = 0;
      for (const at of this.#outline(area).flat()) {
        if (!view.contains(at)) continue;
        const point = this.#map.project(at);
        const room = Math.min(Infinity, ...taken.map((other) => point.distanceTo(other)));
        if (room > most) [best, most] = [at, room];
      }
      if (!best) continue;
      const icon = L.divIcon({ className: "map-ring-label", html: span(text), iconSize: [0, 0] });
      L.marker(best, { icon, interactive: false, keyboard: false }).addTo(this.#map);
      taken.push(this.#map.project(best));
    }
  }

  /** Put a marker on each clinic, choose what is in view, and return where the clinics are. */
  #putSites(answer: HTMLElement): L.LatLng[] {
    const items = [...answer.querySelectorAll<HTMLElement>("[data-latitude][data-name]")];
    // Drawn from the last to the first, so that the best lie on top.
    items.reverse().forEach((item, i) => {
      const at = this.#near(Number(item.dataset["latitude"]), Number(item.dataset["longitude"]));
      const rank = item.dataset["rank"];
      const popup = describe(item);
      if (items.length - i > MOST_MARKERS) {
        L.circleMarker(at, { radius: 6, color: colour("--accent"), weight: 2, fillOpacity: 0.5 }).bindPopup(popup).addTo(this.#map);
        return;
      }
      const size = rank ? 30 : 18;
      const icon = L.divIcon({
        className: rank ? "map-site" : "map-site map-left-out",
        html: span(rank ?? ""),
        iconSize: [size, size],
        popupAnchor: [0, -size / 2],
      });
      const marker = L.marker(at, { icon, riseOnHover: true, zIndexOffset: rank ? 1000 - Number(rank) : 0 });
      marker.bindPopup(popup, { closeButton: true, maxWidth: 240, ...besideButtons() }).addTo(this.#map);
      marker.getElement()?.setAttribute("aria-label", nameOf(item));
    });
    // The ranked clinics, or the nearest that were left out where no other is there.
    const ranked = answer.querySelectorAll<HTMLElement>("[data-rank][data-latitude]");
    const framed = ranked.length ? [...ranked] : [...items].reverse().slice(0, 3);
    const points = framed.map((item) => this.#near(Number(item.dataset["latitude"]), Number(item.dataset["longitude"])));
    const bounds = L.latLngBounds([this.#here, ...points]);
    this.#map.fitBounds(bounds, { padding: [64, 40], maxZoom: 10, animate: false });
    return [this.#here, ...points];
  }

  /** Put a position on the same turn around the globe as the person, so that nothing is torn at the antimeridian. */
  #near(latitude: number, longitude: number): L.LatLng {
    return L.latLng(latitude, longitude + 360 * Math.round((this.#here.lng - longitude) / 360));
  }

  /** The line around an area, without the cuts that GeoJSON makes along the antimeridian and the poles. */
  #outline(area: number[][][][]): L.LatLng[][] {
    const parts: L.LatLng[][] = [];
    for (const ring of area.flat()) {
      let part: L.LatLng[] = [];
      ring.forEach((point, i) => {
        const before = ring[i - 1];
        const at = this.#near(point[1]!, point[0]!);
        const last = part[part.length - 1];
        if (before && ((isOnCut(before) && isOnCut(point)) || (last && Math.abs(last.lng - at.lng) > 180))) {
          parts.push(part);
          part = [];
        }
        part.push(at);
      });
      parts.push(part);
    }
    return parts.filter((part) => part.length > 1);
  }
}

function isOnCut(point: number[]): boolean {
  return Math.abs(point[0]!) === 180 || Math.abs(point[1]!) === 90;
}

async function fetchCircles(answer: HTMLElement): Promise<Circles> {
  const { latitude, longitude, uncertaintyKm, farthestKm, unit } = answer.dataset;
  const sent = await fetch("/map/circles", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      latitude: Number(latitude),
      longitude: Number(longitude),
      uncertainty_km: Number(uncertaintyKm),
      farthest_km: Number(farthestKm),
      unit,
      lang: document.documentElement.lang,
    }),
  });
  if (!sent.ok) throw new Error(`circles: ${sent.status}`);
  return (await sent.json()) as Circles;
}

async function readBackground(): Promise<Background> {
  try {
    const [atlas, answer] = await Promise.all([openAtlas(), fetch("/map/towns")]);
    if (!answer.ok) throw new Error(`towns: ${answer.status}`);
    const { towns } = (await answer.json()) as { towns: Town[] };
    const pen = document.createElement("canvas").getContext("2d");
    if (pen) pen.font = FONT;
    return { atlas, labels: new Labels(towns, (text) => pen?.measureText(text).width ?? 8 * text.length) };
  } catch (fault) {
    background = null; // the next try reads it anew
    throw fault;
  }
}

function nameOf(item: HTMLElement): string {
  const { rank, name } = item.dataset;
  return rank ? `${rank}. ${name}` : `${name} (${word("leftOut")})`;
}

function describe(item: HTMLElement): HTMLElement {
  const box = document.createElement("div");
  const title = document.createElement("strong");
  title.dir = "auto";
  title.textContent = nameOf(item);
  box.append(title);
  const distance = item.querySelector(".distance");
  if (distance) {
    const line = document.createElement("p");
    line.textContent = distance.textContent;
    box.append(line);
  }
  if (item.id) {
    const link = document.createElement("a");
    link.href = `#${item.id}`;
    link.textContent = word("toList");
    box.append(link);
  }
  return box;
}

function span(text: string): HTMLElement {
  const made = document.createElement("span");
  made.textContent = text;
  return made;
}

function isMirrored(): boolean {
  return document.documentElement.dir === "rtl";
}

/** Leave the buttons uncovered: they stand where lines end. */
function besideButtons(): L.PopupOptions {
  return isMirrored() ? { autoPanPaddingTopLeft: [64, 8] } : { autoPanPaddingBottomRight: [64, 8] };
}

function ringStyle(): L.PolylineOptions {
  return { color: colour("--edge"), weight: 1.25, dashArray: "1 5", lineCap: "round" };
}
