// Keeps the list of capacity current: asks now and then with the last ETag, takes over what changed and nothing else,
// says so politely, rests while nobody looks, and says since when the numbers stand if the server cannot be reached.

import { instantText, serverNow, tellTime } from "./time";

const EVERY_MS = 10_000;
const LONGEST_MS = 120_000;

export function followCapacity(root: HTMLElement): void {
  const line = part(root, "[data-live-text]");
  const said = part(root, "[data-live-said]");
  let etag = "";
  let asOf = new Date(part<HTMLTimeElement>(line, "time").dateTime);
  let failures = 0;
  let timer = 0;
  let asking: AbortController | null = null;

  const words = {
    live: root.dataset["wordsLive"] ?? "",
    lost: root.dataset["wordsLost"] ?? "",
    over: root.dataset["wordsOver"] ?? "",
    back: root.dataset["wordsBack"] ?? "",
  };

  function tell(state: "on" | "lost", text: string): void {
    root.dataset["liveState"] = state;
    const shown = text.replace("{time}", instantText(asOf, document.documentElement.lang));
    if (line.textContent !== shown) line.textContent = shown;
  }

  function plan(): void {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = window.setTimeout(ask, Math.min(EVERY_MS * 2 ** failures, LONGEST_MS));
  }

  async function ask(): Promise<void> {
    asking?.abort();
    asking = new AbortController();
    const wasLost = failures > 0;
    try {
      const headers: Record<string, string> = etag ? { "If-None-Match": etag } : {};
      const response = await fetch(location.href, { headers, redirect: "manual", cache: "no-store", signal: asking.signal });
      if (response.type === "opaqueredirect" || response.status === 401) {
        tell("lost", words.over);
        said.textContent = words.over.replace("{time}", instantText(asOf, document.documentElement.lang));
        return; // Signed out: asking again would not help.
      }
      if (response.status !== 304 && !response.ok) throw new Error(String(response.status));
      asOf = new Date(response.headers.get("Sitematch-As-Of") ?? serverNow());
      etag = response.headers.get("ETag") ?? "";
      const changes = response.status === 304 ? [] : takeOver(root, await response.text());
      failures = 0;
      if (changes.length) document.dispatchEvent(new CustomEvent("sitematch:capacity"));
      tell("on", words.live);
      if (changes.length) said.textContent = changes.slice(0, 5).join(". ");
      else if (wasLost) said.textContent = words.back;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      failures += 1;
      tell("lost", words.lost);
      if (failures === 1) said.textContent = line.textContent;
    }
    plan();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) clearTimeout(timer);
    else void ask();
  });
  addEventListener("online", () => void ask());
  addEventListener("offline", () => void ask());
  root.querySelector<HTMLElement>("[data-live-reload]")?.addEventListener("click", (event) => {
    event.preventDefault();
    void ask();
  });
  tell("on", words.live);
  plan();
}

// Takes the parts of a newer page over; returns what changed, in words.
function takeOver(root: HTMLElement, html: string): string[] {
  const newer = new DOMParser().parseFromString(html, "text/html");
  tellTime(newer);
  const changes: string[] = [];
  const totals = root.querySelector("[data-part=totals]");
  const newTotals = newer.querySelector("[data-part=totals]");
  if (totals && newTotals && totals.innerHTML !== newTotals.innerHTML) totals.innerHTML = newTotals.innerHTML;
  const table = root.querySelector("[data-part=table]");
  const newTable = newer.querySelector("[data-part=table]");
  if (!table || !newTable) return changes;
  const body = table.querySelector("tbody");
  const newBody = newTable.querySelector("tbody");
  if (!body || !newBody) {
    if (table.innerHTML !== newTable.innerHTML) table.innerHTML = newTable.innerHTML;
    return changes;
  }
  const rows = new Map([...body.rows].map((row) => [row.dataset["key"], row]));
  for (const [position, newRow] of [...newBody.rows].entries()) {
    let row = rows.get(newRow.dataset["key"]);
    rows.delete(newRow.dataset["key"]);
    if (!row) row = document.importNode(newRow, true);
    else if (changeRow(row, newRow)) changes.push(describe(row));
    const there = body.rows[position];
    if (there !== row) body.insertBefore(row, there ?? null);
  }
  for (const row of rows.values()) row.remove();
  const caption = table.querySelector("caption");
  const newCaption = newTable.querySelector("caption");
  if (caption && newCaption) caption.textContent = newCaption.textContent;
  return changes;
}

// Redraws the cells that differ, and tells whether one did.
function changeRow(row: HTMLTableRowElement, newRow: HTMLTableRowElement): boolean {
  let changed = false;
  if (newRow.dataset["tone"]) row.dataset["tone"] = newRow.dataset["tone"];
  for (const [index, newCell] of [...newRow.cells].entries()) {
    const cell = row.cells[index];
    if (!cell || cell.innerHTML === newCell.innerHTML) continue;
    const isOnlyTime = cell.querySelector("time") !== null && cell.querySelector("time")?.dateTime === newCell.querySelector("time")?.dateTime;
    cell.innerHTML = newCell.innerHTML;
    if (isOnlyTime) continue;
    changed = true;
    cell.classList.remove("changed");
    void cell.offsetWidth; // so that the mark begins anew
    cell.classList.add("changed");
  }
  return changed;
}

function describe(row: HTMLTableRowElement): string {
  const left = row.querySelector<HTMLElement>("td[data-label]");
  return `${row.dataset["name"] ?? ""}: ${left?.dataset["label"] ?? ""} ${left?.textContent?.trim() ?? ""}`;
}

function part<E extends Element = HTMLElement>(root: ParentNode, selector: string): E {
  const found = root.querySelector<E>(selector);
  if (!found) throw new Error(`There is no ${selector}.`);
  return found;
}
