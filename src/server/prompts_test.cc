#include "server/prompts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace bw::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class Recordings : public testing::Test {
 protected:
  Recordings() { std::filesystem::create_directory(directory_); }
  ~Recordings() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& name, std::size_t bytes) const {
    std::ofstream(directory_ / name, std::ios::binary) << std::string(bytes, 'x');
  }
  model::Prompts read() const { return read_prompts(directory_.string()); }
  std::string lack() const { return lack_of_prompts(read(), directory_.string()).value_or(""); }

  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() / ("bellwire-prompts-" + std::to_string(::getpid()));
};

TEST_F(Recordings, AreReadByTheirNames) {
  write("ss-noservice.g722", 8'000);
  write("vm-nobodyavail.g722", 16'000);
  write("all-circuits-busy-now.g722", 80);
  const model::Prompts prompts = read();
  EXPECT_EQ(prompts.no_such_number->duration(), 1s);
  EXPECT_EQ(prompts.nobody_there->duration(), 2s);
  EXPECT_EQ(prompts.no_way->g722().size(), 80U);
  EXPECT_EQ(lack(), "");
}

TEST_F(Recordings, ThatAreMissingAreNamed) {
  write("vm-nobodyavail.g722", 16'000);
  EXPECT_EQ(read().no_such_number, nullptr);
  EXPECT_THAT(lack(),
              HasSubstr("ss-noservice.g722, all-circuits-busy-now.g722 not in " + directory_.string()));
  EXPECT_THAT(lack(), Not(HasSubstr("vm-nobodyavail.g722")));
  EXPECT_EQ(lack_of_prompts({}, ""), std::nullopt) << "nobody wants any";
}

TEST_F(Recordings, ThatAreNoneAreNotRead) {
  write("ss-noservice.g722", 0);
  write("vm-nobodyavail.g722", model::Prompt::kMostBytes + 1);
  ASSERT_EQ(::mkfifo((directory_ / "all-circuits-busy-now.g722").c_str(), 0600), 0);  // would never end
  const model::Prompts prompts = read();
  EXPECT_EQ(prompts.no_such_number, nullptr);
  EXPECT_EQ(prompts.nobody_there, nullptr);
  EXPECT_EQ(prompts.no_way, nullptr);
}

}  // namespace
}  // namespace bw::server
