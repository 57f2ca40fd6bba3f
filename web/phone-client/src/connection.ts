// The session with the server and the media connection under it: made once, kept alive, mended when the network
// changes, found again after the page was reloaded.
import { type Api, Refusal } from "./api.js";
import { Emitter } from "./emitter.js";
import { Media } from "./media.js";
import type { IceServers, OfferAnswered, Session, SessionOpened } from "./wire.js";

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "failed";
export interface ConnectionEvents extends Record<string, unknown> {
  state: { state: ConnectionState; why: string };
  stream: MediaStream;
  /** `known`: it is one from before, with the calls it had. */
  session: { session: Session; known: boolean };
}
export interface Times {
  connectMs: number; // until a connection counts as failed
  patienceMs: number; // how long "disconnected" may mend itself
  touchMs: number; // how often the server is told that the page is still there
  retryMs: number; // the first wait; doubled up to eight times that
}
export type Memory = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const KEY = "bellwire.session";
const BLOCKED =
  "No sound gets through to the server: a firewall between here and there blocks it. Calls need UDP, or TCP, to its media port.";

export class Connection extends Emitter<ConnectionEvents> {
  session: Session | null = null;
  media: Media | null = null;
  state: ConnectionState = "idle";
  push = 0;
  private ice: IceServers | null = null;
  private track: MediaStreamTrack | null = null;
  private work: Promise<void> = Promise.resolve();
  private timers: ReturnType<typeof setTimeout>[] = [];
  private touching: ReturnType<typeof setInterval> | null = null;
  private closed = false;
  private failures = 0;
  // Offers of the server's, by their numbers: the last one, and the last that an offer of ours has made void.
  private newest = 0;
  private voided = 0;
  private unlock: () => void = () => {};

  constructor(
    private readonly api: Api,
    private readonly extension: string,
    private readonly memory: Memory | null,
    private readonly times: Times,
  ) {
    super();
  }

  get id(): string {
    if (this.session === null) throw new Refusal(0, "not_connected", "The phone is not connected yet.");
    return this.session.session_id;
  }
  path(verb = ""): string {
    return `/api/webrtc/session/${encodeURIComponent(this.id)}${verb === "" ? "" : "/" + verb}`;
  }

  /** The session, without media yet. */
  async prepare(): Promise<void> {
    this.enter("connecting");
    await this.inTurn(() => this.openSession());
  }

  /** Resolves when the server has answered the offer; sound follows with the state "connected". */
  async open(): Promise<void> {
    await this.inTurn(() => this.connect());
    this.touching = setInterval(() => void this.touch(), this.times.touchMs);
  }

  /**
   * The network has changed: new paths are looked for at once, without waiting for the old ones to fail. Quietly: it may
   * as well be that the other side has nothing to say, so nobody is told before that fails.
   */
  restart(quietly = false): Promise<void> {
    return this.inTurn(async () => {
      if (this.closed || this.session === null) return;
      if (!quietly) this.enter("reconnecting");
      if (this.media === null || ["failed", "closed"].includes(this.media.connection.connectionState)) await this.connect();
      else await this.negotiate(this.media, true);
    }).catch((error: unknown) => this.later(error));
  }

