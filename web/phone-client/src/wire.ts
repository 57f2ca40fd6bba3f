// What the client and the server say to each other: the requests under /api/webrtc and the pushes on the live
// stream, as values. Names are those of the wire.

/** The media connection of this browser: made once, kept warm, and used by one call after another. */
export interface Session {
  session_id: string;
  extension: string;
  peer_connection_id?: string;
  state: "new" | "connecting" | "connected" | "disconnected";
  created_at?: string;
  last_activity?: string;
  /** The call whose sound flows now, if any. */
  call_id: string | null;
  /** All calls of the session, the held ones too. */
  calls?: string[];
}

export interface IceServers {
  iceServers: { urls: string | string[]; username?: string; credential?: string }[];
  iceTransportPolicy: "all" | "relay";
}

/** POST /api/webrtc/session {extension}, and GET or DELETE /api/webrtc/session/{id}. */
export interface SessionOpened {
  success: true;
  session: Session;
  ice_servers: IceServers;
}

/**
 * POST /api/webrtc/offer {session_id, sdp}. Sent again for the same session it renews the connection: new ICE
 * credentials are an ICE restart, a new fingerprint is a page that was loaded again.
 */
export interface OfferAnswered {
  success: true;
  message: string;
  type: "answer";
  sdp: string;
  /** How many offers of its own the server has made in this session so far; they count no more. */
  offers?: number;
}

/** POST /api/webrtc/call {session_id, target_extension}. */
export interface CallPlaced {
  success: true;
  call_id: string;
  message: string;
}

/** POST /api/webrtc/session/{id}/{verb} with these bodies. Without call_id the one call there is, is meant. */
export interface Verbs {
  accept: { call_id: string };
  reject: { call_id: string };
  hangup: { call_id: string };
  hold: { call_id: string };
  resume: { call_id: string };
  dtmf: { call_id: string; digits: string };
  transfer: { call_id: string; to: string } | { call_id: string; with_call_id: string };
  stats: Figures;
}

/** Of the last five seconds as this browser measured them; what it does not know is left out. */
export interface Figures {
  call_id: string;
  round_trip_ms?: number;
  jitter_ms?: number;
  loss_percent?: number;
  packets_sent: number;
  packets_received: number;
  packets_lost: number;
  concealed_percent?: number;
  codec?: string;
  protocol?: "udp" | "tcp" | "relay";
}

/** GET /api/calls/{call_id}. */
export interface CallView {
  call_id: string;
  state: "ringing" | "up" | "held";
  from: string;
  to: string;
  legs: { party: string; state: "trying" | "ringing" | "up" | "held" | "ended"; codec: string; secured: boolean }[];
  started_at: string;
  answered_at: string | null;
}

/** What is known of a caller; shown as text, never as markup. */
export interface CallerInfo {
  name?: string;
  company?: string;
  email?: string;
  notes?: string;
  url?: string;
}

/** On the live stream, to the pages of the extension. Those with a session_id are for that session alone. */
export type Push = {
  /** Counts those of one session. The live stream repeats what came after `?session=ID&push=N`. */
  push?: number;
} & (
  | { event_type: "webrtc.incoming"; data: OfCall & { caller: string; caller_info?: CallerInfo | null } }
  | { event_type: "webrtc.ringing"; data: OfCall }
  | { event_type: "webrtc.answered"; data: OfCall }
  | { event_type: "webrtc.ended"; data: OfCall & { reason: string } }
  | { event_type: "webrtc.offer"; data: OfSession & { sdp: string; offer?: number } }
  | { event_type: "webrtc.dtmf"; data: OfCall & { digit: string } }
  | { event_type: "webrtc.candidate"; data: OfSession & { candidate: RTCIceCandidateInit } }
  | { event_type: "webrtc.session"; data: OfSession & { state: string; reason?: string } }
  | { event_type: "webrtc.quality"; data: OfCall & { mos?: number | null; loss_percent?: number; jitter_ms?: number } }
);

interface OfSession {
  session_id?: string;
}
interface OfCall extends OfSession {
  call_id: string;
}

/** Any message of the live stream: an event of the journal (with its number), a push, or a snapshot. */
export interface Message {
  event_type: string;
  timestamp?: string;
  seq?: number;
  push?: number;
  data: Record<string, unknown>;
}
