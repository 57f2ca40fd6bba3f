// The live stream, kept open: after each break it comes back with the last number it has, so that no event is lost.
//
// Server-Sent Events read with fetch, not EventSource or WebSocket: it can carry a token in a header, says why it was
// refused, and its heartbeat shows a connection that died without a word.
import { Api, Refusal } from "./api.js";
import { Emitter } from "./emitter.js";
import { SseParser } from "./sse.js";
import type { Message } from "./wire.js";

export interface LiveEvents extends Record<string, unknown> {
  message: Message;
  /** `again`: it was open before, so pushes may have been missed. */
  open: { again: boolean };
  /** It will be opened again. */
  lost: { why: string };
  /** It will not: nobody is logged in any more. */
  refused: Refusal;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENCE_MS = 40_000; // the server says something every 15 s

export class LiveStream extends Emitter<LiveEvents> {
  private last: string | undefined;
  private abort: AbortController | null = null;
  private wake: (() => void) | null = null;
  private closed = false;
  private opened = false;
  private wanted = false;
  private running: Promise<void> | null = null;

  /** `more`: what else stands in the query, asked each time the stream is opened. */
  constructor(
    private readonly api: Api,
    private readonly more: () => Record<string, string> = () => ({}),
  ) {
    super();
  }

  /** Resolves when the stream is open for the first time; rejects if nobody is logged in. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const off = [this.on("open", () => done(resolve)), this.on("refused", (why) => done(() => reject(why)))];
      const done = (then: () => void) => {
        for (const stop of off) stop();
        then();
      };
      this.running = this.run();
    });
  }

  /** Tries again now: the network is said to be back. */
  hurry(): void {
    this.wake?.();
  }

  /** Opens it anew, with another query; nothing is missed. */
  reopen(): void {
    if (this.abort === null) return;
    this.wanted = true;
    this.abort.abort();
  }

  async close(): Promise<void> {
    this.closed = true;
    this.abort?.abort();
    this.wake?.();
    await this.running;
  }

  private async run(): Promise<void> {
    let wait = FIRST_WAIT_MS;
    while (!this.closed) {
      let why = "The connection to the server was lost.";
      try {
        const before = Date.now();
        why = await this.read();
        if (Date.now() - before > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
      } catch (error) {
        if (error instanceof Refusal && (error.status === 401 || error.status === 403)) {
          this.emit("refused", error);
          return;
        }
        if (error instanceof Refusal) why = error.message;
      }
      if (this.closed) return;
      if (this.wanted) {
        this.wanted = false;
        continue;
      }
      this.emit("lost", { why });
      await this.pause(wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    }).then(() => {
      this.wake = null;
    });
  }

  /** Until the stream ends; the reason comes back. */
  private async read(): Promise<string> {
    const abort = (this.abort = new AbortController());
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      // Not as Last-Event-ID: pages of other origins may not send that header.
      const query = new URLSearchParams({ ...this.more(), ...(this.last === undefined ? {} : { since: this.last }) });
      const response = await this.api.fetch(`/api/events?${query}`, {
        headers: { Accept: "text/event-stream" },
        signal: abort.signal,
      });
      if (!response.ok || response.body === null) throw await refusal(response);
      this.emit("open", { again: this.opened });
      this.opened = true;
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const parser = new SseParser();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "The server ended the live stream.";
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        for (const { id, event, data } of parser.push(decoder.decode(value, { stream: true }))) {
          if (event === "closed") return (JSON.parse(data) as { reason: string }).reason;
          if (id !== undefined && id !== "") this.last = id;
          this.emit("message", JSON.parse(data) as Message);
        }
      }
    } finally {
      clearTimeout(silence);
      abort.abort();
    }
  }
}

async function refusal(response: Response): Promise<Refusal> {
  const answer = (await response.json().catch(() => ({}))) as { error?: string; code?: string };
  return new Refusal(response.status, answer.code ?? "refused", answer.error ?? `Status ${response.status}.`);
}
