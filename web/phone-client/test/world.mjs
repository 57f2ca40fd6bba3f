// What the library meets in these tests: a server with the requests of docs/browser-calling.md that can be told what to
// push, and a browser whose media connection does at once what it is asked.
import { createServer } from "node:http";

export class Server {
  sessions = new Map();
  calls = new Map(); // call_id → view, of GET /api/calls/{id}
  requests = []; // "POST /api/webrtc/call" and its body
  offers = [];
  streams = new Set();
  refusals = new Map(); // "POST /path" → [status, body], once
  streamQueries = [];
  made = 0; // offers of its own
  #next = 1;

  async listen() {
    this.http = createServer((request, response) => this.#take(request, response));
    await new Promise((resolve) => this.http.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.http.address().port}`;
    return this;
  }
  async close() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  push(event_type, data, seq, push) {
    const message = { event_type, ...(seq ? { seq } : {}), ...(push ? { push } : {}), data };
    const lines = [...(seq ? [`id: ${seq}`] : []), `event: ${event_type}`, `data: ${JSON.stringify(message)}`];
    for (const stream of this.streams) stream.write(lines.join("\n") + "\n\n");
  }
  cutStreams() {
    for (const stream of this.streams) stream.destroy();
  }
  asked(what) {
    return this.requests.filter((r) => r.what === what).map((r) => r.body);
  }

  async #take(request, response) {
    let text = "";
    for await (const part of request) text += part;
    const body = text === "" ? {} : JSON.parse(text);
    const what = `${request.method} ${request.url}`;
    this.requests.push({ what, body, authorization: request.headers.authorization });
    const answer = (value, status = 200) => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
    };
    const refused = this.refusals.get(what);
    if (refused) {
      this.refusals.delete(what);
      return answer(refused[1], refused[0]);
    }
    if (request.url.startsWith("/api/events")) {
      this.streamQueries.push(Object.fromEntries(new URL(request.url, this.url).searchParams));
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(":\n\n");
      this.streams.add(response);
      response.on("close", () => this.streams.delete(response));
      return;
    }
    this.#answer(request.method, request.url.split("/").slice(2), body, answer);
  }

  #answer(method, path, body, answer) {
    const missing = () => answer({ error: "There is no such session.", code: "not_found" }, 404);
    const [area, name, id, verb] = path;
    if (area === "login") return answer({ success: true, name: body.username, role: "user", extension: body.username, token: "t-1" });
    if (area === "logout") return answer({ success: true });
    if (area === "me") return answer({ name: "1001", role: "user", extension: "1001", scopes: [] });
    if (area === "calls") return this.calls.has(name) ? answer(this.calls.get(name)) : missing();
    if (name === "session" && id === undefined) {
      const session = { session_id: `s-${this.#next++}`, extension: body.extension, state: "new", call_id: null, calls: [] };
      this.sessions.set(session.session_id, session);
      return answer({ success: true, session, ice_servers: { iceServers: [], iceTransportPolicy: "all" } });
    }
    const session = this.sessions.get(name === "session" ? id : body.session_id);
    if (session === undefined) return missing();
    if (name === "offer") {
      this.offers.push(body.sdp);
      return answer({ success: true, message: "", type: "answer", sdp: "answer to " + body.sdp, offers: this.made });
    }
    if (name === "call") {
      const call_id = `c-${this.#next++}`;
      session.calls.push(call_id);
      session.call_id = call_id;
      return answer({ success: true, call_id, message: "" });
    }
    if (method === "DELETE") this.sessions.delete(id);
    if (name === "session" && verb === undefined) return answer({ success: true, session, ice_servers: { iceServers: [], iceTransportPolicy: "all" } });
    answer({ success: true, message: "" });
  }
}

class Track extends EventTarget {
  kind = "audio";
  enabled = true;
  readyState = "live";
  stop() {
    this.readyState = "ended";
  }
}
class Stream {
  constructor(tracks = []) {
    this.tracks = tracks;
  }
  getAudioTracks() {
    return this.tracks;
  }
  getTracks() {
    return this.tracks;
  }
}

export class PeerConnection extends EventTarget {
  static all = [];
  static autoConnect = true;
  connectionState = "new";
  iceConnectionState = "new";
  sent = [];
  stats = new Map();
  #offers = 0;
  constructor(configuration) {
    super();
    this.configuration = configuration;
    PeerConnection.all.push(this);
    this.number = PeerConnection.all.length;
  }
  addTransceiver() {
    return { receiver: { track: new Track() }, sender: { replaceTrack: async (track) => void this.sent.push(track) } };
  }
  async createOffer({ iceRestart } = {}) {
    return { type: "offer", sdp: `offer ${++this.#offers} of connection ${this.number}${iceRestart ? " (restart)" : ""}` };
  }
  async createAnswer() {
    return { type: "answer", sdp: `answer of connection ${this.number}` };
  }
  async setLocalDescription(description) {
    this.localDescription = description;
  }
  async setRemoteDescription(description) {
    this.remoteDescription = description;
    if (PeerConnection.autoConnect) setTimeout(() => this.become("connected"), 1);
  }
  async addIceCandidate() {}
  async getStats() {
    return this.stats;
  }
  become(state) {
    if (this.connectionState === "closed") return;
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  close() {
    this.connectionState = "closed";
  }
}

/** The microphone of this browser: how often it was opened, and whether it is open. */
export const microphone = { opened: [], error: null, permission: "granted" };

export function browser() {
  PeerConnection.all = [];
  PeerConnection.autoConnect = true;
  microphone.opened = [];
  microphone.error = null;
  globalThis.RTCPeerConnection = PeerConnection;
  globalThis.MediaStream = Stream;
  globalThis.Audio = class {
    srcObject = null;
    async play() {}
  };
  Object.defineProperty(globalThis, "navigator", {
    configurable: true,
    value: {
      mediaDevices: {
        async getUserMedia() {
          if (microphone.error) throw Object.assign(new Error("no"), { name: microphone.error });
          const track = new Track();
          microphone.opened.push(track);
          return new Stream([track]);
        },
      },
      permissions: { query: async () => ({ state: microphone.permission }) },
    },
  });
}

export function memory() {
  const kept = new Map();
  return { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v), removeItem: (k) => void kept.delete(k) };
}

export async function until(check, what) {
  const end = Date.now() + 120_000;
  while (!check()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
