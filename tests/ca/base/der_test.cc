#include "ca/base/der.h"

#include <gtest/gtest.h>

namespace ca {
namespace {

using namespace std::string_literals;

TEST(DerTest, ReadsElementsInTheirOrder) {
  const Bytes der = "\x02\x01\x05\x04\x02hi"s;
  DerReader reader(der);
  EXPECT_TRUE(reader.Sees(kDerInteger));
  EXPECT_EQ(reader.Next()->content, "\x05");
  EXPECT_FALSE(DerReader(reader).Next(kDerInteger));
  const auto string = reader.Next(kDerOctetString);
  EXPECT_EQ(string->content, "hi");
  EXPECT_EQ(string->whole, "\x04\x02hi");
  EXPECT_TRUE(reader.AtEnd());
  EXPECT_FALSE(reader.Next());
}

TEST(DerTest, ReadsWhatItWrites) {
  for (const size_t size : {0, 1, 127, 128, 255, 256, 65535, 65536}) {
    const Bytes content(size, 'x');
    const Bytes der = EncodeDer(kDerOctetString, content);
    EXPECT_EQ(OnlyDer(kDerOctetString, der), content);
    EXPECT_FALSE(OnlyDer(kDerOctetString, der + "x"));
    EXPECT_FALSE(OnlyDer(kDerOctetString, BytesView(der).substr(0, der.size() - 1)));
    EXPECT_TRUE(IsDer(der));
  }
}

TEST(DerTest, RefusesWhatIsOnlyBer) {
  for (const Bytes& ber : {
           ""s,
           "\x30"s,
           "\x30\x80\x00\x00"s,  // an indefinite length
           "\x04\x81\x01x"s,     // a length longer than it needs to be
           "\x04\x82\x00\x80"s + Bytes(128, 'x'),
           "\x1f\x81\x00\x00"s,  // a tag number in several octets
           "\x01\x01\x01"s,
           "\x01\x02\xff\xff"s,  // neither TRUE nor FALSE
           "\x02\x00"s,
           "\x02\x02\x00\x01"s,
           "\x02\x02\xff\x80"s,
           "\x03\x00"s,
           "\x03\x01\x01"s,
           "\x03\x02\x08\x00"s,
           "\x03\x02\x01\x01"s,
           "\x05\x01\x00"s,
           "\x06\x00"s,
           "\x06\x01\x80"s,
           "\x06\x02\x80\x01"s,
           "\x24\x03\x04\x01x"s,                 // a string in pieces
           "\x10\x00"s,                          // a SEQUENCE that is primitive
           "\x31\x06\x02\x01\x02\x02\x01\x01"s,  // a SET OF out of order
       }) {
    EXPECT_FALSE(IsDer(ber)) << Hex(ber);
    EXPECT_FALSE(IsDer(EncodeDer(kDerSequence, ber)) && !ber.empty()) << Hex(ber);
  }
}

TEST(DerTest, DoesNotFollowNestingForEver) {
  Bytes der = "\x30\x00"s;
  for (int i = 0; i < 100; ++i) der = EncodeDer(kDerSequence, der);
  EXPECT_FALSE(IsDer(der));
}

}  // namespace
}  // namespace ca
