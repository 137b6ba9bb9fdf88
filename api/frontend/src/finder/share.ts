// Share or print what is found. The link is the bare page's: where a person is, is not in it.

import { announce, word } from "./words";

export async function share(button: HTMLElement, form: HTMLFormElement): Promise<void> {
  const address = new URL("/", location.href);
  const study = new FormData(form).get("study");
  if (typeof study === "string") address.searchParams.set("study", study);
  const link = { title: word("shareTitle"), url: address.href };
  if ("share" in navigator && navigator.canShare?.(link)) {
    try {
      await navigator.share(link);
    } catch (fault) {
      // Closing the device's own dialog is no fault.
      if (!(fault instanceof DOMException && fault.name === "AbortError")) await copy(button, link.url);
    }
  } else {
    await copy(button, link.url);
  }
}

async function copy(button: HTMLElement, url: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(url);
    say(button, word("copied"));
  } catch {
    say(button, url); // without leave to write, the link itself is there to be copied
  }
}

function say(button: HTMLElement, text: string): void {
  const row = button.closest(".row");
  let note = row?.querySelector<HTMLElement>("[data-said]");
  if (!note && row) {
    note = document.createElement("span");
    note.dataset["said"] = "";
    note.className = "small soft";
    row.append(note);
  }
  if (note) note.textContent = text;
  announce(text);
}
