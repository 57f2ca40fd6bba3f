// The phone: a login, the live stream, one warm media connection, and the calls over it.
import { Api, type Login, Refusal } from "./api.js";
import { Call, type CallKeeper, stateOf } from "./call.js";
import { Connection, type ConnectionState, type Memory, type Times } from "./connection.js";
import { Emitter } from "./emitter.js";
import { LiveStream } from "./live.js";
import { Microphone } from "./microphone.js";
import { Pulse } from "./pulse.js";
import { figuresBetween, type Quality, qualityOf, sentQuality, type Totals, totalsOf } from "./quality.js";
import type { CallPlaced, CallView, Message, Push, Session, Verbs } from "./wire.js";

export interface PhoneOptions {
  /** "https://pbx.example.com"; without it the server this page came from. */
  server?: string;
  /** From POST /api/login. Without it: the session cookie, or logIn(). */
  token?: string;
  /** Plays the other side. Without it the phone makes its own. */
  audio?: HTMLAudioElement;
  /** Where the number of the session survives a reload. sessionStorage unless said otherwise; null: nowhere. */
  memory?: Memory | null;
  times?: Partial<Times & { statsMs: number; pulseMs: number }>;
}

export interface PhoneEvents extends Record<string, unknown> {
  /** "connected": sound can flow. "failed": it will be tried again, now and then; `why` is for people. */
  connection: { state: ConnectionState; why: string };
  incoming: Call;
  /** A call has changed, the new and the ended ones too. */
  call: Call;
  quality: { call: Call; quality: Quality };
  /** The other side pressed a key: 0 to 9, *, #, A to D. */
  digit: { call: Call; digit: string };
  /** The browser lets nothing be heard before the page was clicked: call playSound() from a click. */
  soundBlocked: void;
  /** Everything of the live stream, events of the journal too. */
  message: Message;
  /** The login has ended. */
  loggedOut: Refusal;
}

const TIMES = { connectMs: 15_000, patienceMs: 1_500, touchMs: 60_000, retryMs: 2_000, statsMs: 5_000, pulseMs: 250 };
const STOPPED_MS = 1_000; // so long no sound comes before another way is looked for,
const LOOK_AGAIN_MS = 3_000; // and so often at most

export class Phone extends Emitter<PhoneEvents> {
  readonly api: Api;
  readonly calls: Call[] = [];
  readonly microphone: Microphone;
  readonly audio: HTMLAudioElement;
  extension = "";
  private readonly times: typeof TIMES;
  private readonly memory: Memory | null;
  private connection: Connection | null = null;
  private stream: LiveStream | null = null;
  private dialling = 0;
  private early: Push[] = [];
  private ticking: ReturnType<typeof setInterval>[] = [];
  private readonly pulse = new Pulse(STOPPED_MS, LOOK_AGAIN_MS);
  private totals: Totals | null = null;
  private readonly speakers = new Set<Call>();
  private off: (() => void)[] = [];
  private readonly keeper: CallKeeper;

  constructor(options: PhoneOptions = {}) {
    super();
    this.api = new Api(options.server, options.token ?? null);
    this.times = { ...TIMES, ...options.times };
    this.memory = options.memory === undefined ? sessionMemory() : options.memory;
    this.audio = options.audio ?? new Audio();
    this.audio.autoplay = true;
    this.microphone = new Microphone((track) => this.connection?.send(track));
    const phone = this;
    this.keeper = {
      ask: (verb, body) => this.ask(verb, body),
      accept: (call) => this.accept(call),
      resume: (call) => this.resume(call),
      changed: (call) => this.emit("call", call),
      get extension() {
        return phone.extension;
      },
    };
  }

  get state(): ConnectionState {
    return this.connection?.state ?? "idle";
  }
  get session(): Session | null {
    return this.connection?.session ?? null;
  }
  get peerConnection(): RTCPeerConnection | null {
    return this.connection?.media?.connection ?? null;
  }
  /** What a TURN server answered in the place of a way, as its status; 701: nothing. */
  get relayRefusal(): { url: string; code: number } | null {
    return this.connection?.media?.relayRefusal ?? null;
  }
  /** The call that is spoken in. */
  get active(): Call | undefined {
    return this.calls.find((call) => ["dialling", "ringing", "up"].includes(call.state));
  }

