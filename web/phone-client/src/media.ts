// One RTCPeerConnection with one audio line, from its offer to its end.
import { Emitter } from "./emitter.js";
import type { IceServers } from "./wire.js";

export interface MediaEvents extends Record<string, unknown> {
  state: RTCPeerConnectionState;
  candidate: RTCIceCandidateInit;
}

export class Media extends Emitter<MediaEvents> {
  readonly connection: RTCPeerConnection;
  readonly stream: MediaStream;
  /** What a TURN server said instead of letting this browser through; null while none refused. */
  relayRefusal: { url: string; code: number } | null = null;
  private readonly line: RTCRtpTransceiver;

  constructor(ice: IceServers, track: MediaStreamTrack | null) {
    super();
    this.connection = new RTCPeerConnection({
      iceServers: ice.iceServers,
      iceTransportPolicy: ice.iceTransportPolicy,
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
    });
    // Without a track the line is agreed all the same: the microphone joins when a call needs it.
    this.line = this.connection.addTransceiver(track ?? "audio", { direction: "sendrecv" });
    this.stream = new MediaStream([this.line.receiver.track]);
    this.connection.addEventListener("connectionstatechange", () => this.emit("state", this.connection.connectionState));
    this.connection.addEventListener("icecandidateerror", ({ url, errorCode }) => {
      if (/^turns?:/.test(url ?? "")) this.relayRefusal = { url: url ?? "", code: errorCode };
    });
    this.connection.addEventListener("icecandidate", (event) => {
      this.emit("candidate", event.candidate?.toJSON() ?? { candidate: "", sdpMid: "0", sdpMLineIndex: 0 });
    });
  }

  async offer(restart: boolean): Promise<string> {
    await this.connection.setLocalDescription(await this.connection.createOffer({ iceRestart: restart }));
    return this.connection.localDescription?.sdp ?? "";
  }

  async takeAnswer(sdp: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  async answer(sdp: string): Promise<string> {
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    return this.connection.localDescription?.sdp ?? "";
  }

  async addCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    await this.connection.addIceCandidate(candidate);
  }

  async send(track: MediaStreamTrack | null): Promise<void> {
    await this.line.sender.replaceTrack(track);
  }

  /** Connected, failed or closed, or still on its way when the time is over. */
  settled(ms: number): Promise<RTCPeerConnectionState> {
    const over = (state: RTCPeerConnectionState) => ["connected", "failed", "closed"].includes(state);
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        off();
        resolve(this.connection.connectionState);
      };
      const timer = setTimeout(done, ms);
      const off = this.on("state", (state) => over(state) && done());
      if (over(this.connection.connectionState)) done();
    });
  }

  close(): void {
    this.connection.close();
  }
}
