#include "ca/base/bytes.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/fakes/must.h"

namespace ca {
namespace {

using testing::Must;

Bytes AllOctets() {
  Bytes octets(256, '\0');
  std::iota(octets.begin(), octets.end(), '\0');
  return octets;
}

// ---- hex ----------------------------------------------------------------------------------------

TEST(HexTest, IsLowerCaseAndTwoDigitsAnOctet) {
  EXPECT_EQ(Hex(Bytes("\x00\x0f\xa0\xff", 4)), "000fa0ff");
  EXPECT_EQ(Hex(""), "");
}

TEST(HexTest, ReadsBackEveryOctetInEitherCase) {
  EXPECT_EQ(Must(FromHex(Hex(AllOctets()))), AllOctets());
  EXPECT_EQ(Must(FromHex("aBcDeF")), "\xab\xcd\xef");
}

TEST(HexTest, RefusesAnOddNumberOfDigits) {
  EXPECT_EQ(FromHex("abc").status().code(), StatusCode::kInvalidArgument);
}

TEST(HexTest, RefusesOtherCharacters) {
  for (const char* text : {"0g", "g0", " 0", "0x", "-1", "/0", ":0", "@0", "`0"}) {
    EXPECT_EQ(FromHex(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

// ---- base64url ----------------------------------------------------------------------------------

// RFC 4648 section 10, without the padding.
TEST(Base64UrlTest, AgreesWithTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(Base64Url(plain), encoded);
    EXPECT_EQ(Must(FromBase64Url(encoded)), plain);
  }
}

TEST(Base64UrlTest, UsesTheAlphabetThatIsSafeInUrls) {
  EXPECT_EQ(Base64Url("\xfb\xff\xfe"), "-__-");
}

TEST(Base64UrlTest, ReadsBackEveryOctetAtEveryLength) {
  for (size_t size = 0; size <= 256; ++size) {
    const Bytes octets = AllOctets().substr(256 - size);
    EXPECT_EQ(Must(FromBase64Url(Base64Url(octets))), octets);
  }
}

TEST(Base64UrlTest, RefusesOtherCharactersAndPadding) {
  for (const char* text : {"Zg==", "Z+8", "Z/8", "Zg\n", " Zg", "Z.g"}) {
    EXPECT_EQ(FromBase64Url(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(Base64UrlTest, KnowsOneSpellingOfEachValue) {
  for (const char* text : {"Z", "Zm9vY", "Zh", "Zm9", "Zm-"}) {
    EXPECT_EQ(FromBase64Url(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

// ---- SHA-256 ------------------------------------------------------------------------------------

// FIPS 180-2, appendix B.1.
TEST(Sha256Test, AgreesWithTheStandard) {
  EXPECT_EQ(Hex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// ---- PEM ----------------------------------------------------------------------------------------

TEST(PemTest, HasItsLabelAnd64Columns) {
  EXPECT_EQ(Pem("A LABEL", Bytes(50, 'x')),
            "-----BEGIN A LABEL-----\n"
            "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\n"
            "eHg=\n"
            "-----END A LABEL-----\n");
}

TEST(PemTest, ReadsTheBlocksOfALabelInOrderAndPassesOverTheRest) {
  const std::string text = "first comes some text\n" + Pem("CERTIFICATE", "one") +
                           Pem("PRIVATE KEY", "not this") + "subject=/CN=x\n" +
                           Pem("CERTIFICATE", "two");
  EXPECT_EQ(Must(FromPem("CERTIFICATE", text)), (std::vector<Bytes>{"one", "two"}));
}

TEST(PemTest, RefusesTextWithoutABlockOfTheLabel) {
  for (const std::string& text : {std::string(), std::string("no block"), Pem("OTHER", "x")}) {
    EXPECT_EQ(FromPem("CERTIFICATE", text).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(PemTest, RefusesDamagedBlocksWhateverIsBeforeThem) {
  const std::string whole = Pem("CERTIFICATE", Bytes(100, 'x'));
  std::string bad_character = whole;
  bad_character[40] = '!';
  for (const std::string& damaged :
       {whole.substr(0, whole.size() - 10), bad_character, whole.substr(0, 60)}) {
    EXPECT_FALSE(FromPem("CERTIFICATE", damaged).ok()) << damaged;
    EXPECT_FALSE(FromPem("CERTIFICATE", whole + damaged).ok()) << damaged;
  }
}

}  // namespace
}  // namespace ca