  logIn(username: string, password: string, by: "cookie" | "token" = "cookie"): Promise<Login> {
    return this.api.logIn(username, password, by);
  }

  /** Listens, connects, finds the calls from before a reload. `extension`: one's own, unless another is meant. */
  async start(extension?: string): Promise<void> {
    this.extension = extension ?? (await this.api.me()).extension ?? "";
    if (this.extension === "") throw new Refusal(403, "no_extension", "This login has no extension, so it cannot call.");
    const connection = (this.connection = new Connection(this.api, this.extension, this.memory, this.times));
    const stream = (this.stream = new LiveStream(this.api, () => this.ownPushes()));
    stream.on("message", (message) => this.onMessage(message));
    stream.on("refused", (why) => this.emit("loggedOut", why));
    stream.on("open", ({ again }) => again && void connection.touch());
    connection.on("state", (value) => this.emit("connection", value));
    connection.on("stream", (media) => this.play(media));
    connection.on("session", ({ session, known }) => {
      void this.reconcile(session, known);
      if (!known) stream.reopen();
    });
    // First who we are, then what we hear, then the sound: no push comes before somebody listens.
    await connection.prepare();
    await stream.start();
    this.watchNetwork();
    this.ticking.push(
      setInterval(() => void this.tick(), this.times.statsMs),
      setInterval(() => void this.feelPulse(), this.times.pulseMs),
    );
    await connection.open();
  }

  /** Ends the calls and the session of this browser. */
  async stop(): Promise<void> {
    for (const call of this.calls) if (!call.over) await call.hangUp().catch(() => {});
    for (const off of this.off.splice(0)) off();
    for (const timer of this.ticking.splice(0)) clearInterval(timer);
    await Promise.all([this.connection?.close(), this.stream?.close()]);
    this.connection = this.stream = null;
    for (const call of [...this.calls]) this.ended(call, "The phone was switched off.");
    this.audio.srcObject = null;
  }

  async logOut(): Promise<void> {
    await this.stop();
    await this.api.logOut();
  }

  // ---- calls ----

  /** Rings `number`. Other calls of this phone are held first. */
  async call(number: string): Promise<Call> {
    const target = number.replace(/[\s()./-]/g, "");
    if (target === "") throw new Error("Who is to be called?");
    await this.holdOthers();
    await this.microphone.take();
    this.dialling += 1;
    try {
      const placed = await this.place(target);
      const call = new Call(this.keeper, placed.call_id, "outgoing", target);
      this.speakers.add(call);
      this.calls.push(call);
      this.emit("call", call);
      for (const push of this.early.filter((p) => "call_id" in p.data && p.data.call_id === call.id)) this.onPush(push);
      return call;
    } catch (error) {
      this.microphone.give();
      throw error;
    } finally {
      this.dialling -= 1;
      if (this.dialling === 0) this.early = [];
    }
  }

  set muted(value: boolean) {
    this.microphone.muted = value;
    for (const call of this.calls) if (!call.over) this.emit("call", call);
  }
  get muted(): boolean {
    return this.microphone.muted;
  }