  /** Is the session still there? If not, another takes its place and its calls are over. */
  touch(): Promise<void> {
    return this.inTurn(async () => {
      if (this.closed || this.session === null) return;
      try {
        const { session } = await this.api.get<SessionOpened>(this.path());
        this.session = session;
        this.emit("session", { session, known: true });
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) return; // the server will be back
        this.session = null;
        await this.openSession();
        await this.connect();
      }
    }).catch((error: unknown) => this.later(error));
  }

  async send(track: MediaStreamTrack | null): Promise<void> {
    this.track = track;
    await this.media?.send(track);
  }

  /** An offer of the server's. One that crossed an offer of this page, or that another has followed, is void. */
  takeOffer(sdp: string, offer?: number): Promise<void> {
    this.newest = Math.max(this.newest, offer ?? 0);
    return this.inTurn(async () => {
      if (this.media === null || this.closed) return;
      if (offer !== undefined && (offer < this.newest || offer <= this.voided)) return;
      const answer = await this.media.answer(sdp);
      await this.api.post("/api/webrtc/answer", { session_id: this.id, sdp: answer, ...(offer === undefined ? {} : { offer }) });
    }).catch((error: unknown) => {
      if (!(error instanceof Refusal)) throw error; // the server has gone on to something else, and says so
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.forget();
    if (this.touching !== null) clearInterval(this.touching);
    for (const timer of this.timers) clearTimeout(timer);
    this.media?.close();
    const known = this.session !== null;
    const path = known ? this.path() : "";
    this.session = null;
    this.enter("idle");
    if (known) await this.api.delete(path).catch(() => {}); // it ends by itself as well
  }

  // ---- the session ----

  private async openSession(): Promise<void> {
    const opened = (await this.earlier()) ?? (await this.newSession());
    const earlier = this.remembered();
    const known = earlier?.id === opened.session.session_id;
    this.session = opened.session;
    this.push = known ? earlier.push : 0;
    if (!known) this.newest = this.voided = 0;
    this.ice = opened.ice_servers ?? (await this.api.get<IceServers>("/api/webrtc/ice-servers"));
    if (!known) await this.keep(opened.session.session_id);
    this.emit("session", { session: opened.session, known });
  }

  private async newSession(): Promise<SessionOpened> {
    try {
      return await this.api.post<SessionOpened>("/api/webrtc/session", { extension: this.extension });
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
      throw new Refusal(404, "switched_off", "Browser calling is switched off on this server. Its administrator can turn it on.");
    }
  }

  /** That of this tab before it was reloaded, unless it has ended or a copy of the tab has taken it. */
  private async earlier(): Promise<SessionOpened | null> {
    const id = this.remembered()?.id;
    if (id === undefined) return null;
    if (await this.lock(id)) {
      try {
        const found = await this.api.get<SessionOpened>(`/api/webrtc/session/${encodeURIComponent(id)}`);
        if (found.session.extension === this.extension) return found;
      } catch (error) {
        if (!(error instanceof Refusal) || ![403, 404].includes(error.status)) throw error;
      }
    }
    this.forget();
    return null;
  }

  /** The number of the last push of the session that was heard: what came after it is asked for again. */
  heard(push: number): void {
    this.push = Math.max(this.push, push);
    if (this.session !== null) this.remember(this.session.session_id);
  }

  private remembered(): { id: string; push: number } | null {
    try {
      return JSON.parse(this.memory?.getItem(KEY) ?? "null") as { id: string; push: number } | null;
    } catch {
      return null;
    }
  }
  private remember(id: string): void {
    this.memory?.setItem(KEY, JSON.stringify({ id, push: this.push }));
  }
  private async keep(id: string): Promise<void> {
    this.remember(id);
    await this.lock(id);
  }
  private forget(): void {
    this.memory?.removeItem(KEY);
    this.unlock();
    this.unlock = () => {};
  }

  // A duplicated tab has a copy of the memory; the lock is held by one of them.
  private lock(id: string): Promise<boolean> {
    const locks = (globalThis.navigator as Navigator | undefined)?.locks;
    if (locks === undefined) return Promise.resolve(true);
    return new Promise((resolve) => {
      locks
        .request(`${KEY}.${id}`, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          if (lock === null) return undefined;
          return new Promise<void>((release) => (this.unlock = release));
        })
        .catch(() => resolve(true));
    });
  }

  // ---- the media ----

  private async connect(): Promise<void> {
    if (this.ice === null) throw new Refusal(0, "not_connected", "The phone is not connected yet.");
    this.media?.close();
    const media = new Media(this.ice, this.track);
    this.media = media;
    media.on("state", (state) => this.media === media && this.onState(state));
    this.emit("stream", media.stream);
    await this.negotiate(media, false);
  }

  private async negotiate(media: Media, restart: boolean): Promise<void> {
    const early: RTCIceCandidateInit[] = [];
    let answered = false;
    const tell = (candidate: RTCIceCandidateInit) =>
      void this.api.post("/api/webrtc/ice-candidate", { session_id: this.id, candidate }).catch(() => {});
    const off = media.on("candidate", (candidate) => (answered ? tell(candidate) : early.push(candidate)));
    try {
      const sdp = await media.offer(restart);
      const answer = await this.api.post<OfferAnswered>("/api/webrtc/offer", { session_id: this.id, sdp });
      this.voided = answer.offers ?? 0;
      await media.takeAnswer(answer.sdp);
    } catch (error) {
      off();
      throw error;
    }
    answered = true;
    for (const candidate of early) tell(candidate);
    void this.watch(media).finally(off);
  }

  private async watch(media: Media): Promise<void> {
    const state = await media.settled(this.times.connectMs);
    if (this.closed || this.media !== media) return;
    if (state === "connected") this.onState(state);
    else if (state !== "failed") this.later(new Refusal(0, "blocked", BLOCKED)); // failed has been heard by onState
  }

  private onState(state: RTCPeerConnectionState): void {
    if (this.closed) return;
    const media = this.media;
    if (state === "connected") {
      this.failures = 0;
      this.enter("connected");
    } else if (state === "disconnected") {
      this.enter("reconnecting", "The sound is interrupted; looking for another way.");
      this.after(this.times.patienceMs, () => {
        if (this.media === media && media?.connection.connectionState === "disconnected") void this.restart();
      });
    } else if (state === "failed") {
      this.later(new Refusal(0, "blocked", BLOCKED));
    }
  }

  private later(error: unknown): void {
    if (this.closed) return;
    const why = error instanceof Error ? error.message : "The connection failed.";
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return this.enter("failed", why);
    this.failures += 1;
    this.enter(this.failures > 2 ? "failed" : "reconnecting", why);
    const wait = this.times.retryMs * Math.min(8, 2 ** (this.failures - 1));
    this.after(wait, () => void this.retry());
  }

  // From the session on: it may have ended meanwhile.
  private async retry(): Promise<void> {
    await this.inTurn(async () => {
      if (this.closed) return;
      if (this.session !== null && !(await this.isThere())) this.session = null;
      if (this.session === null) {
        await this.openSession();
        await this.connect();
      } else if (this.media?.connection.connectionState === "connected") {
        await this.negotiate(this.media, true); // the browser may believe in a way that is gone
      } else {
        await this.connect();
      }
    }).catch((error: unknown) => this.later(error));
  }

  private async isThere(): Promise<boolean> {
    try {
      await this.api.get(this.path());
      return true;
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return false;
      throw error;
    }
  }

  private after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers = this.timers.filter((t) => t !== timer);
      if (!this.closed) act();
    }, ms);
    this.timers.push(timer);
  }

  private enter(state: ConnectionState, why = ""): void {
    if (this.state === state && why === "") return;
    this.state = state;
    this.emit("state", { state, why });
  }

  // Offers must not cross each other.
  private inTurn(act: () => Promise<void>): Promise<void> {
    const turn = this.work.then(act);
    this.work = turn.catch(() => {});
    return turn;
  }
}
