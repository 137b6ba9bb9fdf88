// The map's place beside the list: open by itself where there is room, behind a button elsewhere. Leaflet and the
// coastlines are loaded when the map is first opened, and not before.

import { announce, facts, word } from "./words";
import type { FinderMap } from "../map/map";

const wide = matchMedia("(min-width: 64rem)");

let map: FinderMap | null = null;
let wish: boolean | null = null; // what the person said; null follows the width

/** After an answer came in: show it on the map, if the map is open or there is room for it. */
export function followMap(): void {
  map?.remove();
  map = null;
  if (document.getElementById("map-panel") && (wish ?? wide.matches)) void open();
}

export async function toggleMap(): Promise<void> {
  wish = Boolean(document.getElementById("map-panel")?.hidden);
  if (wish) await open();
  else close();
}

async function open(): Promise<void> {
  const panel = document.getElementById("map-panel");
  const answer = document.getElementById("answer");
  if (!panel || !answer || !panel.hidden) return;
  show(panel, true);
  panel.replaceChildren(paragraph(word("loadingMap")));
  try {
    const [{ FinderMap: Loaded }] = await Promise.all([import("../map/map"), style()]);
    if (panel.hidden || !panel.isConnected) return;
    const made = await Loaded.open(panel, answer);
    if (panel.hidden || !panel.isConnected) made.remove();
    else map = made;
  } catch {
    panel.replaceChildren(paragraph(word("mapFailed")));
    announce(word("mapFailed"));
  }
}

function close(): void {
  const panel = document.getElementById("map-panel");
  map?.remove();
  map = null;
  if (panel) show(panel, false);
}

function show(panel: HTMLElement, isOpen: boolean): void {
  panel.hidden = !isOpen;
  panel.closest(".results")?.classList.toggle("has-map", isOpen);
  const button = document.querySelector<HTMLElement>("[data-map-open]");
  button?.setAttribute("aria-expanded", String(isOpen));
  const label = button?.lastChild;
  if (label?.nodeType === Node.TEXT_NODE) label.nodeValue = word(isOpen ? "hideMap" : "showMap");
}

function style(): Promise<void> {
  const address = facts["mapStyle"];
  if (!address || document.querySelector("link[data-map-style]")) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.dataset["mapStyle"] = "";
    link.onload = () => resolve();
    link.onerror = () => reject(new Error("the map's style did not load"));
    document.head.append(link);
  });
}

function paragraph(text: string): HTMLElement {
  const made = document.createElement("p");
  made.className = "soft";
  made.textContent = text;
  return made;
}
