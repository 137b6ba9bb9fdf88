// <sitematch-finder study="NCT…" lang="de" country="US">: the finder in a frame, and nothing else. The frame is of this
// script's own origin; the page around it learns the frame's height and never what is typed in it.

const ownOrigin = new URL((document.currentScript as HTMLScriptElement).src).origin;
const passedOn = ["study", "lang", "country"] as const;

class SitematchFinder extends HTMLElement {
  static readonly observedAttributes = [...passedOn];
  readonly #frame = document.createElement("iframe");

  constructor() {
    super();
    this.#frame.style.cssText = "display:block;inline-size:100%;block-size:640px;border:0;border-radius:12px";
    this.#frame.allow = "geolocation";
    this.#frame.referrerPolicy = "no-referrer";
    this.attachShadow({ mode: "open" }).append(this.#frame);
  }

  connectedCallback(): void {
    this.style.display = "block";
    this.#frame.title = this.title || "Find a clinic near you";
    addEventListener("message", this.#onMessage);
    this.#load();
  }

  disconnectedCallback(): void {
    removeEventListener("message", this.#onMessage);
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#load();
  }

  #load(): void {
    const address = new URL("/embed", ownOrigin);
    for (const name of passedOn) {
      const value = this.getAttribute(name);
      if (value) address.searchParams.set(name, value);
    }
    if (this.#frame.src !== address.href) this.#frame.src = address.href;
  }

  readonly #onMessage = (event: MessageEvent<unknown>): void => {
    if (event.source !== this.#frame.contentWindow || event.origin !== ownOrigin) return;
    const height = (event.data as { sitematchHeight?: unknown } | null)?.sitematchHeight;
    if (typeof height === "number" && height > 0) this.#frame.style.blockSize = `${Math.ceil(height)}px`;
  };
}

if (!customElements.get("sitematch-finder")) customElements.define("sitematch-finder", SitematchFinder);
