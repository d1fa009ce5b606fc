#include "ca/base/host_name.h"

#include <gtest/gtest.h>

#include "tests/fakes/must.h"
#include "tests/fakes/refusal.h"

namespace ca {
namespace {

using testing::Must;
using testing::Says;

TEST(DnsNameTest, IsOneOrMoreLowerCaseLabels) {
  for (const std::string& name :
       {std::string("a"), std::string("localhost"), std::string("web-1.svc.acme.example"),
        std::string("1.2.3"), std::string(63, 'x')}) {
    EXPECT_TRUE(IsDnsName(name)) << name;
  }
}

TEST(DnsNameTest, HasNoWildcardNoTrailingDotAndNothingElse) {
  for (const std::string& name :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("*.a"), std::string("A"), std::string("a_b"), std::string("-a"),
        std::string("a-"), std::string("a b"), std::string("a\0", 2), std::string("ä"),
        std::string(64, 'x')}) {
    EXPECT_FALSE(IsDnsName(name)) << name;
  }
}

TEST(IpAddressTest, IsVersion4Or6) {
  EXPECT_EQ(Hex(Must(IpAddress::Parse("192.0.2.7")).bytes()), "c0000207");
  EXPECT_EQ(Hex(Must(IpAddress::Parse("2001:db8::7")).bytes()), "20010db8000000000000000000000007");
}

TEST(IpAddressTest, IsWrittenInItsShortestForm) {
  EXPECT_EQ(Must(IpAddress::Parse("192.0.2.7")).ToString(), "192.0.2.7");
  EXPECT_EQ(Must(IpAddress::Parse("2001:0db8:0:0::0007")).ToString(), "2001:db8::7");
}

TEST(IpAddressTest, RefusesWhatIsNoAddress) {
  for (const std::string& text :
       {std::string(), std::string("192.0.2"), std::string("192.0.2.256"),
        std::string("192.0.2.7/24"), std::string("192.0.2.07"), std::string(" 192.0.2.7"),
        std::string("192.0.2.7 "), std::string("2001:db8:::7"), std::string("fe80::1%eth0"),
        std::string("[2001:db8::7]"), std::string("localhost"), std::string("192.0.2.7\0x", 11),
        "192.0.2.7" + std::string(1000, '0')}) {
    EXPECT_TRUE(
        Says(IpAddress::Parse(text).status(), StatusCode::kInvalidArgument, "not an IP address"))
        << text;
  }
}

TEST(IpAddressTest, HasFourOrSixteenOctets) {
  EXPECT_EQ(Must(IpAddress::FromBytes(Must(FromHex("c0000207")))).ToString(), "192.0.2.7");
  EXPECT_EQ(Must(IpAddress::FromBytes(Bytes(16, '\0'))).ToString(), "::");
  for (const size_t size : {0u, 3u, 5u, 15u, 17u, 32u}) {
    EXPECT_FALSE(IpAddress::FromBytes(Bytes(size, '\1')).ok()) << size;
  }
}

TEST(IpRangeTest, ContainsItsAddressesAndNoOthers) {
  const IpRange range = Must(IpRange::Parse("10.1.0.0/20"));
  for (const char* inside : {"10.1.0.0", "10.1.15.255"}) {
    EXPECT_TRUE(range.Contains(Must(IpAddress::Parse(inside)))) << inside;
  }
  for (const char* outside : {"10.1.16.0", "10.0.255.255", "11.1.0.0", "::a01:0", "a01::"}) {
    EXPECT_FALSE(range.Contains(Must(IpAddress::Parse(outside)))) << outside;
  }
}

TEST(IpRangeTest, OfAnAddressAloneIsThatAddress) {
  const IpRange range = Must(IpRange::Parse("2001:db8::7"));
  EXPECT_EQ(range.ToString(), "2001:db8::7/128");
  EXPECT_TRUE(range.Contains(Must(IpAddress::Parse("2001:db8::7"))));
  EXPECT_FALSE(range.Contains(Must(IpAddress::Parse("2001:db8::8"))));
}

TEST(IpRangeTest, MayBeEverything) {
  const IpRange range = Must(IpRange::Parse("0.0.0.0/0"));
  EXPECT_TRUE(range.Contains(Must(IpAddress::Parse("255.255.255.255"))));
  EXPECT_FALSE(range.Contains(Must(IpAddress::Parse("::1"))));
}

// RFC 5280 section 4.2.1.10: "a name constraint for "class C" subnet 192.0.2.0 is represented as
// the octets C0 00 02 00 FF FF FF 00".
TEST(IpRangeTest, IsAddressAndMaskInANameConstraint) {
  EXPECT_EQ(Hex(Must(IpRange::Parse("192.0.2.0/24")).AddressAndMask()), "c0000200ffffff00");
  EXPECT_EQ(Hex(Must(IpRange::Parse("10.1.0.0/20")).AddressAndMask()), "0a010000fffff000");
  EXPECT_EQ(Must(IpRange::Parse("2001:db8::/32")).AddressAndMask().size(), 32u);
}

TEST(IpRangeTest, RefusesWhatIsNoRange) {
  for (const char* text : {"", "/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
                           "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "2001:db8::/129", "10.0.0/8"}) {
    EXPECT_EQ(IpRange::Parse(text).status().code(), StatusCode::kInvalidArgument) << text;
  }
}

TEST(IpRangeTest, RefusesBitsBeyondItsPrefixAsATypo) {
  EXPECT_TRUE(Says(IpRange::Parse("10.0.0.1/24").status(), StatusCode::kInvalidArgument,
                   "first address of the range"));
  EXPECT_FALSE(IpRange::Parse("2001:db8::1/64").ok());
}

}  // namespace
}  // namespace ca
