// A button beside an id copies it, and says so.

export function offerCopy(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const said = button.nextElementSibling;
    button.hidden = false;
    button.addEventListener("click", () => {
      void copy(button.dataset["copy"] ?? "").then((done) => {
        if (said) said.textContent = (done ? button.dataset["wordsDone"] : button.dataset["wordsFailed"]) ?? "";
      });
    });
  }
}

// Without HTTPS, or where a person forbids it, browsers have no clipboard.
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
