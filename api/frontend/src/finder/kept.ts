// The answers of this tab, kept so that reload, back and forward show them again. An entry of the browser's history holds a
// number and nothing else; sessionStorage holds the answer under that number, and the browser forgets it with the tab.

export interface KeptAnswer {
  /** The part of the page that holds the answer. */
  html: string;
  /** What was sent for it. */
  body: string;
  /** The page's language. */
  lang: string;
  /** When it came, in milliseconds since 1970. */
  at: number;
}

const KEPT = 10; // answers; older ones are forgotten
const FRESH_MS = 600_000; // spots may have changed after ten minutes
const PREFIX = "sitematch-answer-";
const LAST = "sitematch-last";

/** Inside a frame, the history is the page's around it: nothing is added there. */
const isFramed = parent !== window;

let shown = 0; // the number of what is shown; 0 is the form alone

/** Keep an answer: as a new step of the history, or in place of what is shown. */
export function keep(answer: KeptAnswer, isNewStep: boolean): void {
  if (isNewStep || shown === 0) {
    shown = nextNumber();
    if (isNewStep && !isFramed) history.pushState({ answer: shown }, "");
    else history.replaceState({ answer: shown }, "");
  }
  try {
    sessionStorage.setItem(PREFIX + shown, JSON.stringify(answer));
    sessionStorage.removeItem(PREFIX + (shown - KEPT));
  } catch {
    // No storage, or it is full: the answer is shown and not kept.
  }
}

/** Read what belongs to the current step of the history; null for the form alone. */
export function recall(): KeptAnswer | null {
  const state = history.state as { answer?: number } | null;
  if (typeof state?.answer === "number") {
    shown = state.answer;
  } else {
    // A new page, or a jump inside this one, which shows what was shown before.
    history.replaceState({ answer: shown }, "");
  }
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + shown) ?? "null") as KeptAnswer | null;
  } catch {
    return null;
  }
}

/** Whether an answer is too old to stand as it is, or is in another language than the page. */
export function isStale(answer: KeptAnswer): boolean {
  return answer.lang !== document.documentElement.lang || Date.now() - answer.at > FRESH_MS;
}

/** Forget every answer of this tab. */
export function forgetAll(): void {
  shown = 0;
  history.replaceState({ answer: 0 }, "");
  try {
    for (const name of Object.keys(sessionStorage)) if (name.startsWith(PREFIX)) sessionStorage.removeItem(name);
  } catch {
    // Nothing was kept.
  }
}

function nextNumber(): number {
  try {
    const next = Number(sessionStorage.getItem(LAST) ?? "0") + 1;
    sessionStorage.setItem(LAST, String(next));
    return next;
  } catch {
    return shown + 1;
  }
}
