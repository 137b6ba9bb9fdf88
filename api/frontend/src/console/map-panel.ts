// The list and the map are two tabs; the list comes first. Leaflet and the coastlines are loaded when the map is first
// opened, and not before.

import type { CapacityMap } from "./capacity-map";

export function offerMap(panel: HTMLElement): void {
  const tabs = document.querySelector<HTMLElement>("[data-tabs]");
  const list = document.getElementById("panel-list");
  if (!tabs || !list || !document.querySelector("tr[data-latitude]")) return;
  const buttons = [...tabs.querySelectorAll<HTMLButtonElement>("[role=tab]")];
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

  function select(chosen: HTMLButtonElement): void {
    for (const button of buttons) {
      button.setAttribute("aria-selected", String(button === chosen));
      button.tabIndex = button === chosen ? 0 : -1;
    }
    const isMap = chosen.id === "tab-map";
    panel.hidden = !isMap;
    if (list) list.hidden = isMap;
    if (isMap) void load();
  }

  tabs.hidden = false;
  for (const [position, button] of buttons.entries()) {
    button.addEventListener("click", () => select(button));
    button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = buttons[(position + 1) % buttons.length];
      if (!other) return;
      event.preventDefault();
      select(other);
      other.focus();
    });
  }
  panel.setAttribute("role", "tabpanel");
  panel.setAttribute("aria-labelledby", "tab-map");
  list.setAttribute("role", "tabpanel");
  list.setAttribute("aria-labelledby", "tab-list");
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
