// A form that acts is sent once: a second click while the first is on its way does nothing. The server would not act
// twice either (the form carries an idempotency key), but the answer that is seen should be the first one.

export function sendOnce(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[method=post]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset["sent"]) {
        event.preventDefault();
        return;
      }
      form.dataset["sent"] = "yes";
      form.setAttribute("aria-busy", "true");
      // After the browser has taken the values, or the pressed button's own would be missing.
      setTimeout(() => {
        for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
      });
    });
  }
  // Back from the next page, the browser may show this one as it was: then it can be sent again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-sent]")) {
      delete form.dataset["sent"];
      form.removeAttribute("aria-busy");
      for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
    }
  });
}
