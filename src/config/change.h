// A change of the configuration that came from outside the file: pure, from text to text.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace bw::config {

struct Change {
  std::string text;               // of the new file; as it was where nothing changed
  std::vector<std::string> keys;  // what changed: "logging.level"; a list as a whole
  std::vector<Problem> problems;  // none of them: the text still has to be loaded
};

// `wanted` is a JSON merge patch (RFC 7396): mappings are merged, null removes a key from the file (its
// default is in force then), everything else replaces. What is already in force is no change, so that a whole
// document() with one value altered changes one value; masked secrets stay as they are in the file, also
// inside of lists, whose items are recognised by their number, name or address.
//
// `in_force`: document() of the file as it is. Sections of the file that do not change keep their words and
// comments; the others are written anew.
Change change(std::string_view yaml_text, const boost::json::object& in_force,
              const boost::json::object& wanted);

}  // namespace bw::config
