// The pieces of start-up, each by itself.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "server/config_file.h"
#include "server/data_directory.h"
#include "server/log.h"
#include "server/opening.h"
#include "server/reload.h"
#include "server/showing.h"

namespace bw::server {
namespace {

namespace fs = std::filesystem;

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = fs::temp_directory_path() / "bellwire-server-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
  fs::path path;
};

void write(const fs::path& path, std::string_view text) {
  std::ofstream(path) << text;
}

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

unsigned mode_of(const fs::path& path) {
  struct stat s{};
  ::stat(path.c_str(), &s);
  return s.st_mode & 0777U;
}

TEST(DataDirectory, IsMadeForItsOwnerAloneWithItsParents) {
  const TemporaryDirectory t;
  const auto opened = DataDirectory::open(t.path / "a" / "b");
  ASSERT_TRUE(opened.has_value()) << opened.error();
  EXPECT_EQ(mode_of(opened->path()), 0700U);
}

TEST(DataDirectory, OpenToOthersIsClosed) {
  const TemporaryDirectory t;
  fs::permissions(t.path, fs::perms{0755});
  ASSERT_TRUE(DataDirectory::open(t.path).has_value());
  EXPECT_EQ(mode_of(t.path), 0700U);
}

TEST(DataDirectory, SecondServerOnItIsRefusedAndTheLockGoesWithItsHolder) {
  const TemporaryDirectory t;
  {
    const auto first = DataDirectory::open(t.path);
    ASSERT_TRUE(first.has_value());
    const auto second = DataDirectory::open(t.path);
    ASSERT_FALSE(second.has_value());
    EXPECT_NE(second.error().find("another bellwire"), std::string::npos) << second.error();
  }
  EXPECT_TRUE(DataDirectory::open(t.path).has_value());
}

TEST(DataDirectory, FileInItsPlaceIsSaid) {
  const TemporaryDirectory t;
  write(t.path / "file", "x");
  const auto opened = DataDirectory::open(t.path / "file");
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().find("Not a directory"), std::string::npos) << opened.error();
}

TEST(ConfigFile, ReadsTheEnvironmentFileBesideIt) {
  const TemporaryDirectory t;
  write(t.path / ".env", "BW_TEST_PORT=25999\n");
  write(t.path / "config.yml", "server:\n  sip_port: ${BW_TEST_PORT}\n");
  const config::Loaded loaded = read_config(t.path / "config.yml");
  EXPECT_TRUE(loaded.usable()) << to_text(loaded.problems);
  EXPECT_EQ(loaded.config.server.sip_port, 25999);
}

TEST(ConfigFile, EnvironmentOfTheProcessWinsOverTheFile) {
  const TemporaryDirectory t;
  write(t.path / ".env", "BW_TEST_PORT2=25999\n");
  write(t.path / "config.yml", "server:\n  sip_port: ${BW_TEST_PORT2}\n");
  ::setenv("BW_TEST_PORT2", "26000", 1);
  EXPECT_EQ(read_config(t.path / "config.yml").config.server.sip_port, 26000);
  ::unsetenv("BW_TEST_PORT2");
}

TEST(ConfigFile, ProblemsComeAllAtOnceWithTheirLinesAndACount) {
  const TemporaryDirectory t;
  write(t.path / "config.yml", "server:\n  sip_prt: 5060\n  sip_tls_port: many\n");
  const config::Loaded loaded = read_config(t.path / "config.yml");
  EXPECT_FALSE(loaded.usable());
  const std::string text = to_text(loaded.problems);
  EXPECT_NE(text.find("config.yml:2:"), std::string::npos) << text;
  EXPECT_NE(text.find("config.yml:3:"), std::string::npos) << text;
  EXPECT_NE(text.find("2 errors, 0 warnings"), std::string::npos) << text;
}

TEST(ConfigFile, MissingOneIsAnErrorAndNoneIsTheDefaults) {
  const config::Loaded missing = read_config("/nowhere/config.yml");
  EXPECT_FALSE(missing.usable());
  EXPECT_NE(to_text(missing.problems).find("/nowhere/config.yml"), std::string::npos);
  EXPECT_TRUE(read_config(std::nullopt).usable());
}

