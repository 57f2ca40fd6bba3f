#include "io/http_head.h"

#include <gtest/gtest.h>

#include <string>

namespace bw::io {
namespace {

using State = HeadWatch::State;

// As it comes in pieces of that size; 200: whole.
int verdict(std::string_view request, std::size_t piece, std::size_t most = 16'384) {
  HeadWatch watch{most};
  for (std::size_t end = 0; end < request.size();) {
    end = std::min(end + piece, request.size());
    const State state = watch.look(request.substr(0, end));
    if (state == State::kWhole) return 200;
    if (state == State::kRefused) return watch.status();
  }
  return 0;
}

struct Case {
  const char* what;
  std::string request;
  int status;
};

const Case kCases[] = {
    {"plain", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
    {"empty line before", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", 200},
    {"1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 200},
    {"body", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200},
    {"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked \r\n\r\n0\r\n\r\n", 200},
    {"empty value", "GET / HTTP/1.1\r\nHost:\r\nX:\r\n\r\n", 200},
    {"unfinished", "GET / HTTP/1.1\r\nHost: x\r\n", 0},
    {"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400},
    {"two equal lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
     400},
    {"length as a list", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\n", 400},
    {"signed length", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\n", 400},
    {"length and encoding",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"encoding and length",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
    {"two encodings",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"encoding nobody knows", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
    {"encoding list", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"encoding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"bare line feed", "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", 400},
    {"only line feeds", "GET / HTTP/1.1\nHost: x\n\n", 400},
    {"bare carriage return", "GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400},
    {"folded", "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", 400},
    {"folded first", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
    {"space before the colon", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\n", 400},
    {"no colon", "GET / HTTP/1.1\r\nHost: x\r\nnothing\r\n\r\n", 400},
    {"zero byte", std::string("GET / HTTP/1.1\r\nHost: x\r\nX: a") + '\0' + "b\r\n\r\n", 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
    {"two Hosts", "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
    {"version 2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"version 0.9", "GET /\r\n\r\n", 400},
    {"two spaces", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"space in the target", "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"TLS", "\x16\x03\x01\x02", 400},
    {"too many headers", "GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
    {"line without end", "GET /" + std::string(20'000, 'x'), 431},
    {"empty lines without end", "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n", 400},
};

TEST(HttpHead, WhatTwoReadersCouldUnderstandDifferentlyIsRefused) {
  for (const Case& c : kCases) EXPECT_EQ(verdict(c.request, c.request.size()), c.status) << c.what;
}

TEST(HttpHead, ItDoesNotMatterHowItArrives) {
  for (const Case& c : kCases) {
    for (const std::size_t piece : {1U, 2U, 3U, 7U}) EXPECT_EQ(verdict(c.request, piece), c.status) << c.what;
  }
}

TEST(HttpHead, SizeEndsBehindTheEmptyLine) {
  HeadWatch watch{1'000};
  const std::string_view text = "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\nGET /next";
  ASSERT_EQ(watch.look(text), State::kWhole);
  EXPECT_EQ(text.substr(watch.begin(), watch.size()), "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
}

}  // namespace
}  // namespace bw::io
