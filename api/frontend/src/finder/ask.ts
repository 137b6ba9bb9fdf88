// Ask for the results alone, and swap them in. The address stays as it is: where a person is belongs into no history.

import { announce } from "./words";

export interface Swapped {
  /** Whether what is shown now is an answer, and no fault. */
  isAnswer: boolean;
}

let running: AbortController | null = null;

/**
 * Send the form and show what comes back.
 * @param sender the button that was pressed, whose name and value go along
 * @param isQuiet whether the focus stays where it is: for a changed filter
 */
export async function ask(form: HTMLFormElement, sender: HTMLElement | null, isQuiet: boolean): Promise<Swapped | null> {
  const results = document.getElementById("results");
  if (!results) return null;
  running?.abort();
  const mine = (running = new AbortController());
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") fields.append(name, value);
  if (sender instanceof HTMLButtonElement && sender.name) fields.set(sender.name, sender.value);

  showWorking(results);
  let text: string;
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: fields,
      headers: { "Sitematch-Part": "results" },
      signal: mine.signal,
    });
    text = await answer.text();
    if (answer.headers.get("Sitematch-Part") !== "results") throw new Error("another page than ours came back");
  } catch {
    if (mine.signal.aborted) return null; // a later look-up took over
    show(results, template("state-offline"), isQuiet);
    return { isAnswer: false };
  }
  const parsed = document.createElement("template");
  parsed.innerHTML = text;
  show(results, parsed.content, isQuiet);
  return { isAnswer: results.querySelector(".results") !== null };
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

function show(results: HTMLElement, content: DocumentFragment, isQuiet: boolean): void {
  results.classList.remove("busy");
  results.removeAttribute("aria-busy");
  const answer = content.querySelector("#answer");
  if (answer) results.replaceChildren(answer);
  else results.querySelector("#answer")?.replaceChildren(content);
  markInvalid(results);
  const heading = results.querySelector<HTMLElement>("#results-title");
  if (!heading) return;
  document.title = `${heading.textContent} · sitematch`;
  if (isQuiet) {
    announce(heading.textContent ?? "");
  } else {
    announce("");
    heading.focus({ preventScroll: true });
    results.scrollIntoView({ block: "start" });
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
