// What the page shows: one phone, the colleagues, and the calls that were. The only state of the page.
import { type Call, type CallState, type CallerInfo, type Level, Phone, Refusal } from "@bellwire/phone";

import { Ringer } from "./ringer";
import { sentence } from "./words";

export interface Person {
  extension: string;
  name: string;
  status: string;
  custom_message: string;
}

export interface PastCall {
  call_id: string;
  from_extension: string;
  to_extension: string;
  from_number: string;
  to_number: string;
  start_time: string;
  disposition: string | null; // null while the call goes on
  billsec: number;
  reason: string;
}

/** A call as it was when it last changed. */
export interface ShownCall {
  call: Call;
  id: string;
  state: CallState;
  direction: "incoming" | "outgoing";
  number: string;
  name: string;
  info: CallerInfo | null;
  answeredAt: number | null;
  heldByOther: boolean;
  level: Level;
  why: string;
  sent: string;
  digits: string;
}

export type View = "phone" | "people" | "history" | "voicemail";

const PEOPLE_MS = 10_000;
const ENDED_MS = 8_000;

export class Desk {
  stage = $state<"starting" | "login" | "phone">("starting");
  view = $state<View>("phone");
  me = $state({ name: "", extension: "" });
  connection = $state<{ state: string; why: string }>({ state: "idle", why: "" });
  calls = $state.raw<ShownCall[]>([]);
  people = $state.raw<Person[]>([]);
  past = $state.raw<PastCall[]>([]);
  paths = $state.raw<ReadonlySet<string>>(new Set());
  ended = $state<{ who: string; reason: string } | null>(null);
  problem = $state("");
  muted = $state(false);
  soundBlocked = $state(false);
  settingsOpen = $state(false);
  testing = $state(false);
  phone: Phone;
  readonly ringer = new Ringer();
  private readonly sound = document.body.appendChild(new Audio());
  private timers: ReturnType<typeof setInterval>[] = [];
  private endedTimer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.phone = this.made();
  }

  incoming = $derived(this.calls.find((c) => c.state === "incoming"));
  active = $derived(this.calls.find((c) => ["dialling", "ringing", "up"].includes(c.state)));
  held = $derived(this.calls.filter((c) => c.state === "held"));
  hasVoicemail = $derived(this.paths.has("/api/voicemail/{extension}"));
  hasHotDesk = $derived(this.paths.has("/api/hot-desk/extension/{extension}"));

  has(path: string): boolean {
    return this.paths.has(path);
  }

  nameOf(number: string): string {
    return this.people.find((p) => p.extension === number)?.name ?? "";
  }
  /** A name if there is one, else the number. */
  whoIs(call: ShownCall): string {
    return call.name || this.nameOf(call.number) || call.number;
  }

  /** Of what somebody typed: the number of the one person it can mean, else as it is. */
  numberOf(text: string): string {
    const wanted = text.trim().toLowerCase();
    if (!/\p{L}/u.test(wanted)) return text;
    const exact = this.people.filter((p) => p.name.toLowerCase() === wanted);
    const found = exact.length > 0 ? exact : this.people.filter((p) => p.name.toLowerCase().includes(wanted));
    return found.length === 1 ? found[0]!.extension : text;
  }

  // ---- coming and going ----

  /** With the cookie of an earlier visit, if it is still good. */
  async begin(): Promise<void> {
    try {
      await this.enter((await this.phone.api.me()).extension);
    } catch (error) {
      this.stage = "login";
      if (!(error instanceof Refusal) || error.status !== 401) this.problem = sentence(error);
    }
  }

  async logIn(username: string, password: string): Promise<void> {
    this.problem = "";
    await this.ringer.unlock();
    try {
      await this.enter((await this.phone.logIn(username, password)).extension);
    } catch (error) {
      this.problem = sentence(error);
    }
  }

  async logOut(): Promise<void> {
    this.leave();
    await this.phone.logOut().catch(() => {});
    this.phone = this.made();
  }

  async tryAgain(): Promise<void> {
    const failed = this.phone;
    this.phone = this.made();
    await failed.stop().catch(() => {});
    await this.startPhone();
  }

  private async enter(extension: string | null): Promise<void> {
    if (extension === null) {
      this.stage = "login";
      this.problem = "This login has no extension. Log in with the number of an extension and the password of its phones.";
      return;
    }
    this.me = { name: "", extension };
    this.stage = "phone";
    await Promise.all([this.startPhone(), this.readPeople(), this.readPast(), this.readPaths()]);
    this.timers.push(setInterval(() => document.visibilityState === "visible" && void this.readPeople(), PEOPLE_MS));
  }

  private async startPhone(): Promise<void> {
    this.connection = { state: "connecting", why: "" };
    try {
      await this.phone.start(this.me.extension);
    } catch (error) {
      this.connection = { state: "failed", why: sentence(error) };
    }
  }

  private leave(): void {
    for (const timer of this.timers.splice(0)) clearInterval(timer);
    this.ringer.stop();
    this.calls = [];
    this.people = [];
    this.past = [];
    this.ended = null;
    this.settingsOpen = this.testing = false;
    this.view = "phone";
    this.stage = "login";
  }

  private made(): Phone {
    const phone = new Phone({ audio: this.sound });
    const mine = () => phone === this.phone;
    phone.on("connection", (value) => mine() && (this.connection = value));
    phone.on("call", (call) => mine() && this.onCall(call));
    phone.on("incoming", (call) => mine() && this.onIncoming(call));
    phone.on("quality", () => mine() && this.show());
    phone.on("soundBlocked", () => (this.soundBlocked = true));
    phone.on("message", ({ event_type, data }) => {
      if (event_type === "presence.changed") void this.readPeople();
      if (event_type === "crm.screen_pop") this.onScreenPop(data);
    });
    phone.on("loggedOut", (why) => {
      this.leave();
      this.problem = why.message;
      void phone.stop();
      this.phone = this.made();
    });
    return phone;
  }

  // ---- calls ----

  /** Does it, and says so if it did not work. */
  async attempt(act: () => Promise<unknown>): Promise<boolean> {
    this.problem = "";
    try {
      await act();
      return true;
    } catch (error) {
      this.problem = sentence(error);
      return false;
    }
  }

  call(number: string): Promise<boolean> {
    this.ended = null;
    this.view = "phone";
    return this.attempt(() => this.phone.call(this.numberOf(number)));
  }

  mute(muted: boolean): void {
    this.phone.muted = muted;
    this.muted = muted;
  }

  async hearSound(): Promise<void> {
    await this.attempt(() => this.phone.playSound());
    this.soundBlocked = false;
  }

  private onCall(call: Call): void {
    if (call.over && !this.testing) {
      const who = call.name || this.nameOf(call.number) || call.number;
      this.ended = { who, reason: call.reason };
      clearTimeout(this.endedTimer);
      this.endedTimer = setTimeout(() => (this.ended = null), ENDED_MS);
      setTimeout(() => void this.readPast(), 1_500); // its record is written when the last figures are in
    }
    this.show();
  }

  private onIncoming(call: Call): void {
    this.view = "phone";
    this.ended = null;
    this.show();
    const shown = this.calls.find((c) => c.id === call.id);
    if (shown !== undefined) this.ringer.start(this.whoIs(shown), () => (this.view = "phone"));
  }

  private onScreenPop(data: Record<string, unknown>): void {
    const call = this.phone.calls.find((c) => c.id === data["call_id"]);
    if (call === undefined || typeof data["caller_info"] !== "object" || data["caller_info"] === null) return;
    call.info = data["caller_info"] as CallerInfo;
    call.name = call.info.name ?? call.name;
    this.show();
  }

  private show(): void {
    this.calls = this.phone.calls.map((call) => ({
      call,
      id: call.id,
      state: call.state,
      direction: call.direction,
      number: call.number,
      name: call.name,
      info: call.info,
      answeredAt: call.answeredAt,
      heldByOther: call.heldByOther,
      level: call.quality?.level ?? "unknown",
      why: call.quality?.sentence ?? "",
      sent: call.sentQuality,
      digits: call.digits,
    }));
    this.muted = this.phone.muted;
    if (!this.calls.some((c) => c.state === "incoming")) this.ringer.stop();
  }

  // ---- what the server knows ----

  async readPeople(): Promise<void> {
    await this.quietly(async () => {
      this.people = await this.phone.api.get<Person[]>("/api/presence?limit=1000");
      this.me.name = this.nameOf(this.me.extension);
    });
  }

  async readPast(): Promise<void> {
    await this.quietly(async () => {
      const own = encodeURIComponent(this.me.extension);
      const records = await this.phone.api.get<PastCall[]>(`/api/cdr?limit=100&extension=${own}`);
      this.past = records.filter((record) => record.disposition !== null);
    });
  }

  async setPresence(status: string): Promise<void> {
    await this.attempt(() => this.phone.api.post("/api/presence/set", { status }));
    await this.readPeople();
  }

  // What this server can do besides calling: what its description names, and nothing else.
  private async readPaths(): Promise<void> {
    await this.quietly(async () => {
      const description = await this.phone.api.get<{ paths: Record<string, unknown> }>("/api/openapi.json");
      this.paths = new Set(Object.keys(description.paths));
    });
  }

  // What is shown stays as it was; the state of the connection says that the server does not answer.
  private async quietly(read: () => Promise<void>): Promise<void> {
    await read().catch(() => {});
  }
}
