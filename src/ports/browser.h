// What pages ask of their calls (docs/browser-calling.md), the answers, and what is pushed to them. Plain
// values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"
#include "model/call_record.h"

namespace bw::ports {

// A browser's media connection, as its page names it; nobody can guess one.
using BrowserSessionId = StrongString<struct BrowserSessionTag>;

// ---- what is asked ----
struct OpenBrowserSession {
  std::string extension;
};
struct ListBrowserSessions {};
struct ShowIceServers {};
struct ShowBrowserSession {};
struct CloseBrowserSession {};
struct BrowserOffer {  // also once more: an ICE restart, or the page was loaded again
  std::string sdp;
};
struct BrowserAnswer {  // to a push Offered
  std::string sdp;
  std::optional<std::uint64_t> offer = std::nullopt;  // its number; none: the last one
};
struct BrowserCandidate {  // empty: that was all of them
  std::string candidate;
};
struct BrowserDials {
  std::string target;
};
// Without a call the one there is, is meant.
struct BrowserAccepts {
  model::CallId call;
};
struct BrowserRejects {
  model::CallId call;
};
struct BrowserHangsUp {
  model::CallId call;
};
struct BrowserHolds {
  model::CallId call;
};
struct BrowserResumes {
  model::CallId call;
};
struct BrowserPresses {
  model::CallId call;
  std::string digits;
};
struct BrowserTransfers {  // blind to a number, or attended: the other sides of both calls talk to each other
  model::CallId call;
  std::string to;
  model::CallId with;
};
struct RestartBrowser {};  // a new offer of ours comes as a push
struct BrowserFigures {    // of some seconds, as the browser measured what it heard
  model::CallId call;
  std::uint32_t packets_received = 0;
  std::uint32_t packets_lost = 0;
  std::optional<double> loss_percent;
  std::optional<double> jitter_ms;
  std::optional<double> round_trip_ms;
  std::optional<double> concealed_percent;
  std::string codec;  // empty: unknown
};
struct MissedPushes {  // a page is there again: what it has not heard after this number
  std::uint64_t after = 0;
};
using BrowserWish =
    std::variant<OpenBrowserSession, ListBrowserSessions, ShowIceServers, ShowBrowserSession,
                 CloseBrowserSession, BrowserOffer, BrowserAnswer, BrowserCandidate, BrowserDials,
                 BrowserAccepts, BrowserRejects, BrowserHangsUp, BrowserHolds, BrowserResumes, BrowserPresses,
                 BrowserTransfers, RestartBrowser, BrowserFigures, MissedPushes>;

struct AskBrowser {
  BrowserSessionId session;  // of those wishes that are about one
  BrowserWish wish;
  std::optional<std::string> only = std::nullopt;  // the one extension whose sessions exist for who asks
};

// ---- answers ----
struct IceServer {
  std::vector<std::string> urls;
  std::string username;
  Secret<std::string> credential;
};
struct IceServers {
  std::vector<IceServer> servers;
  bool relay_only = false;
};
struct BrowserSession {
  BrowserSessionId id;
  std::string extension;
  std::string peer_connection;  // another with each connection of its media
  std::string state;            // "new", "connecting", "connected", "disconnected"
  Instant created;
  Instant last_activity;
  std::optional<model::CallId> call;  // whose sound flows
  std::vector<model::CallId> calls;
};
struct BrowserSessions {
  std::vector<BrowserSession> sessions;
};
struct BrowserSessionOpened {
  BrowserSession session;
  IceServers ice;
};
struct BrowserDescription {  // our answer
  std::string sdp;
  std::uint64_t offers = 0;  // of ours so far: what they said is no more
};

// ---- pushes ----
struct BrowserPush {
  struct Incoming {
    model::CallId call;
    std::string caller;  // number
    Personal<std::string> name;
  };
  struct Ringing {
    model::CallId call;
  };
  struct Answered {
    model::CallId call;
  };
  struct Ended {
    model::CallId call;
    std::string reason;  // a sentence
  };
  struct Offered {
    std::string sdp;
    std::uint64_t offer = 0;  // counts those of the session, from 1
  };
  struct Pressed {  // by the other side
    model::CallId call;
    char digit = '0';
  };
  struct Heard {  // how well the browser hears
    model::CallId call;
    model::LegQuality quality;
  };
  struct SessionChanged {
    std::string state;   // also "closed"
    std::string reason;  // a sentence, where there is something to say
  };
  using What = std::variant<Incoming, Ringing, Answered, Ended, Offered, Pressed, Heard, SessionChanged>;

  BrowserSessionId session;
  std::string extension;
  std::uint64_t number = 0;  // counts the pushes of the session, from 1
  Instant at;
  What what;
};
struct BrowserPushes {
  std::uint64_t newest = 0;
  std::vector<BrowserPush> pushes;
};
using BrowserReply =
    std::variant<BrowserSessions, BrowserSessionOpened, BrowserDescription, IceServers, BrowserPushes>;

}  // namespace bw::ports
