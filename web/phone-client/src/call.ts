// One call of this phone, as the page sees it. What it may do is asked of the server; how it stands is told by pushes.
import type { Quality } from "./quality.js";
import type { CallerInfo, CallView, Verbs } from "./wire.js";

export type CallState = "dialling" | "ringing" | "incoming" | "up" | "held" | "ended";

/** What a call needs of its phone. */
export interface CallKeeper {
  ask<V extends keyof Verbs>(verb: V, body: Verbs[V]): Promise<void>;
  accept(call: Call): Promise<void>;
  resume(call: Call): Promise<void>;
  changed(call: Call): void;
  readonly extension: string;
}

export class Call {
  state: CallState;
  /** Who is at the other end: the number, and the name where it is known. Text, whatever is in it. */
  number: string;
  name = "";
  info: CallerInfo | null = null;
  startedAt = Date.now();
  answeredAt: number | null = null;
  endedAt: number | null = null;
  /** Why it ended, in a sentence. */
  reason = "";
  heldByOther = false;
  /** How the other side is heard here. */
  quality: Quality | null = null;
  /** What is wrong with how this side reaches the server, in a sentence; empty while nothing is. */
  sentQuality = "";
  /** What has been dialled in the call. */
  digits = "";
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly keeper: CallKeeper,
    readonly id: string,
    readonly direction: "incoming" | "outgoing",
    number: string,
  ) {
    this.number = number;
    this.state = direction === "incoming" ? "incoming" : "dialling";
  }

  get over(): boolean {
    return this.state === "ended";
  }
  /** Whole seconds since the answer. */
  get seconds(): number {
    return this.answeredAt === null ? 0 : Math.max(0, Math.floor(((this.endedAt ?? Date.now()) - this.answeredAt) / 1000));
  }

  accept(): Promise<void> {
    return this.keeper.accept(this);
  }
  reject(): Promise<void> {
    return this.keeper.ask("reject", { call_id: this.id });
  }
  hangUp(): Promise<void> {
    return this.keeper.ask(this.state === "incoming" ? "reject" : "hangup", { call_id: this.id });
  }
  async hold(): Promise<void> {
    await this.keeper.ask("hold", { call_id: this.id });
    this.enter("held");
  }
  resume(): Promise<void> {
    return this.keeper.resume(this);
  }
  /** In the order in which they were pressed, however fast: each request waits for the one before. */
  sendDigits(digits: string): Promise<void> {
    if (!/^[0-9*#A-Da-d]+$/.test(digits)) return Promise.reject(new Error("Only 0 to 9, *, # and A to D can be sent."));
    const turn = this.sending.then(async () => {
      for (const some of digits.toUpperCase().match(/.{1,24}/g) ?? []) {
        await this.keeper.ask("dtmf", { call_id: this.id, digits: some });
      }
      this.digits = (this.digits + digits.toUpperCase()).slice(-64);
      this.keeper.changed(this);
    });
    this.sending = turn.catch(() => {});
    return turn;
  }
  /** The other side goes to that number; this phone is out of the call. */
  transfer(to: string): Promise<void> {
    return this.keeper.ask("transfer", { call_id: this.id, to });
  }
  /** The other sides of both calls talk to each other; this phone is out of both. */
  transferTo(other: Call): Promise<void> {
    return this.keeper.ask("transfer", { call_id: this.id, with_call_id: other.id });
  }

  /** The one door of the state. A call that has ended stays so. */
  enter(state: CallState, reason = ""): void {
    if (this.over || (this.state === state && reason === "")) return;
    this.state = state;
    if ((state === "up" || state === "held") && this.answeredAt === null) this.answeredAt = Date.now();
    if (state === "ended") {
      this.endedAt = Date.now();
      this.reason = reason;
    }
    this.keeper.changed(this);
  }

  /** As the server sees the call: after a reload, and now and then, for others transfer and hold as well. */
  update(view: CallView): void {
    if (this.over) return;
    const own = view.legs.find((leg) => leg.party === this.keeper.extension && leg.state !== "ended");
    const others = view.legs.filter((leg) => leg.party !== this.keeper.extension && leg.state !== "ended");
    const other = others.find((leg) => leg.state === "up" || leg.state === "held") ?? others[0];
    const heldByOther = own?.state === "held";
    const number = other !== undefined && other.party !== "" ? other.party : this.number;
    if (view.answered_at !== null && (this.answeredAt === null || this.state === "up")) {
      this.answeredAt ??= Date.parse(view.answered_at);
    }
    if (number === this.number && heldByOther === this.heldByOther) return;
    if (number !== this.number) {
      this.name = "";
      this.info = null;
    }
    this.number = number;
    this.heldByOther = heldByOther;
    this.keeper.changed(this);
  }
}

/** How a call that was there before the page was loaded again stands. */
export function stateOf(view: CallView, extension: string): CallState {
  const others = view.legs.filter((leg) => leg.party !== extension && leg.state !== "ended");
  const own = view.legs.find((leg) => leg.party === extension && leg.state !== "ended");
  if (view.state === "ringing") return view.from === extension ? "ringing" : "incoming";
  if (own?.state === "ringing" || own?.state === "trying") return "incoming";
  return view.state === "held" && others.some((leg) => leg.state === "held") ? "held" : "up";
}
