// Answers as they go out: the headers every one of them has.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>
#include <string_view>

#include "ports/http.h"

namespace bw::io::detail {

using HttpAnswer = boost::beast::http::response<boost::beast::http::string_body>;

// `head_only`: the length is told, the body is not sent.
HttpAnswer to_answer(http::Response&& response, bool keep, bool head_only);
// The head of a body without end: in chunks, or (for HTTP/1.0) until the connection ends.
std::string stream_head(const http::Response& response, bool chunked);

http::Response refusal(int status, std::string_view code, std::string_view sentence);

}  // namespace bw::io::detail
