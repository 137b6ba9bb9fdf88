// Ask for the results alone, and swap them in. The address stays as it is: where a person is belongs into no history.

import { announce } from "./words";

/**
 * Where the focus goes: to the heading of the answer, nowhere, or to the first of the clinics that were added. A refresh that
 * fails leaves what is shown.
 */
export type Focus = "heading" | "stays" | "added" | "refresh";

export interface Swapped {
  /** What was sent; empty if no answer of the server is shown. */
  body: string;
}

/** A search that takes longer is ended, and the person may try again. */
const LONGEST_MS = 15_000;

/** The title of the page without an answer. */
const bareTitle = document.querySelector<HTMLElement>("[data-bare-title]")?.dataset["bareTitle"] ?? document.title;

let running: { stop: AbortController; body: string } | null = null;

/**
 * Send the form and show what comes back.
 * @param sender the button that was pressed, whose name and value go along
 * @returns null if another search took over, or if the same one is under way
 */
export async function ask(form: HTMLFormElement, sender: HTMLElement | null, focus: Focus): Promise<Swapped | null> {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  if (sender instanceof HTMLButtonElement && sender.name) fields.set(sender.name, sender.value);
  return await send(form.action, fields.toString(), focus);
}

/** Send what was sent before once more. */
export async function send(action: string, body: string, focus: Focus): Promise<Swapped | null> {
  const results = document.getElementById("results");
  if (!results || running?.body === body) return null;
  running?.stop.abort();
  const mine = (running = { stop: new AbortController(), body });
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    mine.stop.abort();
  }, LONGEST_MS);

  showWorking(results);
  let text: string;
  try {
    const answer = await fetch(action, {
      method: "POST",
      body,
      headers: { "Sitematch-Part": "results", "Content-Type": "application/x-www-form-urlencoded" },
      signal: mine.stop.signal,
    });
    text = await answer.text();
    if (answer.headers.get("Sitematch-Part") !== "results") throw new Error("another page than ours came back");
  } catch {
    if (mine !== running) return null; // a later look-up took over
    if (focus === "refresh") {
      results.classList.remove("busy");
      results.removeAttribute("aria-busy");
      return null;
    }
    show(results, template(isLate ? "state-stalled" : "state-offline"), "heading");
    return { body: "" };
  } finally {
    clearTimeout(limit);
    if (mine === running) running = null;
  }
  show(results, parse(text), focus);
  return { body };
}

/** Show an answer that was kept; with none, the form alone. */
export function showAgain(html: string): void {
  running?.stop.abort();
  running = null;
  const results = document.getElementById("results");
  const blank = document.createElement("div");
  blank.id = "answer";
  const content = parse(html);
  if (!html) content.append(blank);
  if (results) show(results, content, null);
}

function parse(html: string): DocumentFragment {
  const parsed = document.createElement("template");
  parsed.innerHTML = html;
  return parsed.content;
}

function showWorking(results: HTMLElement): void {
  results.setAttribute("aria-busy", "true");
  const working = template("state-working");
  if (results.querySelector(".results")) {
    results.classList.add("busy");
    announce(working.textContent ?? "");
  } else {
    announce(working.textContent ?? "");
    results.querySelector("#answer")?.replaceChildren(working);
  }
}

function show(results: HTMLElement, content: DocumentFragment, focus: Focus | null): void {
  const before = results.querySelectorAll(".clinic").length;
  results.classList.remove("busy");
  results.removeAttribute("aria-busy");
  const answer = content.querySelector("#answer");
  if (answer) results.replaceChildren(answer);
  else results.querySelector("#answer")?.replaceChildren(content);
  markInvalid(results);
  const heading = results.querySelector<HTMLElement>("h2");
  if (heading) heading.id = "results-title"; // a template has none, because ids are unique in a page
  document.title = heading ? `${heading.textContent} · sitematch` : bareTitle;
  if (!heading || focus === null) {
    announce("");
  } else if (focus === "heading") {
    announce("");
    heading.focus({ preventScroll: true });
    results.scrollIntoView({ block: "start" });
  } else {
    announce(heading.textContent ?? "");
    // The first clinic that was added stands where the button was.
    if (focus === "added") results.querySelectorAll<HTMLElement>(".clinic h3")[before]?.focus({ preventScroll: true });
  }
}

/** Tie the form's field to the fault that is shown, as the server does in a whole page. */
function markInvalid(results: HTMLElement): void {
  const at = results.querySelector<HTMLElement>("#fault")?.dataset["field"] ?? "";
  for (const field of document.querySelectorAll<HTMLElement>("#country, #place")) {
    if (field.id === at) {
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", "fault");
    } else {
      field.removeAttribute("aria-invalid");
      field.removeAttribute("aria-describedby");
    }
  }
}

function template(id: string): DocumentFragment {
  const found = document.getElementById(id);
  if (!(found instanceof HTMLTemplateElement)) throw new Error(`the page has no template ${id}`);
  return found.content.cloneNode(true) as DocumentFragment;
}
