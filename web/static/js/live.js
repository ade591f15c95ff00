// @ts-check
// A stream of events from the server: what comes, and whether it comes. The browser connects again by itself where the
// connection breaks; where it gives up, as after a refusal, this does.

const FIRST = 1000, MOST = 8000;

export class Live {
  /** @param {string} url @param {{data: (text: string) => void, is: (live: boolean) => void}} on */
  constructor(url, on) {
    this.url = url;
    this.on = on;
    this.wait = FIRST;
    this.timer = 0;
    this.open();
  }

  open() {
    const s = new EventSource(this.url);
    this.source = s;
    s.addEventListener('open', () => {
      this.wait = FIRST;
      this.on.is(true);
    });
    s.addEventListener('message', (e) => this.on.data(String(e.data)));
    s.addEventListener('error', () => {
      this.on.is(false);
      if (s.readyState !== EventSource.CLOSED) return;
      this.timer = setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(MOST, this.wait * 2);
    });
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
  }
}