  /** Which loudspeaker; empty: the one the system prefers. Not every browser can. */
  async useSpeaker(deviceId: string): Promise<void> {
    const audio = this.audio as HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };
    await audio.setSinkId?.(deviceId);
  }

  async playSound(): Promise<void> {
    await this.audio.play();
  }

  /** Sends this in the place of the microphone; null: the microphone again. */
  async sendInstead(track: MediaStreamTrack | null): Promise<void> {
    await this.connection?.send(track ?? this.microphone.current);
  }

  /** Looks for another way to the server now. Changes of the network are noticed without it. */
  async reconnect(quietly = false): Promise<void> {
    this.stream?.hurry();
    this.stream?.reopen(); // it may hang on a way that is gone, and nobody would say so
    await this.connection?.restart(quietly);
  }

  /** The running totals of the media connection; null before there is one. */
  async measure(): Promise<Totals | null> {
    const connection = this.peerConnection;
    if (connection === null) return null;
    const report = (await connection.getStats()) as unknown as Map<string, { type: string; id: string }>;
    return totalsOf(report.values());
  }

  private async place(target: string): Promise<CallPlaced> {
    const connection = this.connected();
    try {
      return await this.api.post<CallPlaced>("/api/webrtc/call", { session_id: connection.id, target_extension: target });
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      const before = connection.id;
      await connection.touch(); // was it the session that is not there?
      if (connection.id === before) throw error;
      return this.api.post<CallPlaced>("/api/webrtc/call", { session_id: connection.id, target_extension: target });
    }
  }

  private connected(): Connection {
    if (this.connection === null) throw new Refusal(0, "not_connected", "The phone is not connected yet.");
    return this.connection;
  }

  private async ask<V extends keyof Verbs>(verb: V, body: Verbs[V]): Promise<void> {
    await this.api.post(this.connected().path(verb), body);
  }

  private async accept(call: Call): Promise<void> {
    await this.holdOthers(call);
    await this.speak(call);
    await this.ask("accept", { call_id: call.id });
    call.enter("up");
  }

  /** The microphone is open as long as one call needs it; a call needs it once. */
  private async speak(call: Call): Promise<void> {
    if (this.speakers.has(call)) return;
    await this.microphone.take();
    if (call.over || this.speakers.has(call)) this.microphone.give();
    else this.speakers.add(call);
  }

  /** Opened while it rings, the microphone costs no time when the call is answered; nobody is asked for it then. */
  private async prepare(call: Call): Promise<void> {
    const permission = await navigator.permissions.query({ name: "microphone" as PermissionName });
    if (permission.state === "granted") await this.speak(call);
  }

  private async resume(call: Call): Promise<void> {
    await this.holdOthers(call);
    await this.ask("resume", { call_id: call.id });
    call.enter("up");
  }

  private async holdOthers(but?: Call): Promise<void> {
    for (const call of this.calls) if (call !== but && call.state === "up") await call.hold();
  }

  private ended(call: Call, reason: string): void {
    if (call.over) return;
    call.enter("ended", reason);
    this.calls.splice(this.calls.indexOf(call), 1);
    if (this.speakers.delete(call)) this.microphone.give();
    if (this.calls.length === 0) this.microphone.muted = false;
  }

  // ---- what the server tells ----

  /** For the query of the live stream: the pushes of this session that have not been heard. */
  private ownPushes(): Record<string, string> {
    const session = this.session;
    return session === null ? {} : { session: session.session_id, push: String(this.connection?.push ?? 0) };
  }

  private onMessage(message: Message): void {
    if (message.event_type.startsWith("webrtc.")) this.onPush(message as unknown as Push);
    if (message.event_type === "call.transfer") void this.refresh();
    this.emit("message", message);
  }

  private onPush(push: Push): void {
    const session = push.data.session_id;
    if (session !== undefined && session !== this.session?.session_id) return;
    if (session !== undefined && push.push !== undefined) this.connection?.heard(push.push);
    switch (push.event_type) {
      case "webrtc.offer":
        void this.connection?.takeOffer(push.data.sdp, push.data.offer).catch(console.error);
        return;
      case "webrtc.candidate":
        void this.connection?.media?.addCandidate(push.data.candidate).catch(console.error);
        return;
      case "webrtc.session":
        if (push.data.state === "closed") void this.connection?.touch();
        return;
      case "webrtc.incoming":
        this.onIncoming(push.data);
        return;
    }
    const call = this.calls.find((c) => c.id === push.data.call_id);
    if (call === undefined) {
      // It may be about the call that is being placed, whose number has not come back yet.
      if (this.dialling > 0 && this.early.length < 64) this.early.push(push);
      return;
    }
    switch (push.event_type) {
      case "webrtc.ringing":
        if (call.state === "dialling") call.enter("ringing");
        return;
      case "webrtc.answered":
        if (call.state !== "held") call.enter("up");
        return;
      case "webrtc.ended":
        this.ended(call, push.data.reason);
        return;
      case "webrtc.dtmf":
        this.emit("digit", { call, digit: push.data.digit });
        return;
      case "webrtc.quality":
        call.sentQuality = sentQuality(push.data.loss_percent ?? 0, push.data.jitter_ms ?? 0);
        this.emit("call", call);
        return;
    }
  }

  private onIncoming(data: Extract<Push, { event_type: "webrtc.incoming" }>["data"]): void {
    if (this.calls.some((call) => call.id === data.call_id)) return;
    const call = new Call(this.keeper, data.call_id, "incoming", data.caller);
    call.info = data.caller_info ?? null;
    call.name = data.caller_info?.name ?? "";
    this.calls.push(call);
    this.emit("call", call);
    this.emit("incoming", call);
    this.prepare(call).catch(() => {}); // accept() says what is wrong with the microphone
  }

  /** After a reload, or when pushes may have been missed: the server says which calls there are. */
  private async reconcile(session: Session, known: boolean): Promise<void> {
    const ids = session.calls ?? (session.call_id === null ? [] : [session.call_id]);
    if (!known || session.calls !== undefined || session.call_id === null) {
      for (const call of [...this.calls]) {
        const isNew = Date.now() - call.startedAt < 2_000; // its push or answer may be under way
        if (!ids.includes(call.id) && !isNew) this.ended(call, "The connection was lost for too long.");
      }
    }
    for (const id of ids) {
      if (this.calls.some((call) => call.id === id) || this.dialling > 0) continue;
      await this.recover(id).catch(() => {});
    }
    await this.refresh();
  }

  private async recover(id: string): Promise<void> {
    const view = await this.api.get<CallView>(`/api/calls/${encodeURIComponent(id)}`);
    if (this.calls.some((call) => call.id === id)) return;
    const outgoing = view.from === this.extension;
    const call = new Call(this.keeper, id, outgoing ? "outgoing" : "incoming", outgoing ? view.to : view.from);
    call.startedAt = Date.parse(view.started_at);
    if (view.answered_at !== null) call.answeredAt = Date.parse(view.answered_at);
    const state = stateOf(view, this.extension);
    this.calls.push(call);
    if (state !== "incoming") await this.speak(call).catch(() => {}); // without it, the other side is heard all the same
    if (state === call.state) this.emit("call", call);
    else call.enter(state);
    call.update(view);
    if (state === "incoming") this.emit("incoming", call);
  }

  private async refresh(): Promise<void> {
    for (const call of [...this.calls]) {
      if (call.state !== "up" && call.state !== "held") continue;
      try {
        call.update(await this.api.get<CallView>(`/api/calls/${encodeURIComponent(call.id)}`));
      } catch {
        // Its end is told on the live stream.
      }
    }
  }

  private async tick(): Promise<void> {
    const call = this.calls.find((c) => c.state === "up");
    const totals = await this.measure().catch(() => null);
    if (call === undefined || totals === null) {
      this.totals = totals;
      return;
    }
    const figures = figuresBetween(this.totals, totals, call.id);
    this.totals = totals;
    if (call.over) return;
    call.quality = qualityOf(figures);
    this.emit("quality", { call, quality: call.quality });
    await Promise.all([this.ask("stats", figures).catch(() => {}), this.refresh()]);
  }

  // ---- the world outside ----

  private async feelPulse(): Promise<void> {
    const listens = () => this.active?.state === "up" && !this.active.heldByOther;
    const totals = listens() ? await this.measure().catch(() => null) : null;
    if (totals === null || !listens()) return this.pulse.rest();
    if (this.pulse.stopped(totals.packetsReceived, performance.now())) void this.reconnect(true);
  }

  private play(media: MediaStream): void {
    this.audio.srcObject = media;
    this.totals = null;
    this.audio.play().catch((error: unknown) => {
      if ((error as Error).name === "NotAllowedError") this.emit("soundBlocked", undefined);
    });
  }

  private watchNetwork(): void {
    const target = globalThis.window as (Window & typeof globalThis) | undefined;
    if (target === undefined) return;
    const back = () => void this.reconnect();
    const seen = () => target.document.visibilityState === "visible" && void this.connection?.touch();
    target.addEventListener("online", back);
    target.document.addEventListener("visibilitychange", seen);
    this.off.push(
      () => target.removeEventListener("online", back),
      () => target.document.removeEventListener("visibilitychange", seen),
    );
  }
}

function sessionMemory(): Memory | null {
  try {
    return globalThis.sessionStorage;
  } catch {
    return null; // a page that may keep nothing
  }
}
