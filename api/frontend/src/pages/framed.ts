// Inside another site's frame: tell the page around how high this one is, and nothing else.

const tell = () => {
  const height = document.documentElement.getBoundingClientRect().height;
  parent.postMessage({ sitematchHeight: height }, "*");
};

if (parent !== window) {
  new ResizeObserver(tell).observe(document.body);
  tell();
}

export {};
