#include "store/seal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "store/test_databases.h"

namespace bw::store {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

TEST(Seal, OpensWithTheSameKeyAndPurposeOnly) {
  const SealKey key = test::key_of(1);
  const std::string sealed = key.seal("hunter2", "extension 1001");
  EXPECT_THAT(sealed, Not(HasSubstr("hunter2")));
  EXPECT_NE(sealed, key.seal("hunter2", "extension 1001"));  // a fresh nonce each time
  EXPECT_EQ(key.open(sealed, "extension 1001"), "hunter2");
  EXPECT_EQ(key.open(sealed, "extension 1002"), std::nullopt);
  EXPECT_EQ(key.open(sealed, "extension 100"), std::nullopt);
  EXPECT_EQ(test::key_of(2).open(sealed, "extension 1001"), std::nullopt);
}

TEST(Seal, AnyChangeIsNoticed) {
  const SealKey key = test::key_of(1);
  const std::string sealed = key.seal("x", "p");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(key.open(changed, "p"), std::nullopt) << i;
    EXPECT_EQ(key.open(sealed.substr(0, i), "p"), std::nullopt) << i;
  }
}

TEST(SealKeyFile, IsMadeOnceAndForItsOwnerOnly) {
  const test::TemporaryDirectory directory;
  const auto made = SealKey::load_or_make(directory.path());
  ASSERT_TRUE(made) << made.error();
  struct stat about{};
  ASSERT_EQ(::stat((directory.path() / "secret.key").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0600U);
  const auto again = SealKey::load_or_make(directory.path());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->open(made->seal("x", "p"), "p"), "x");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1) << "left a draft";
  const test::TemporaryDirectory other;
  EXPECT_EQ(SealKey::load_or_make(other.path())->open(made->seal("x", "p"), "p"), std::nullopt);
}

TEST(SealKeyFile, ThatOthersMayReadOrThatIsDamagedIsRefused) {
  const test::TemporaryDirectory directory;
  const fs::path file = directory.path() / "secret.key";
  ASSERT_TRUE(SealKey::load_or_make(directory.path()));
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(SealKey::load_or_make(directory.path()).error(), HasSubstr("0600"));
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  for (const std::string content : {"", "abc\n", "zz", "0123456789abcdef"}) {
    std::ofstream(file, std::ios::trunc) << content;
    EXPECT_THAT(SealKey::load_or_make(directory.path()).error(), HasSubstr("not a key")) << content;
  }
  EXPECT_FALSE(SealKey::load_or_make(directory.path() / "nowhere"));
}

}  // namespace
}  // namespace bw::store