TEST(Opening, DoorsFollowTheConfiguration) {
  config::Config c;
  c.server.sip_host = {IpAddress::v4(0x7F000001)};
  c.api.host = {IpAddress::v4(0x7F000001)};
  c.server.sip_port = 5070;
  io::FrontDoors doors = front_doors(c, "/data");
  EXPECT_EQ(doors.sip_tcp, (std::vector<Endpoint>{{IpAddress::v4(0x7F000001), 5070}}));
  EXPECT_EQ(doors.sip_tls[0].port, 5061);
  EXPECT_EQ(doors.http[0].port, 8080);
  EXPECT_EQ(doors.https[0].port, 8443);
  EXPECT_EQ(doors.control_socket, "/data/bellwire.sock");
  c.security.enable_tls = false;
  doors = front_doors(c, "/data");
  EXPECT_TRUE(doors.sip_tls.empty());
  EXPECT_TRUE(doors.https.empty());
  c.security.enable_tls = true;
  c.server.sip_tls_port = 0;
  EXPECT_TRUE(front_doors(c, "/data").sip_tls.empty());
}

TEST(Opening, ExtensionsOfTheFileAreFirstValuesOnly) {
  config::Config c;
  for (const char* number : {"1001", "1002"}) {
    config::ExtensionEntry e;
    e.number = model::ExtensionNumber{number};
    e.password = Secret<std::string>{"Test-Pass-1!"};
    c.extensions.push_back(e);
  }
  model::Directory known;
  known.extensions["1001"].number = model::ExtensionNumber{"1001"};
  const auto fresh = new_extensions(c, known);
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0].number.value, "1002");
  EXPECT_EQ(fresh[0].credentials, api::credentials_of("1002", Secret<std::string>{"Test-Pass-1!"}));
}

TEST(Opening, ExtensionWithoutPasswordHasNoCredentials) {
  config::Config c;
  c.extensions.emplace_back().number = model::ExtensionNumber{"1001"};
  EXPECT_TRUE(new_extensions(c, {})[0].credentials.ha1_md5.reveal().empty());
}

TEST(Reload, NamesTheKeysThatNeedARestart) {
  const config::Config running;
  config::Config next;
  EXPECT_TRUE(needs_restart(running, next).empty());
  next.server.sip_port = 5070;
  next.database.path = "other.db";
  next.features.max_call_duration = std::chrono::seconds{60};
  EXPECT_EQ(needs_restart(running, next), (std::vector<std::string>{"server.sip_port", "database"}));
}

TEST(Showing, WhatOthersWroteCommandsNoTerminal) {
  const std::string hostile = "a\x1b[2J\u009b31m\u202e\u2066\r\nb";
  EXPECT_EQ(printable(hostile), "a?[2J?31m????b");
  EXPECT_EQ(text_of(boost::json::string(hostile)), "a?[2J?31m????b");
  EXPECT_EQ(text_of(boost::json::array{hostile, 1}), "a?[2J?31m????b, 1");
  EXPECT_EQ(printable("M\u00fcller \u2013 \u20ac"), "M\u00fcller \u2013 \u20ac");
}

TEST(Log, LineOfAPeerCannotFakeALineOfOurs) {
  const TemporaryDirectory t;
  const fs::path file = t.path / "log";
  {
    Log({Level::kInfo, false, file, false}).info("phone says {}", "x\n2026 info faked");
  }
  const std::string text = read(file);
  EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
  EXPECT_NE(text.find("phone says x 2026 info faked"), std::string::npos) << text;
}

TEST(Log, JsonIsOneObjectPerLine) {
  const TemporaryDirectory t;
  const fs::path file = t.path / "log";
  {
    Log({Level::kInfo, false, file, true}).warning("a \"quoted\" \x01 text");
  }
  const std::string text = read(file);
  EXPECT_NE(text.find(R"("level":"warning","message":"a \"quoted\" \u0001 text"})"), std::string::npos)
      << text;
}

TEST(Log, LevelDecidesAndMayChange) {
  const TemporaryDirectory t;
  const fs::path file = t.path / "log";
  {
    Log log({Level::kWarning, false, file, false});
    log.info("quiet");
    log.set_level(Level::kDebug);
    log.debug("loud");
  }
  const std::string text = read(file);
  EXPECT_EQ(text.find("quiet"), std::string::npos);
  EXPECT_NE(text.find("loud"), std::string::npos);
}

}  // namespace
}  // namespace bw::server
