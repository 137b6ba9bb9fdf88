// Single keys for people who work here all day: "/" searches, "n" takes a spot, arrows go through a list, "?" lists the
// keys. They never act while somebody types, and can be turned off (WCAG 2.1.4), because speech input sends them too.

const OFF = "sitematch-keys-off";

export function offerKeys(help: HTMLDialogElement): void {
  const choice = help.querySelector<HTMLInputElement>("input[type=checkbox]");
  const opener = document.querySelector<HTMLButtonElement>("[data-keys-open]");
  let isOn = readChoice();
  if (choice) {
    choice.checked = isOn;
    choice.addEventListener("change", () => {
      isOn = choice.checked;
      keepChoice(isOn);
    });
  }
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", () => help.showModal());
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (walk(event.target, event.key === "ArrowDown" ? 1 : -1)) event.preventDefault();
      return;
    }
    if (!isOn || isTyping(event.target)) return;
    if (event.key === "/") search(help);
    else if (event.key === "n" && help.dataset["take"]) location.assign(help.dataset["take"]);
    else if (event.key === "?") help.showModal();
    else return;
    event.preventDefault();
  });
}

function search(help: HTMLDialogElement): void {
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (field) {
    field.focus();
    field.select();
  } else if (help.dataset["search"]) location.assign(help.dataset["search"]);
}

// From a search field to the first row, and from row to row; tells whether it went anywhere.
function walk(from: EventTarget | null, step: 1 | -1): boolean {
  if (!(from instanceof HTMLElement)) return false;
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  const isSearch = from.matches("input[type=search]");
  const here = rows.indexOf(from);
  if (here < 0 && !(isSearch && step === 1)) return false;
  const next = rows[here + step];
  if (next) next.focus();
  else if (here === 0) document.querySelector<HTMLInputElement>("main input[type=search]")?.focus();
  return true;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]), textarea, select"));
}

// A browser may forbid storage; the keys are on then.
function readChoice(): boolean {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

function keepChoice(isOn: boolean): void {
  try {
    if (isOn) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  } catch {
    return; // it holds for this page alone
  }
}
