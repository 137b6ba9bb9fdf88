// The map's place above the list: open by itself where there is room, behind a button elsewhere. Leaflet and the
// coastlines are loaded when it is first opened, and not before.

import type { CapacityMap } from "./capacity-map";

const wide = matchMedia("(min-width: 64rem)");

export function offerMap(panel: HTMLElement): void {
  const button = document.querySelector<HTMLButtonElement>("[data-capacity-map-open]");
  if (!button || !document.querySelector("tr[data-latitude]")) return;
  let map: CapacityMap | null = null;
  let isLoading = false;

  async function load(): Promise<void> {
    if (map || isLoading) return;
    isLoading = true;
    panel.setAttribute("aria-busy", "true");
    try {
      const [{ CapacityMap: Loaded, currentRows }] = await Promise.all([import("./capacity-map"), style(panel)]);
      map = await Loaded.open(panel, currentRows(panel));
      document.addEventListener("sitematch:capacity", () => map?.show(currentRows(panel)));
    } catch {
      const note = document.createElement("p");
      note.className = "notice notice-caution";
      note.textContent = panel.dataset["wordsFailed"] ?? "";
      panel.replaceChildren(note);
    } finally {
      isLoading = false;
      panel.removeAttribute("aria-busy");
    }
  }

  function show(isOpen: boolean): void {
    panel.hidden = !isOpen;
    button?.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) void load();
  }

  button.hidden = false;
  button.addEventListener("click", () => show(Boolean(panel.hidden)));
  if (wide.matches) show(true);
}

function style(panel: HTMLElement): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = panel.dataset["mapStyle"] ?? "";
    link.onload = () => resolve();
    link.onerror = () => reject(new Error("the map's style did not load"));
    document.head.append(link);
  });
}
